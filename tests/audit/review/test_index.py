# SPDX-License-Identifier: EUPL-1.2
"""The index: derived, checked, useless to everybody but the officer whose key made it."""

import contextlib
import sqlite3

import pytest

from audit.errors import LogCorruptError, LogExistsError, LogUnavailableError, SealError
from audit.review import index as module
from audit.review.erased import forget, sweep
from audit.review.index import Indexer
from audit.review.index_file import create_index, logs, open_index
from audit.review.opened import open_entries
from audit.review.queries import Filter, find
from audit.review.saved import SavedQueryError, remove, save, saved
from audit.review.searchkey import Column, SearchKey
from tests.audit.making import DPO_HR, ORIGIN
from tests.audit.review.holding import KEY, UNSEALER, Held, accesses, erasure

PERSON_3 = Filter(persons=("PERSON-3",))
NAMES = ["officer-1", "unit-1", "PERSON-3", "CASE/12", "asked-7", "free text"]


def everything(path):
    return b"".join(one.read_bytes() for one in path.parent.iterdir())


def found(con, wanted=PERSON_3):
    return find(con, KEY, ORIGIN, wanted).entries


def test_a_sync_takes_only_what_is_new(indexed, indexer, held):
    held.grow(accesses(10, start=60))
    assert indexer.sync(held) == module.Synced(ORIGIN, 10, 0, 70)
    assert indexer.sync(held).added == 0
    assert found(indexed) == (63, 53, 43, 33, 23, 13, 3)
    assert indexer.verify(held) == []


def test_a_sync_across_parts_equals_one_made_at_once(tmp_path, monkeypatch, held):
    monkeypatch.setattr(module, "PART", 16)
    dumps = []
    for steps in ([60], [7, 16, 33, 48, 60]):
        path = tmp_path / f"{len(steps)}.idx"
        create_index(path, KEY)
        with open_index(path, KEY) as con:
            for size in steps:
                part = Held()
                part.held = held.held[:size]
                Indexer(con, KEY, UNSEALER).sync(part)
            tables = ("SELECT * FROM word", "SELECT * FROM token")
            dumps.append([list(con.execute(table)) for table in tables])
    assert dumps[0] == dumps[1]


def test_nothing_of_a_detail_stands_in_the_file(indexed, index_place):
    save(indexed, KEY, "the case of PERSON-3", Filter(persons=("PERSON-3",), cases=("CASE/12",)))
    content = everything(index_place)
    assert not [name for name in NAMES if name.encode() in content]
    assert b"purpose=border_check" in content


def test_only_the_officers_own_key_computes_a_search_term(indexed, index_place):
    other = SearchKey(DPO_HR)
    assert find(indexed, other, ORIGIN, PERSON_3).entries == ()
    with pytest.raises(SealError, match="another key"), open_index(index_place, other):
        pass


def test_a_token_is_of_one_column_and_one_log():
    tokens = {KEY.token(column, log, "x") for column in Column for log in ("a", "b")}
    assert len(tokens) == 2 * len(Column)
    assert KEY.token(Column.PERSON, "a", "e\u0301") == KEY.token(Column.PERSON, "a", " \u00e9")


def test_a_shorter_or_another_log_is_refused_and_the_index_stays(indexed, indexer, held):
    shorter = Held()
    shorter.held = held.held[:-1]
    with pytest.raises(LogCorruptError, match="newer copy"):
        indexer.sync(shorter)
    rewritten = Held(accesses(70))  # the same words under other ids and seals
    with pytest.raises(LogCorruptError, match="does not continue"):
        indexer.sync(rewritten)
    assert indexer.verify(held) == []


def test_a_copy_whose_entries_are_not_those_of_its_head_is_refused(indexer, index, held):
    head = held.head()
    held.head = lambda: head
    held.change(20, envelope=held.held[21].envelope)
    with pytest.raises(LogCorruptError):
        indexer.sync(held)
    assert logs(index) == []


def test_a_copy_that_changes_while_it_is_read_leaves_no_index_behind(indexer, index, held):
    honest = Held()
    honest.held = list(held.held)
    held.envelopes = honest.envelopes
    head = held.head()
    held.head = lambda: head
    held.change(20, envelope=held.held[20].envelope.replace(b"BA-A02", b"BA-A09"))
    with pytest.raises(LogCorruptError):
        indexer.sync(held)
    assert logs(index) == []
    assert index.execute("SELECT count(*) FROM token").fetchone() == (0,)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM word WHERE term = 'decision=deny'", "the word decision=deny"),
        ("UPDATE token SET term = zeroblob(16) WHERE rowid IS NULL OR term = :one", "2 tokens"),
        ("UPDATE part SET times = zeroblob(480)", "the times"),
        ("INSERT INTO token SELECT part + 5, term, offsets FROM token LIMIT 1", "not in the log"),
    ],
)
def test_verifying_names_what_is_not_derived_from_the_entries(indexed, indexer, held, change, told):
    one = indexed.execute("SELECT term FROM token LIMIT 1").fetchone()[0]
    indexed.execute(change.replace("rowid IS NULL OR ", ""), {"one": one})
    assert any(told in wrong for wrong in indexer.verify(held))


