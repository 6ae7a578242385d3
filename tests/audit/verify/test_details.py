# SPDX-License-Identifier: EUPL-1.2
"""Which details may be missing, and how a log begins, ends and joins its neighbours."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import Journal, Kind, Operation, Owner, Requester, Status, parse_envelope
from audit.copies import open_copy
from audit.event import Link
from audit.verify import Fault, Job, checking, verify_log, verify_logs
from audit.verify.chain import UNOPENED, Mark, cut_off, joined
from audit.verify.custody import united, without
from audit.verify.report import GRAVEST_FIRST, Findings, Report
from audit.verify.telling import as_lines
from tests.audit.making import (
    KEY,
    NOON,
    ORIGIN,
    SIGNER,
    Clock,
    new_sealer,
    opened,
    plain,
    sealed,
    verified,
)

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)), max_size=6)


def spans(pairs):
    return united([range(start, start + size) for start, size in pairs], [])


@given(SPANS, SPANS)
def test_spans_are_sets_of_numbers(one, other):
    a, b = spans(one), spans(other)
    left, right = ({n for span in x for n in span} for x in (a, b))
    assert {n for span in united(a, b) for n in span} == left | right
    assert {n for span in without(a, b) for n in span} == left - right
    for found in (united(a, b), without(a, b)):
        assert all(x.stop <= y.start for x, y in itertools.pairwise(found))


async def story(place, steps):
    """A log of six sealed entries and then these steps; what the verifier says."""
    async with opened(place.url) as log:
        sealer = new_sealer()
        await log.append([sealed(sealer) for _ in range(6)])
        for step in steps:
            if isinstance(step, list):
                await log.erase_details(step)
            else:
                kind, about, *rest = step
                name = rest[0] if rest else None
                await log.append([plain(kind=kind, about=about, correlation=name)])
    return await verified(place.url)


ERASED, HELD, LIFTED = Kind.ERASURE, Kind.LEGAL_HOLD, Kind.HOLD_LIFTED
GOOD = {
    "erased as named": [(ERASED, ("1-2",)), [1, 2]],
    "named and still there": [(ERASED, ("1-2",)), [1]],
    "held after it was erased": [(ERASED, ("1",)), [1], (HELD, ("1",), "case")],
    "lifted, then erased": [(HELD, ("1",), "a"), (LIFTED, ("1",), "a"), (ERASED, ("1",)), [1]],
    "beside a hold": [(HELD, ("1",), "a"), (ERASED, ("0-2",)), [0, 2]],
}
BAD = {
    "not named": ([[4]], 4, "no erasure entry names it"),
    "another named": ([(ERASED, ("1-2",)), [1, 3]], 3, "no erasure entry names it"),
    "named by a review": ([(Kind.REVIEW, ("1",)), [1]], 1, "no erasure entry names it"),
    "held": ([(HELD, ("0-1",), "a"), (ERASED, ("1",)), [1]], 1, "under a legal hold"),
    "another hold lifted": (
        [(HELD, ("1",), "a"), (LIFTED, ("1",), "b"), (ERASED, ("1",)), [1]],
        1,
        "under a legal hold",
    ),
    "held twice, lifted once": (
        [(HELD, ("1",), "a"), (HELD, ("1",), "b"), (LIFTED, ("1",), "a"), (ERASED, ("1",)), [1]],
        1,
        "under a legal hold",
    ),
}


@pytest.mark.parametrize("name", GOOD)
async def test_what_an_erasure_names_may_be_missing(sqlite_place, name):
    report = await story(sqlite_place, GOOD[name])
    assert (report.ok, report.status) == (True, 0), report.findings


@pytest.mark.parametrize("name", BAD)
async def test_what_no_erasure_names_or_a_hold_keeps_is_a_fault(sqlite_place, name):
    steps, index, what = BAD[name]
    report = await story(sqlite_place, steps)
    assert [(f.index, f.fault) for f in report.findings] == [(index, Fault.DETAIL)]
    assert what in report.findings[0].what
    assert report.status == Fault.DETAIL


@pytest.mark.parametrize("held", [False, True])
async def test_a_link_to_its_own_log_makes_no_entry_speak_of_another(sqlite_place, held):
    async with opened(sqlite_place.url) as log:
        await log.append([sealed(new_sealer())])
        link = Link(ORIGIN, None, None)
        if held:
            await log.append([plain(kind=HELD, about=("0",), correlation="a", link=link)])
        await log.append([plain(kind=ERASED, about=("0",), link=link)])
        await log.erase_details([0])
    report = await verified(sqlite_place.url)
    assert [f.what for f in report.findings] == (
        ["its sealed detail was erased under a legal hold"] if held else []
    )


async def test_what_says_why_a_hold_is_there_is_held_with_it(sqlite_place):
    sealer = new_sealer()
    hold = {"kind": HELD, "about": ("0",), "correlation": "a"}
    async with opened(sqlite_place.url) as log:
        await log.append([sealed(sealer), sealed(sealer, **hold)])
        await log.append([plain(kind=ERASED, about=("1",))])
        await log.erase_details([1])
    report = await verified(sqlite_place.url)
    assert [(f.index, f.what) for f in report.findings] == [
        (1, "its sealed detail was erased under a legal hold")
    ]


def test_no_log_stands_beside_the_line_of_a_countrys_logs():
    def report(name, before):
        opening = (
            None if before is None else Link(f"{KEY.name}/{before}", size=0, root=bytes(32).hex())
        )
        return Report(0, bytes(32), (), origin=f"{KEY.name}/{name}", opening=opening)

    line = [report("2026h1", None), report("2026h2", "2026h1"), report("2027h1", "2026h2")]
    gap = frozenset(one.origin for one in line)  # what else must fit is not looked at here
    assert all(one.ok for one in joined(line, gap))
    assert all(one.ok for one in joined(line[::2], gap)), "one of them was not given"
    orphan, twin = report("2026h2.2", None), report("2026h2.2", "2026h2")
    assert "names none before it" in joined([*line, orphan], gap)[3].findings[0].what
    assert "one too many" in joined([*line, twin], gap)[2].findings[0].what


def test_a_log_that_says_another_comes_after_it_does_not_join():
    name = f"{KEY.name}/2026h1"
    after = Link(f"{KEY.name}/2026h2.2", None, None)
    old = Report(4, bytes(32), (), origin=name, closed=True, closing=after)
    opening = Link(name, size=4, root=bytes(32).hex())
    new = Report(1, bytes(32), (), origin=f"{KEY.name}/2026h2", opening=opening)
    found = joined([old, new], frozenset())[1].findings
    assert [f.what for f in found] == [f"the log {name} says that {after.log} comes after it"]
    fitting = replace(old, closing=Link(new.origin, None, None))
    assert joined([fitting, new], frozenset())[1].ok


def test_a_root_that_contradicts_what_a_successor_declares_lost_is_a_fork():
    gap = Mark(9, bytes(32), "the opening entry", gap=True)
    for mark, fault in (
        (Mark(9, bytes(32), "a witness"), Fault.LOST),
        (Mark(7, bytes(range(32)), "a witness"), Fault.LOST),
        (Mark(9, bytes(range(32)), "a witness"), Fault.LOG),
        (Mark(10, bytes(32), "a witness"), Fault.LOG),
    ):
        findings = Findings()
        cut_off([mark, gap], 5, findings)
        assert max(GRAVEST_FIRST.index(f.fault) == 0 for f in findings.told()) == (
            fault is Fault.LOG
        ), mark


async def test_what_is_verified_is_the_snapshot_that_was_handed_over(sqlite_place):
    async with opened(sqlite_place.url) as log:
        await log.append([plain()])
    with open_copy(sqlite_place.url, ORIGIN) as copy:
        (report,) = verify_logs([Job("nowhere", SIGNER.vkey)], copies={ORIGIN: copy})
    assert report.size == 1


@pytest.mark.parametrize(
    ("month", "what"),
    [
        ("2026-10", None),
        ("2026-11", "was erased before 2026-11 was over"),
        ("2027-11", "was erased before 2027-11 was over"),
        (None, "was erased without an order, and it has no month"),
    ],
)
async def test_the_clock_erases_nothing_before_its_time(sqlite_place, month, what):
    async with opened(sqlite_place.url) as log:
        await log.append([sealed(new_sealer(), erase=month) for _ in range(2)])
        await log.append([plain(kind=ERASED, about=("0",), basis="INT-10")])
        await log.append([plain(kind=ERASED, about=("1",))])  # by order, which no month binds
        await log.erase_details([0, 1])
    report = await verified(sqlite_place.url)
    found = [(f.index, f.fault, f.what) for f in report.findings]
    assert found == ([(0, Fault.DETAIL, f"its sealed detail {what}")] if what else [])


@pytest.mark.parametrize("by", [None, Requester("HR", "HR-SA", None)])
async def test_an_order_of_nobody_or_of_another_country_erases_nothing(sqlite_place, by):
    async with opened(sqlite_place.url) as log:
        await log.append([sealed(new_sealer())])
        await log.append([plain(kind=ERASED, about=("0",), requester=by)])
        await log.erase_details([0])
    report = await verified(sqlite_place.url)
    assert [f.what for f in report.findings] == [
        "its sealed detail is missing and no erasure entry names it"
    ]


async def test_nobody_allows_himself_to_erase_what_is_to_come(sqlite_place):
    async with opened(sqlite_place.url) as log:
        await log.append([plain(kind=ERASED, about=("0-9000",))])
        await log.append([sealed(new_sealer())])
        await log.erase_details([1])
    report = await verified(sqlite_place.url)
    assert [(f.index, f.fault) for f in report.findings] == [(1, Fault.DETAIL)]


async def test_a_log_without_its_opening_is_not_whole(sqlite_place):
    async with opened(sqlite_place.url) as log:
        await log.append([plain()])
    report = await asyncio.to_thread(verify_log, sqlite_place.url, vkey=SIGNER.vkey)
    assert [(f.index, f.what) for f in report.findings] == [(0, UNOPENED)]


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A country's two logs, the first closed at the half-year's turn; where, and their names."""
    url = f"sqlite:///{tmp_path_factory.mktemp('turned') / 'log.db'}"
    clock = Clock(NOON)
    Journal.create(url, keys={"BA": KEY}, now=NOON)

    async def write():
        journal = await Journal.open(url, keys={"BA": KEY}, clock=clock)
        await journal.append([plain()])
        clock.now += timedelta(days=60)
        await journal.rotate()
        await journal.append([plain(log=journal.current("BA"))])
        found = journal.origins
        await journal.close()
        return found

    return url, asyncio.run(write())


