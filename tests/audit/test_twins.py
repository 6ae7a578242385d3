# SPDX-License-Identifier: EUPL-1.2
"""A question between two countries stands in two logs: erased on both sides, it is nowhere."""

import asyncio
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import AuditError, Journal, LogKey, verify_receipt
from audit.backup import erase_details, keep_logs
from audit.backup.files import wipe
from audit.copies import open_copy
from audit.envelope import encode_envelope, parse_envelope
from audit.erasure import Eraser, erase_together, ordered, plan
from audit.merkle import leaf_hash
from audit.publish import publish
from audit.retention import Terms
from audit.review.columnar import write_months
from audit.review.index import Indexer
from audit.review.index_file import create_index, open_index
from audit.review.searchkey import Column, SearchKey
from audit.sealing import Unsealer
from audit.standing import read_country
from audit.twins import left_behind, still_there, twins_of
from audit.verify import verify_log
from tests.audit.erasing import DUE, LATER, TODAY, detailed, held, order, signed
from tests.audit.making import DPO_BA, DPO_HR, KEY, NOON, ORIGIN, Clock, new_sealer, seeded
from tests.audit.test_erased_everywhere import betraying

HR = "audit.example/HR/2026h2"
HR_KEY = LogKey("audit.example/HR", Ed25519PrivateKey.from_private_bytes(seeded("log HR")))
KEYS = {"BA": KEY, "HR": HR_KEY}
LOGS = {"BA": ORIGIN, "HR": HR}
DPO = {"BA": DPO_BA, "HR": DPO_HR}


def pair(sealer, number, month=LATER):
    """One event, as it is entered in both logs."""
    told = {"v": 2, "officer": f"officer-{number}", "persons": [f"CANARY-{number}"]}
    mine = detailed(sealer, month, json.dumps(told).encode())
    other = replace(parse_envelope(mine.envelope), log=HR)
    return mine, replace(mine, envelope=encode_envelope(other))


async def append(url, entries):
    journal = await Journal.open(url, keys=KEYS, clock=Clock())
    for start in range(0, len(entries), 300):
        await journal.append(entries[start : start + 300])
    receipts = {}
    for origin in LOGS.values():
        log = journal.log(origin)
        for place in range(1, log.size, 149):
            (entry,) = await log.read(place, place + 1)
            receipts[origin, place] = (await log.receipt(place), leaf_hash(entry.envelope))
    await journal.close()
    return receipts


def standing(url, country):
    with open_copy(url, ORIGIN) as ba, open_copy(url, HR) as hr:
        return read_country(country, {ORIGIN: ba, HR: hr}, Terms())


def copies_of(url, look):
    with open_copy(url, ORIGIN) as ba, open_copy(url, HR) as hr:
        return look({ORIGIN: ba, HR: hr})


async def erase(url, going):
    """Every order carried out in one run; `going` is by country."""
    found = {country: await asyncio.to_thread(standing, url, country) for country in going}
    journal = await Journal.open(url, keys=KEYS, clock=Clock())
    try:
        parts = {
            country: (
                Eraser(journal, found[country], lambda log, c=country: signed(c, log)),
                ordered(found[country], LOGS[country], indices),
            )
            for country, indices in going.items()
        }
        return await erase_together(journal, parts)
    finally:
        await journal.close()


def searched(country, numbers):
    """What an officer's index holds of the persons asked about."""
    key = SearchKey(DPO[country])
    return [key.token(Column.PERSON, LOGS[country], f"CANARY-{number}") for number in numbers]


