# SPDX-License-Identifier: EUPL-1.2
"""What is held and what was declared erased, worked out from entries and from nothing else."""

from dataclasses import replace

import pytest

from audit import AuditError, Kind, Link, Status, encode_envelope, parse_envelope
from audit.erasure import plan
from audit.holds import Hold, HoldBook, HoldGround, hold_entries, lifting_entries
from audit.retention import Terms
from audit.standing import Standing
from audit.verify.custody import pass_on
from tests.audit.erasing import DUE, TODAY, detailed, order
from tests.audit.making import NOON, ORIGIN, envelope, new_sealer

OLD = "audit.example/BA/2026h1"
FOREIGN = "audit.example/HR/2026h2"
SEALER = new_sealer()


def about(kind, *spans, of=None, name="case-1", log=ORIGIN):
    link = None if of is None else Link(of)
    told = {"requester": None, "link": link}
    return envelope(kind=kind, about=spans, correlation=name, log=log, status=Status.DONE, **told)


def hold(*spans, **more):
    return about(Kind.LEGAL_HOLD, *spans, **more)


def lift(*spans, **more):
    return about(Kind.HOLD_LIFTED, *spans, **more)


def erasure(*spans, **more):
    return replace(about(Kind.ERASURE, *spans, **more), basis="EUR-30")


def standing(*entries, before=(), size=10):
    """Ten details that are due in the open log, then these entries; five in the one before it."""
    found = Standing("BA", Terms())
    found.sizes.update({OLD: 5, ORIGIN: size + len(entries)})
    for index in range(5):
        found.take(OLD, index, detailed(SEALER, DUE, log=OLD).envelope)
    for index, entry in enumerate(before, start=5):
        found.take(OLD, index, encode_envelope(entry))
    for index in range(size):
        found.take(ORIGIN, index, detailed(SEALER, DUE).envelope)
    for index, entry in enumerate(entries, start=size):
        found.take(ORIGIN, index, encode_envelope(entry))
    return found


def held(found, log=ORIGIN):
    return [index for index in found.held(log) if index < 10]


def due(found, log=ORIGIN):
    return sorted(n for batch in plan(found, TODAY) if batch.log == log for n in batch.indices)


def test_a_lift_may_free_some_and_leaves_the_rest():
    found = standing(hold("1-5"), lift("2-3"))
    assert held(found) == [1, 4, 5]
    assert due(found) == [0, 2, 3, 6, 7, 8, 9]
    assert held(standing(hold("1-5"), lift("1-5"))) == []


def test_only_its_own_name_lifts_a_hold():
    found = standing(hold("1"), lift("1", name="case-2"))
    assert held(found) == [1]
    assert found.holds.faults == [(ORIGIN, 11, "it lifts what is no hold in force")]


def test_a_hold_grows_by_a_second_entry_of_its_name():
    (one,) = standing(hold("1"), hold("3-4")).holds.in_force()
    assert (one.count, one.places) == (3, ((ORIGIN, 10), (ORIGIN, 11)))


def test_the_entries_that_made_a_hold_are_held_with_it():
    assert 10 in standing(hold("1")).held(ORIGIN)
    assert 10 not in standing(hold("1"), lift("1")).held(ORIGIN)


def test_a_hold_on_one_log_holds_nothing_of_another():
    found = standing(hold("1", of=OLD), hold("2"))
    assert (held(found), held(found, OLD)) == ([2], [1])
    assert due(found, OLD) == [0, 2, 3, 4]


def test_nobody_holds_or_erases_what_is_still_to_come():
    found = standing(hold("12-13"), erasure("8-40"), hold("1-2"))
    assert held(found) == [1, 2]
    assert list(found.logs[ORIGIN].declared) == [8, 9, 10]
    assert [what for _, _, what in (*found.faults, *found.holds.faults)] == [
        f"it names entries of {ORIGIN} that were not there",
        f"it names entries of {ORIGIN} that were not there",
        "a hold that holds nothing",
    ]


def test_an_older_log_is_known_to_its_end():
    found = standing(erasure("3-99", of=OLD))
    assert list(found.logs[OLD].declared) == [3, 4]
    assert "not there" in found.faults[0][2]


@pytest.mark.parametrize("of", [FOREIGN, "elsewhere"])
def test_entries_of_somebody_elses_log_are_not_meant(of):
    found = standing(hold("1", of=of), erasure("1", of=of))
    assert held(found) == []
    assert due(found) == list(range(10))
    assert "somebody else" in found.faults[0][2]
    found.sizes[of] = 10
    assert held(found, ORIGIN) == []


def test_a_claim_on_another_countrys_log_is_not_heard_by_the_verifier():
    claims = {}
    pass_on(claims, ORIGIN, [erasure("1", of=FOREIGN), erasure("2", of="x"), erasure("3", of=OLD)])
    assert {log: [e.about for e in found] for log, found in claims.items()} == {OLD: [("3",)]}


def test_what_was_declared_before_a_hold_is_left_alone_while_the_hold_stands():
    found = standing(erasure("1-3"), hold("2"))
    assert found.to_finish(ORIGIN) == [1, 3]
    found = standing(erasure("1-3"), hold("2"), lift("2"))
    assert found.to_finish(ORIGIN) == [1, 2, 3]


def test_what_a_hold_forbade_was_not_declared():
    found = standing(hold("2"), erasure("1-3"), lift("2"))
    assert found.to_finish(ORIGIN) == [1, 3]
    assert 2 in due(found)
    assert "hold" in found.faults[0][2]


def test_a_hold_needs_entries_a_ground_and_a_log_of_the_country():
    told = order(HoldGround.COURT_ORDER)
    with pytest.raises(AuditError, match="at least one"):
        hold_entries(told, "case-1", ORIGIN, [])
    with pytest.raises(AuditError, match="ground"):
        hold_entries(order(), "case-1", ORIGIN, [1])
    with pytest.raises(AuditError, match="not a log of the country"):
        hold_entries(told, "case-1", FOREIGN, [1])


def test_a_scattered_hold_takes_several_entries_and_so_does_its_end():
    many = range(0, 2000, 2)
    told = hold_entries(order(HoldGround.COURT_ORDER), "case-1", ORIGIN, many)
    assert [len(parse_envelope(one.envelope).about) for one in told] == [512, 488]
    spans = tuple(range(n, n + 1) for n in many)
    found = Hold("case-1", ORIGIN, spans, (), None, NOON)
    assert len(lifting_entries(order(), found)) == 2


def test_the_book_reads_only_its_kinds():
    book = HoldBook({ORIGIN: 9})
    book.take(ORIGIN, 5, envelope(about=("1",)))
    assert (book.in_force(), book.faults) == ((), [])