def jobs(turned):
    return [Job(turned[0], KEY.signer(origin).vkey) for origin in turned[1]]


def test_neighbours_fit_when_both_are_given(turned):
    old, new = verify_logs(jobs(turned))
    assert (old.ok, new.ok) == (True, True), (old.findings, new.findings)
    assert (old.closed, old.closing.log) == (True, new.origin)
    assert (new.opening.log, new.opening.size) == (ORIGIN, old.size)


@pytest.mark.parametrize(
    ("link", "what"),
    [
        ({"root": "0" * 64}, "not those of the opening entry of"),
        ({"size": 2}, "not those of the opening entry of"),
        ({"size": 900}, "entries were cut off"),
    ],
)
def test_an_opening_that_names_another_past_is_found(turned, monkeypatch, link, what):
    with open_copy(turned[0], turned[1][1]) as copy:
        (_, data) = copy.envelopes(0, 1)[0]
    first = parse_envelope(data)
    lying = replace(first, link=replace(first.link, **link))
    found = checking._first
    monkeypatch.setattr(
        checking, "_first", lambda copy: lying if found(copy) == first else found(copy)
    )
    old, _ = verify_logs(jobs(turned))
    assert what in old.findings[-1].what


UNFIT = {
    "of nobody": {"owner": None},
    "of another country": {"owner": Owner("HR", "log")},
    "without a ground": {"basis": None},
    "on a ground that is none": {"basis": "CIR-20"},
    "of another op": {"op": Operation.CONSULT},
    "without an op": {"op": None},
    "refused": {"status": Status.ERROR},
    "without a count": {"count": None},
    "that counts more than it names": {"count": 2},
}