def test_an_erased_detail_leaves_no_token_in_the_file(indexed, indexer, held, index_place):
    gone, kept = (KEY.token(Column.PERSON, ORIGIN, name) for name in ("asked-7", "asked-8"))
    assert gone in index_place.read_bytes()
    held.erase(7)
    held.grow([erasure("7")])
    assert indexer.sync(held).forgotten == 1
    assert gone not in everything(index_place)
    assert kept in index_place.read_bytes()
    assert found(indexed, Filter(details=("erased",))) == (7,)
    assert found(indexed, Filter(officers=("officer-1",), cases=("CASE/7",))) == ()
    assert indexer.verify(held) == []


def test_after_many_erasures_no_freed_page_keeps_a_token(index, indexer, index_place):
    many = Held(accesses(1200))
    indexer.sync(many)
    cases = {n: KEY.token(Column.CASE, ORIGIN, f"CASE/{n}") for n in range(1200)}
    assert all(token in index_place.read_bytes() for token in cases.values())
    for number in range(100, 1100):
        many.erase(number)
    many.grow([erasure("100-1099")])
    assert indexer.sync(many).forgotten == 1000
    content = everything(index_place)
    left = [number for number, token in cases.items() if token in content]
    assert left == [*range(100), *range(1100, 1200)]


def test_an_announced_erasure_is_awaited_until_the_copy_shows_it(indexed, indexer, held):
    held.grow([erasure("7-8")])
    held.erase(7)
    assert indexer.sync(held).forgotten == 1
    assert found(indexed, Filter(cases=("CASE/8",))) == (8,)
    held.erase(8)
    assert indexer.sync(held).forgotten == 1
    assert found(indexed, Filter(cases=("CASE/8",))) == ()


def test_an_erasure_that_no_entry_announced_is_found_by_a_sweep(indexed, indexer, held):
    held.erase(12)
    assert any("tokens" in wrong for wrong in indexer.verify(held))
    assert sweep(indexed, held) == 1
    assert indexer.verify(held) == []


def test_forgetting_needs_no_key_and_knows_what_it_forgot(indexed, index_place):
    with open_index(index_place) as keyless:
        assert forget(keyless, ORIGIN, [3, 13, 999]) == 2
        assert forget(keyless, ORIGIN, [3]) == 0
    assert found(indexed) == (53, 43, 33, 23)


def test_a_saved_look_up_comes_back_under_its_name_and_is_dropped(indexed):
    save(indexed, KEY, "three", PERSON_3)
    save(indexed, KEY, "refusals", Filter(decisions=("deny",)))
    save(indexed, KEY, "three", Filter(persons=("PERSON-4",)))
    assert saved(indexed, KEY)["three"] == Filter(persons=("PERSON-4",))
    remove(indexed, KEY, "three")
    assert list(saved(indexed, KEY)) == ["refusals"]
    with pytest.raises(SavedQueryError):
        remove(indexed, KEY, "three")


def test_an_index_is_never_made_over_a_file_nor_taken_for_one(index_place, tmp_path):
    with pytest.raises(LogExistsError):
        create_index(index_place, KEY)
    with pytest.raises(LogUnavailableError, match="build"), open_index(tmp_path / "none", KEY):
        pass
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as con:
        con.execute("CREATE TABLE x (y)")
    with pytest.raises(LogUnavailableError, match="no index"), open_index(other, KEY):
        pass


def test_an_index_is_readable_by_its_owner_only(index_place):
    assert index_place.stat().st_mode & 0o077 == 0


def test_a_copy_without_details_is_not_taken_for_one_whose_details_were_erased(
    indexed, indexer, held
):
    bare = Held()
    bare.held = list(held.held)
    for number in range(60):
        bare.erase(number)
    bare.has_details = False
    for attempt in (indexer.sync, indexer.verify, lambda copy: sweep(indexed, copy)):
        with pytest.raises(LogUnavailableError, match="details"):
            attempt(bare)
    assert found(indexed) == (53, 43, 33, 23, 13, 3)
    assert {entry.state for entry in open_entries(bare, UNSEALER, 0, 60)} == {"sealed"}
