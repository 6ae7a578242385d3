# SPDX-License-Identifier: EUPL-1.2
"""Allow lines that end: by date, by use, by not being used."""

from datetime import date, timedelta

import pytest

from policies import RulesRefusedError
from policies.decision import TERM, term_ended
from policies.loader import build
from tests.policies.making import READ, TODAY, facts

HEADER = "rule,from,to,uses,unused_days\n"


def with_terms(files, *rows, folder="BA"):
    text = HEADER + "".join(f"{row}\n" for row in rows)
    return {**files, f"{folder}/terms.csv": text.encode()}


@pytest.mark.parametrize(
    ("day", "allowed"),
    [(0, False), (1, True), (5, True), (6, False)],
)
def test_a_line_is_in_force_from_its_first_day_to_its_last(files, day, allowed):
    more = with_terms(files, "BA-O01,2026-12-01,2026-12-05,-,-")
    snapshot = build(more, on=date(2026, 11, 30) + timedelta(days=day))
    stated = facts(snapshot.vocabulary, "presence")
    assert snapshot.decide_record(READ, "BA", stated).allowed is allowed


def test_a_term_without_days_leaves_the_line_to_the_count(files):
    snapshot = build(with_terms(files, "BA-O01,-,-,3,-"), on=TODAY)
    term = snapshot.book.terms["BA-O01"]
    assert term.counted
    assert not term.over(2, TODAY, TODAY)
    assert term.over(3, TODAY, TODAY)
    assert snapshot.decide_record(READ, "BA", facts(snapshot.vocabulary, "presence")).allowed


def test_an_unused_line_lapses_after_its_days(files):
    term = build(with_terms(files, "BA-O01,2026-11-01,-,-,10"), on=TODAY).book.terms["BA-O01"]
    assert not term.over(0, None, date(2026, 11, 11))
    assert term.over(0, None, date(2026, 11, 12))
    assert not term.over(1, date(2026, 11, 11), date(2026, 11, 21))
    assert term.over(1, date(2026, 11, 11), date(2026, 11, 22))


def test_other_limits_are_another_count(files):
    keys = {
        build(with_terms(files, row), on=TODAY).book.terms["BA-O01"].key
        for row in ("BA-O01,-,-,3,-", "BA-O01,-,-,4,-", "BA-O01,2026-11-01,-,3,-")
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("BA-O99,-,-,3,-", "no line of this folder"),
        ("HR-O01,-,-,3,-", "no line of this folder"),
        ("F01,-,2026-12-01,-,-", "no line of this folder"),
        ("BA-O01,-,-,-,-", "says nothing"),
        ("BA-O01,2026-12-05,2026-12-01,-,-", "ends before it begins"),
        ("BA-O01,-,-,0,-", "uses must be a number"),
        ("BA-O01,-,-,-3,-", "uses must be a number"),
        ("BA-O01,-,-,1000001,-", "uses must be a number"),
        ("BA-O01,-,-,٣,-", "uses must be a number"),
        ("BA-O01,-,-,-,10", "needs a first day"),
        ("BA-O01,1.12.2026,-,-,-", "must be a date"),
    ],
)
def test_a_term_that_means_nothing_is_refused_with_its_line(files, row, says):
    with pytest.raises(RulesRefusedError) as refusal:
        build(with_terms(files, row), on=TODAY)
    assert any(
        (p.file, p.line) == ("BA/terms.csv", 2) and says in p.message
        for p in refusal.value.problems
    )


def test_two_terms_of_one_line_are_refused(files):
    with pytest.raises(RulesRefusedError, match=r"BA/terms\.csv:3: BA-O01 has two terms"):
        build(with_terms(files, "BA-O01,-,-,3,-", "BA-O01,-,-,4,-"), on=TODAY)


def test_a_denial_has_no_term(files):
    with pytest.raises(RulesRefusedError, match="a denial does not end by itself"):
        build(with_terms(files, "RS-N1,-,2026-12-01,-,-", folder="RS"), on=TODAY)


def test_a_bodys_asking_file_may_have_terms_too(files):
    more = with_terms(files, "UNHCR-Q1,-,2026-01-01,-,-", folder="INT/UNHCR")
    assert build(more, on=TODAY).book.terms["UNHCR-Q1"].last == date(2026, 1, 1)


def test_a_refusal_by_an_ended_term_says_so(snapshot):
    stated = facts(snapshot.vocabulary, "presence")
    less = snapshot.without(frozenset({"BA-O01"})).decide_record(READ, "BA", stated)
    told = term_ended(less, snapshot.decide_record(READ, "BA", stated))
    assert told.cells["direct_identifier"].refused == (TERM,)
    assert told.cells["direct_identifier"].nameable == (TERM,)
    assert term_ended(less, less) == less