@pytest.mark.parametrize("how", UNFIT)
async def test_an_erasure_that_is_not_whole_accounts_for_nothing(sqlite_place, how):
    async with opened(sqlite_place.url) as log:
        await log.append([sealed(new_sealer()) for _ in range(2)])
        await log.append([plain(kind=ERASED, about=("1",), **UNFIT[how])])
        await log.erase_details([1])
    report = await verified(sqlite_place.url)
    assert [(f.index, f.fault) for f in report.findings] == [(1, Fault.DETAIL)]


@pytest.mark.parametrize("how", ["of nobody", "of another country", "of another op", "refused"])
async def test_a_lift_that_is_not_whole_lifts_nothing(sqlite_place, how):
    async with opened(sqlite_place.url) as log:
        await log.append([sealed(new_sealer()) for _ in range(2)])
        await log.append([plain(kind=HELD, about=("1",), correlation="a")])
        await log.append([plain(kind=LIFTED, about=("1",), correlation="a", **UNFIT[how])])
        await log.append([plain(kind=ERASED, about=("1",))])
        await log.erase_details([1])
    report = await verified(sqlite_place.url)
    assert [(f.index, f.fault) for f in report.findings] == [(1, Fault.DETAIL)]
    assert "under a legal hold" in report.findings[0].what


@pytest.mark.parametrize("signed", [True, False])
async def test_an_order_that_does_not_seal_who_signed_it_counts_and_is_named(sqlite_place, signed):
    sealer = new_sealer()
    async with opened(sqlite_place.url) as log:
        await log.append([sealed(sealer)])
        order = {"kind": ERASED, "about": ("0",)}
        await log.append([sealed(sealer, **order) if signed else plain(**order)])
        await log.erase_details([0])
    report = await verified(sqlite_place.url)
    assert report.ok
    assert report.unsigned == (() if signed else (1,))
    assert any("does not seal who signed it" in one for one in as_lines(report)) is not signed