class Tools:
    """Every tool that makes files of these logs; docs/retention.md says when they run again."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url

    def backup(self, declared):
        folder = self.folder / "backup"
        if not folder.exists():
            self.kept = keep_logs(self.url, folder)
            return
        again = []
        for one in self.kept:
            new, old = erase_details(folder, one, set(declared[one.head.origin]))
            again.append(new)
            for name in old:
                wipe(folder / name)
        self.kept = tuple(again)

    def all(self, declared=None):
        self.backup(declared)
        for country, origin in LOGS.items():
            place, key = self.folder / country, SearchKey(DPO[country])
            with open_copy(self.url, origin) as copy:
                signer = KEYS[country].signer(origin)
                publish(copy, place / "published", signer.verifier, details=True)
                write_months(copy, place / "months")
                if not (place / "index").exists():
                    (place / "index").mkdir()
                    create_index(place / "index/review.idx", key)
                with open_index(place / "index/review.idx", key) as con:
                    Indexer(con, key, Unsealer(DPO[country])).sync(copy)


def test_a_thousand_details_of_which_most_stand_in_two_logs_are_gone_from_all_files(tmp_path):
    (tmp_path / "store").mkdir()
    url, sealer = f"sqlite:///{tmp_path}/store/log.db", new_sealer()
    Journal.create(url, keys=KEYS, now=NOON)
    entries, gone, kept = [], [], []
    for number in range(600 + 400 + 100):
        sealer._windows.clear()  # wrapped keys of its own for each, to look for them too
        mine, other = pair(sealer, number)
        entries += [mine] if 600 <= number < 1000 else [mine, other]
        part = mine.sealed
        traces = [part.salt, part.blob[:48], part.blob[-48:], part.window[-48:]]
        (gone if number < 1000 else kept).extend(traces)
    receipts = asyncio.run(append(url, entries))
    tools = Tools(tmp_path, url)
    tools.all()
    for folder in ("store", "BA/published", "backup"):
        assert betraying(tmp_path / folder, gone) == len(gone), "the test looks where they are"
    assert betraying(tmp_path / "HR/published", gone) == 600 * 4
    tokens = {c: searched(c, range(1000 if c == "BA" else 600)) for c in LOGS}
    for country, found in tokens.items():
        assert betraying(tmp_path / country / "index", found) == len(found)

    mine = range(1, 1001)
    there = copies_of(url, lambda copies: twins_of(copies, ORIGIN, mine))
    assert {log: len(found) for log, found in there.items()} == {HR: 600}
    done = asyncio.run(erase(url, {"BA": mine, "HR": there[HR]}))
    assert {country: one.details for country, one in done.items()} == {"BA": 1000, "HR": 600}
    declared = {o: standing(url, country).logs[o].declared for country, o in LOGS.items()}
    tools.all(declared)

    assert betraying(tmp_path, gone) == 0
    assert betraying(tmp_path, [*tokens["BA"], *tokens["HR"]]) == 0
    for folder in ("store", "BA/published", "HR/published", "backup"):
        assert betraying(tmp_path / folder, kept) == len(kept)
    for country, origin in LOGS.items():
        vkey = KEYS[country].signer(origin).vkey
        for place in (url, str(tmp_path / country / "published")):
            report = verify_log(place, vkey=vkey, origin=origin)
            assert (report.ok, report.erased) == (True, 1000 if country == "BA" else 600)
    for (origin, place), (receipt, leaf) in receipts.items():
        verifier = KEYS[origin.split("/")[1]].signer(origin).verifier
        assert verify_receipt(receipt.encode(), leaf, verifier, origin)[0] == place


@pytest.fixture
def asked(tmp_path):
    """Five events in both logs, of which the months of the first three are over."""
    url, sealer = f"sqlite:///{tmp_path}/log.db", new_sealer()
    Journal.create(url, keys=KEYS, now=NOON)
    months = [DUE, DUE, DUE, LATER, LATER]
    pairs = [pair(sealer, number, month) for number, month in enumerate(months)]
    asyncio.run(append(url, [entry for both in pairs for entry in both]))
    return url


def left(url, country):
    found = standing(url, country)
    return copies_of(url, lambda copies: left_behind(copies, found))


def test_the_clock_erases_both_sides_of_an_event(asked):
    async def run():
        for country in LOGS:
            found = await asyncio.to_thread(standing, asked, country)
            journal = await Journal.open(asked, keys=KEYS, clock=Clock())
            by_clock = lambda log, c=country: replace(order(log=log), country=c)  # noqa: E731
            done = await Eraser(journal, found, by_clock).run(plan(found, TODAY))
            assert done.details == 3
            await journal.close()

    asyncio.run(run())
    for country, origin in LOGS.items():
        found = standing(asked, country)
        assert still_there(found, origin, range(1, 6)) == (4, 5)
        assert left(asked, country) == [], "what a clock erased is no order of anybody"
        with open_copy(asked, origin) as log:
            assert [one.index for one in log.details(0, log.count())] == [4, 5]
        vkey = KEYS[country].signer(origin).vkey
        assert verify_log(asked, vkey=vkey, origin=origin).ok


def test_a_twin_left_behind_is_told_to_the_other_country_until_it_goes(asked):
    asyncio.run(erase(asked, {"BA": [4, 5]}))
    assert left(asked, "BA") == []
    (found,) = left(asked, "HR")
    assert (found.log, found.indices, found.by) == (HR, (4, 5), ("BA",))
    assert f"{HR}: erased in BA on an order and still here: entries 4-5" in found.said
    asyncio.run(erase(asked, {"HR": [4]}))
    (found,) = left(asked, "HR")
    assert found.indices == (5,)
    asyncio.run(erase(asked, {"HR": [5]}))
    assert left(asked, "HR") == []


def test_nothing_is_declared_anywhere_when_a_hold_comes_meanwhile(asked, monkeypatch):
    real = Eraser.declaring

    async def held_meanwhile(eraser, planned):
        if eraser._standing.country == "HR":
            await eraser._journal.append([held([4], of=HR, log=HR)])
        return await real(eraser, planned)

    monkeypatch.setattr(Eraser, "declaring", held_meanwhile)
    with pytest.raises(AuditError, match="nothing was erased"):
        asyncio.run(erase(asked, {"BA": [4], "HR": [4]}))
    monkeypatch.undo()
    for country, origin in LOGS.items():
        assert still_there(standing(asked, country), origin, [4]) == (4,)
