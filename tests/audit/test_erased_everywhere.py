# SPDX-License-Identifier: EUPL-1.2
"""A thousand details erased: every proof stays valid, and no file of any tool holds their bytes."""

import asyncio
import json

import numpy as np
import pytest

from audit import Journal, verify_receipt
from audit.backup import erase_details, keep_logs
from audit.backup.files import wipe
from audit.copies import open_copy
from audit.erasure import Eraser, plan
from audit.leftovers import tidy
from audit.merkle import leaf_hash
from audit.publish import publish
from audit.review.columnar import write_months
from audit.review.index import Indexer
from audit.review.index_file import create_index, open_index
from audit.review.searchkey import Column, SearchKey
from audit.sealing import Unsealer
from audit.verify import verify_log
from tests.audit.erasing import DUE, LATER, TODAY, create, detailed, order, standing
from tests.audit.making import DPO_BA, KEY, ORIGIN, SIGNER, Clock, new_sealer

GONE, KEPT = 1000, 200
EVERY = (GONE + KEPT) // KEPT  # each so-many-th is kept: pages hold both
OFFICER_KEY = SearchKey(DPO_BA)


def detail(number):
    told = {"v": 2, "officer": f"officer-{number}", "persons": [f"CANARY-{number}"]}
    return json.dumps(told).encode()


class Details:
    """What was sealed, and what of it a file may betray."""

    def __init__(self, count=GONE + KEPT):
        sealer = new_sealer()
        self.pending = []
        for number in range(count):
            sealer._windows.clear()  # wrapped keys of its own for each, to look for them too
            month = LATER if number % EVERY == 0 else DUE
            self.pending.append(detailed(sealer, month, detail(number)))

    def traces(self, *, kept):
        found = []
        for number, pending in enumerate(self.pending):
            if (number % EVERY == 0) is kept:
                sealed = pending.sealed
                found += [sealed.salt, sealed.blob[:48], sealed.blob[-48:], sealed.window[-48:]]
        return found

    def tokens(self, *, kept):
        return [
            OFFICER_KEY.token(Column.PERSON, ORIGIN, f"CANARY-{number}")
            for number in range(GONE + KEPT)
            if (number % EVERY == 0) is kept
        ]


def betraying(folder, traces):
    """How many of these bytes any file of a folder holds, by their first eight."""
    wanted = np.array([int.from_bytes(trace[:8], "little") for trace in traces], dtype="<u8")
    content = b"\0".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    ends = np.zeros(65_536, dtype=bool)  # most places are ruled out by their last two bytes
    ends[wanted & 0xFFFF] = True
    found = set()
    for offset in range(8):
        words = np.frombuffer(content, "<u8", (len(content) - offset) // 8, offset)
        likely = words[ends[words & 0xFFFF]]
        found.update(likely[np.isin(likely, wanted)].tolist())
    return len(found)


class Tools:
    """Every tool that makes files of a log. A new one is added here, and to `all`."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url

    def published(self, copy):
        publish(copy, self.folder / "published", SIGNER.verifier, details=True)

    def index(self, copy):
        path = self.folder / "index" / "BA.idx"
        if not path.exists():
            path.parent.mkdir()
            create_index(path, OFFICER_KEY)
        with open_index(path, OFFICER_KEY) as con:
            Indexer(con, OFFICER_KEY, Unsealer(DPO_BA)).sync(copy)

    def months(self, copy):
        pytest.importorskip("duckdb")
        write_months(copy, self.folder / "months")

    def backup(self, declared):
        folder, url = self.folder / "backup", self.url
        if not folder.exists():
            (self.kept,) = keep_logs(url, folder)
            return
        self.kept, old = erase_details(folder, self.kept, set(declared))
        for name in old:
            wipe(folder / name)

    def all(self, declared=()):
        self.backup(declared)
        for tool in (self.published, self.index, self.months):
            with open_copy(self.url, ORIGIN) as copy:
                tool(copy)


async def append(url, details):
    journal = await Journal.open(url, keys={"BA": KEY}, clock=Clock())
    for start in range(0, len(details.pending), 300):
        await journal.append(details.pending[start : start + 300])
    log = journal.log(ORIGIN)
    entries = await log.read(1, 1000) + await log.read(1000, log.size)
    wanted = [entries[n] for n in range(0, len(entries), 97)]
    receipts = [(await log.receipt(e.index), leaf_hash(e.envelope)) for e in wanted]
    await journal.close()
    return receipts


async def erase(url):
    found = await standing(url)
    journal = await Journal.open(url, keys={"BA": KEY}, clock=Clock())
    done = await Eraser(journal, found, lambda log: order(log=log)).run(plan(found, TODAY))
    await journal.close()
    return done


def test_after_a_thousand_details_are_erased_no_file_holds_them_and_all_proofs_hold(tmp_path):
    (tmp_path / "store").mkdir()
    url, details = f"sqlite:///{tmp_path}/store/log.db", Details()
    create(url)
    receipts = asyncio.run(append(url, details))
    tools = Tools(tmp_path, url)
    tools.all()
    gone, kept = details.traces(kept=False), details.traces(kept=True)
    for folder in ("store", "published", "backup"):
        assert betraying(tmp_path / folder, gone) == len(gone), "the test looks where they are"
    assert betraying(tmp_path / "index", details.tokens(kept=False)) == GONE

    done = asyncio.run(erase(url))
    assert (done.details, done.kept) == (GONE, 0)
    tools.all(asyncio.run(standing(url)).logs[ORIGIN].declared)

    assert betraying(tmp_path, gone) == 0
    assert betraying(tmp_path, details.tokens(kept=False)) == 0
    for folder in ("store", "published", "backup"):
        assert betraying(tmp_path / folder, kept) == len(kept)
    assert betraying(tmp_path / "index", details.tokens(kept=True)) == KEPT
    for place in (url, str(tmp_path / "published")):
        report = verify_log(place, vkey=SIGNER.vkey, origin=ORIGIN)
        assert (report.ok, report.erased) == (True, GONE)
    for number, (receipt, leaf) in enumerate(receipts):
        assert verify_receipt(receipt.encode(), leaf, SIGNER.verifier, ORIGIN)[0] == 1 + 97 * number


@pytest.mark.parametrize("rewrite", [False, True])
def test_postgresql_says_what_it_keeps_and_a_rewritten_table_keeps_nothing(
    nowhere, durable_postgres, request, rewrite
):
    if nowhere.url.startswith("sqlite"):
        assert asyncio.run(tidy(nowhere.url, rewrite=rewrite)).said == []
        return
    create(nowhere.url)
    details = Details(60)
    asyncio.run(append_few(nowhere.url, details))
    gone = details.traces(kept=False)
    durable_postgres.run("CHECKPOINT")
    base = durable_postgres.data / "base"
    assert betraying(base, gone) == len(gone)
    asyncio.run(erase(nowhere.url))
    left = asyncio.run(tidy(nowhere.url, rewrite=rewrite))
    durable_postgres.run("CHECKPOINT")
    assert bool(betraying(base, gone)) is not rewrite
    assert left.pages is not rewrite
    assert left.recycled
    assert not left.archived
    assert len(left.said) == 1 + left.pages


async def append_few(url, details):
    journal = await Journal.open(url, keys={"BA": KEY}, clock=Clock())
    await journal.append(details.pending)
    await journal.close()
