# SPDX-License-Identifier: EUPL-1.2
"""Every kind of copy reads the same, and a log of the first format is checked for ever."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from audit import (
    LogCorruptError,
    LogUnavailableError,
    NoteVerifier,
    open_sealed,
    verify_log,
    verify_receipt,
)
from audit.copies import open_copy, origins
from audit.envelope import parse_envelope
from audit.merkle import leaf_hash
from audit.publish import publish
from audit.tiles import TileId
from tests.audit.making import DPO_BA, ORIGIN, SIGNER, VECTORS, create_empty, fill, opened

OLD = VECTORS / "format1"
VKEY = (OLD / "vkey").read_text(encoding="ascii").strip()


def read(name):
    return (OLD / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("kept", ["checkpoint", "checkpoint-200"])
def test_a_log_of_the_first_format_is_whole_under_every_later_program(kept):
    report = verify_log(str(OLD / "log.sqlite"), vkey=VKEY, checkpoint=read(kept))
    assert report.ok, report.findings
    assert (report.size, report.erased, report.unchecked) == (301, 3, 0)


@pytest.mark.parametrize("index", [0, 100, 204, 255, 256, 260, 300])
def test_a_receipt_of_the_first_format_is_good_for_ever(index):
    entry = (OLD / f"{index}.entry").read_bytes()
    receipt = (OLD / f"{index}.tlog-proof").read_bytes()
    verifier = NoteVerifier.parse(VKEY)
    assert verify_receipt(receipt, leaf_hash(entry), verifier, ORIGIN)[0] == index
    with open_copy(str(OLD / "log.sqlite")) as copy:
        assert copy.envelopes(index, index + 1) == [(index, entry)]


def test_details_of_the_first_format_open_and_the_erased_are_gone():
    with open_copy(str(OLD / "log.sqlite")) as copy:
        rows = {row.index: row.entry() for row in copy.rows(200, 260)}
    for index, entry in rows.items():
        if index % 3 or index in (204, 207, 210):
            assert entry.sealed is None
        else:
            told = b'{"v":2,"officer":"17","subject":"%d"}' % index
            assert open_sealed(entry.sealed, DPO_BA) == told


def test_a_log_of_the_first_format_can_be_published(tmp_path):
    with open_copy(str(OLD / "log.sqlite")) as copy:
        publish(copy, tmp_path / "out", NoteVerifier.parse(VKEY), details=True)
    report = verify_log(str(tmp_path / "out"), vkey=VKEY, checkpoint=read("checkpoint-200"))
    assert (report.ok, report.erased) == (True, 3), report.findings


def test_in_the_first_format_a_missing_detail_too_many_is_counted(tmp_path):
    path = tmp_path / "log.sqlite"
    path.write_bytes((OLD / "log.sqlite").read_bytes())
    with contextlib.closing(sqlite3.connect(path)) as con:
        con.execute("DELETE FROM log_detail WHERE idx = 213")
        con.commit()
    report = verify_log(str(path), vkey=VKEY)
    assert (report.status, report.erased) == (4, 4)


async def test_all_kinds_of_copy_say_the_same(place, tmp_path):
    async with opened(place.url) as log:
        await fill(log, 300)
        kept = await log.read(0, 300)

    def look():
        with open_copy(place.url, ORIGIN) as copy:
            publish(copy, tmp_path / "out", SIGNER.verifier, details=True)
            return everything(copy)

    one = await asyncio.to_thread(look)
    with open_copy(str(tmp_path / "out")) as copy:
        other = everything(copy)
    assert one == other
    assert [row.envelope for row in one["rows"]] == [entry.envelope for entry in kept]


def everything(copy):
    head = copy.head()
    return {
        "head": (head.origin, head.size, head.root, head.note),
        "count": copy.count(),
        "rows": copy.rows(0, 400),
        "some": copy.rows(255, 258),
        "envelopes": list(copy.envelopes(17, 280)),
        "tiles": [copy.tile(TileId(*t)) for t in ((0, 0), (1, 0), (0, 2), (3, 0))],
        "none": (copy.envelopes(300, 310), list(copy.details(0, 300)), copy.damage()),
        "between": [copy.between(*times) for times in all_times(copy)],
    }


def all_times(copy):
    t = [parse_envelope(data).t for _, data in copy.envelopes(0, 300)]
    micros = [round(moment.timestamp() * 1e6) for moment in t]
    first, last = micros[0], micros[-1]
    middle = micros[150]
    return [
        (None, None),
        (first, last),
        (first, last + 1),
        (middle, None),
        (None, middle),
        (middle + 1, last),
        (last + 1, None),
        (None, first),
    ]


def test_entries_are_found_by_the_time_that_they_say(master):
    with open_copy(str(master[0])) as copy:
        times = [parse_envelope(data).t for _, data in copy.envelopes(0, 600)]
        micros = [round(moment.timestamp() * 1e6) for moment in times]
        for wanted in (micros[0], micros[120], micros[400], micros[599]):
            start, stop = copy.between(wanted, wanted + 1)
            assert {micros[n] for n in range(start, stop)} == {wanted}
            assert stop - start == micros.count(wanted)
        assert copy.between(None, None) == (0, 600)


def test_a_damaged_entry_does_not_hide_the_others_from_a_search_by_time(copy):
    with contextlib.closing(sqlite3.connect(copy)) as con:
        con.execute("UPDATE log_entry SET envelope = zeroblob(5) WHERE pos BETWEEN 290 AND 310")
        con.execute("DELETE FROM log_entry WHERE pos = 299")
        con.commit()
    with open_copy(str(copy)) as found:
        (_, data) = found.envelopes(350, 351)[0]
        wanted = round(parse_envelope(data).t.timestamp() * 1e6)
        start, stop = found.between(wanted, wanted + 1)
        assert start <= 350 < stop


async def test_one_log_among_several_is_chosen_by_name(nowhere):
    import asyncio

    names = (ORIGIN, "audit.example/HR/2026h2")
    await asyncio.to_thread(create_empty, nowhere.url, names)
    assert await asyncio.to_thread(origins, nowhere.url) == list(names)

    def size(origin):
        with open_copy(nowhere.url, origin) as copy:
            return copy.head().origin, copy.count()

    assert await asyncio.to_thread(size, names[1]) == (names[1], 0)
    for wrong in (None, "audit.example/RS/2026h2"):
        with pytest.raises(LogUnavailableError, match="name one of them"):
            await asyncio.to_thread(size, wrong)


def test_a_folder_without_a_log_is_nothing_to_read(tmp_path):
    with pytest.raises(LogUnavailableError), open_copy(str(tmp_path)):
        pass


def test_a_folder_without_its_checkpoint_is_read_as_far_as_its_bundles_go(copy, tmp_path):
    out = tmp_path / "out"
    with open_copy(str(copy)) as source:
        publish(source, out, SIGNER.verifier)
    Path(out / "checkpoint").unlink()
    with open_copy(str(out)) as found:
        assert (found.head(), found.count()) == (None, 600)
    report = verify_log(str(out), vkey=SIGNER.vkey)
    assert report.size == 600
    assert "head row is missing" in report.findings[-1].what


@pytest.mark.parametrize(
    "odd",
    [
        "ALTER TABLE log_entry RENAME TO real; CREATE VIEW log_entry AS SELECT * FROM real",
        "ALTER TABLE log_head RENAME TO real; CREATE VIEW log_head AS SELECT * FROM real",
        "ALTER TABLE log_detail ENABLE ROW LEVEL SECURITY",
        "CREATE RULE quiet AS ON INSERT TO log_tile DO INSTEAD NOTHING",
    ],
)
async def test_a_database_whose_rows_are_computed_is_no_copy_of_a_log(postgres_place, odd):
    async with opened(postgres_place.url) as log:
        await fill(log, 3)
    con = await asyncpg.connect(postgres_place.url)
    await con.execute(odd)
    await con.close()

    def look():
        with pytest.raises(LogCorruptError, match="plain tables"):
            origins(postgres_place.url)
        with pytest.raises(LogCorruptError, match="plain tables"), open_copy(postgres_place.url):
            pass

    await asyncio.to_thread(look)
