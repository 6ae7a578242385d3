# SPDX-License-Identifier: EUPL-1.2
"""Two sequencers that both believe to lead: the lease is a courtesy, the head is the safeguard.

The lease is taken away from both stores. What remains is the compare-and-swap on the head and the
entry number as primary key. The last tests take those out too and show that these very checks would
then fail.
"""

import asyncio
import contextlib

import pytest

from audit import (
    Journal,
    LogUnavailableError,
    encode_envelope,
    parse_envelope,
    postgres_store,
    sqlite_store,
)
from audit.entry import Pending
from audit.envelope import new_entry_id
from audit.journal import utc_now
from audit.merkle import leaf_hash
from tests.audit.independent import Caught, StoreRows, check_log
from tests.audit.making import KEY, NOON, create_empty, envelope, key_of, until
from tests.audit.mutants import without
from tests.audit.test_opening import without_leases

NAMES = tuple(f"audit.example/{country}/2026h2" for country in ("BA", "HR"))
KEYS = {"BA": KEY, "HR": key_of(NAMES[1])}
EACH = 40


class LostError(AssertionError):
    """An acknowledged entry does not stand, or stands elsewhere, or twice."""


@pytest.fixture
async def leaders(nowhere, monkeypatch):
    """Two writers of the same two logs, each sure to be the only one."""
    without_leases(monkeypatch)
    monkeypatch.setattr("audit.sequencer.RECOVERY_PAUSE", 0.01)
    await asyncio.to_thread(create_empty, nowhere.url, NAMES)
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            journal = await Journal.open(nowhere.url, keys=KEYS, clock=utc_now)
            stack.push_async_callback(journal.close)
            found += [journal]
        yield nowhere, found


def question(number):
    """The owner's and the asker's entry of one question: the same id in both logs."""
    name = new_entry_id(NOON, number.to_bytes(10, "big"))
    return [Pending(encode_envelope(envelope(id=name, log=log))) for log in NAMES]


async def ask(journal, numbers, acknowledged):
    """Append each question until it is acknowledged or its turn is over; remember what stood."""
    for number in numbers:
        with contextlib.suppress(LogUnavailableError):
            for position in await journal.append(question(number)):
                where = position.log, position.index
                if where in acknowledged:
                    raise LostError(f"{where} was acknowledged twice")
                acknowledged[where] = position.leaf_hash
        await asyncio.sleep(0)
        if not journal.healthy:
            await until(lambda: journal.healthy)


async def both_at_once(leaders):
    acknowledged = {}
    runs = [
        ask(journal, range(1000 * n, 1000 * n + EACH), acknowledged)
        for n, journal in enumerate((*leaders, *leaders))
    ]
    await asyncio.gather(*runs)
    return acknowledged


async def require(place, acknowledged):
    """Every acknowledged entry once and in its place; the whole logs hold."""
    rows = await asyncio.to_thread(StoreRows.read, place.url)
    for name in NAMES:
        entries = rows.entries(name)
        for (log, index), leaf in acknowledged.items():
            if log == name and (index >= len(entries) or leaf_hash(entries[index]) != leaf):
                raise LostError(f"entry {index} of {log}")
        ids = [parse_envelope(entry).id for entry in entries]
        if len(set(ids)) != len(ids):
            raise LostError("an entry stands twice")
        vkey = KEYS[name.split("/")[1]].signer(name).vkey
        check_log(rows.log(name), vkey=vkey, origin=name)
    one, other = ([parse_envelope(e).id for e in rows.entries(name)] for name in NAMES)
    if sorted(one) != sorted(other):
        raise LostError("a question stands in one log only")


async def test_two_leaders_at_once_lose_nothing_and_fork_nothing(leaders):
    place, journals = leaders
    acknowledged = await both_at_once(journals)
    await require(place, acknowledged)
    assert len(acknowledged) > EACH  # they truly wrote side by side


POSTGRES_SWAP = ("h.size = u.old_size AND h.root = u.old_root AND ", "")


def without_swap(monkeypatch):
    """No compare-and-swap on the head, in either store."""
    without(
        monkeypatch,
        sqlite_store,
        "_write",
        ("size = ? AND root = ? AND closed = 0", "? IS NOT NULL AND ? IS NOT NULL"),
    )
    without(monkeypatch, postgres_store, "_COMMIT", POSTGRES_SWAP)


def with_overwriting(monkeypatch):
    """No entry number as a key either."""
    without(
        monkeypatch,
        sqlite_store,
        "_write",
        ("size = ? AND root = ? AND closed = 0", "? IS NOT NULL AND ? IS NOT NULL"),
        ("INSERT INTO log_entry", "INSERT OR REPLACE INTO log_entry"),
    )
    entries = "INSERT INTO log_entry SELECT r.* FROM unnest($15::bigint[], $16::bytea[]) r\n"
    counted = "  WHERE (SELECT count(*) FROM moved) = cardinality($1::bigint[])\n"
    without(
        monkeypatch,
        postgres_store,
        "_COMMIT",
        POSTGRES_SWAP,
        (
            f"{entries}{counted}",
            f"{entries}{counted}  ON CONFLICT (pos) DO UPDATE SET envelope = excluded.envelope\n",
        ),
    )


async def test_without_the_swap_the_entry_numbers_still_keep_the_logs(leaders, monkeypatch):
    place, journals = leaders
    without_swap(monkeypatch)
    acknowledged = await both_at_once(journals)
    await require(place, acknowledged)


async def test_without_swap_and_entry_numbers_the_same_check_finds_the_loss(leaders, monkeypatch):
    place, journals = leaders
    with_overwriting(monkeypatch)
    with pytest.raises((LostError, Caught)):
        await require(place, await both_at_once(journals))
