# SPDX-License-Identifier: EUPL-1.2
"""What must hold over the whole decision space, and that each floor line is needed for it."""

from dataclasses import replace

import pytest

from policies import Truth, example_rules, load_rules
from policies.facts import known
from policies.loader import build
from policies.proof import breaches, floor_points, grants
from tests.policies.making import TODAY, at_best

SHIPPED = load_rules(example_rules(), on=TODAY)
FLOOR = [line.id for line in SHIPPED.book.floor]


@pytest.fixture(scope="module")
def points():
    return list(floor_points(SHIPPED.book))


@pytest.fixture(scope="module")
def every_grant():
    return list(grants(SHIPPED))


def test_every_invariant_holds_for_the_shipped_rules():
    assert [str(breach) for breach in breaches(SHIPPED)] == []


def test_every_statement_of_the_floor_has_a_row():
    numbers = {row.id[:3] for row in SHIPPED.book.invariants}
    assert {f"S{number:02d}" for number in range(1, 31)} <= numbers
    # T09, T14, T15 and T16 speak of the engine, not of a region: see the properties.
    engine = {9, 14, 15, 16}
    assert {f"T{number:02d}" for number in range(1, 17) if number not in engine} <= numbers


@pytest.mark.parametrize("line", FLOOR)
def test_the_floor_without_one_line_breaks_a_statement(points, line):
    row = next(point.invariant for point in points if point.keepers == (line,))
    kept = tuple(other for other in SHIPPED.book.floor if other.id != line)
    less = replace(SHIPPED.book, floor=kept, invariants=(row,))
    assert list(floor_points(less, only_open=True))


def test_each_region_of_the_floor_holds_points(points):
    seen = {point.invariant.id for point in points}
    assert seen == {row.id for row in SHIPPED.book.invariants if row.floor}


BROKEN = (
    ("BA", "border_officer,states,BA,persons,document,full,consult,", "vital_interest", "T02c"),
    ("SI", "asylum_officer,NON,SI,asylum,asylum,full,consult,", "asylum_procedure", "T03a"),
    ("HR", "reception_manager,IOM/HR,HR,stays,*,full,read,", "reception", "T04b"),
    ("AT", "investigator,AT-CP,AT,persons,security,full,read,", "law_enforcement", "T08a"),
)


def test_lines_that_break_a_statement_are_found_with_an_example(files):
    more = dict(files)
    for number, (country, start, purpose, _) in enumerate(BROKEN):
        line = f"{country}-N{90 + number},{start}{purpose},-,allow,watermark,GDP-14,unverified,-\n"
        more[f"{country}/rules.csv"] += line.encode()
    asking = "IOM-Q9,reception_manager,own,HR,stays,*,*,*,reception,-,allow,-,GDP-14,unverified,-\n"
    more["INT/IOM/asking.csv"] += asking.encode()
    found = breaches(build(more, on=TODAY))
    expected = {broken: country for country, _, _, broken in BROKEN}
    # What goes abroad or is done in an emergency without its duties breaks these as well.
    expected |= dict.fromkeys(("T07a", "T07b", "T08c", "T08d"), "BA") | {"T08b": "AT"}
    assert {b.invariant: b.example.partition("@")[2][:2] for b in found} == expected
    assert all(str(breach).startswith("invariants.csv:") for breach in found)


def test_no_allow_line_is_dead(every_grant):
    used = {rule for grant in every_grant for rule in _rules(grant)}
    book = SHIPPED.book
    lines = [line for part in (book.owners, book.asking) for some in part.values() for line in some]
    assert {line.id for line in lines if line.eft == "allow"} - used == set()


def _rules(grant):
    """The lines that grant a cell; without urgency, which AL denies itself."""
    asked = grant.question(SHIPPED.vocabulary)
    best = at_best(SHIPPED.vocabulary)
    lines: set[str] = set()
    for stated in (best, best | dict.fromkeys(("urgent_declared",), Truth.FALSE)):
        facts = known(SHIPPED.vocabulary, stated, grant.implied)
        decision = SHIPPED.engine.decide(asked, grant.owner, facts)
        if decision.allowed:
            lines.update(decision.rules)
    return lines


def test_every_answer_abroad_rests_on_a_line_of_both_sides(every_grant):
    abroad = 0
    for grant in every_grant:
        org = SHIPPED.vocabulary.organisations[grant.org]
        side = org.id if org.country == "INT" else org.country
        signers = {rule.partition("-")[0] for rule in _rules(grant)}
        if org.country == "INT" or grant.country != grant.owner:
            assert signers == {grant.owner, side}
            abroad += 1
        else:
            assert signers == {grant.owner}
    assert abroad > 1000


def test_no_aid_role_is_granted_a_name_a_document_a_biometric_or_a_hit(every_grant):
    aid = SHIPPED.vocabulary.groups["humanitarian"]
    seen = [grant for grant in every_grant if grant.role in aid]
    assert seen
    for grant in seen:
        assert grant.cell.view in ("pseudonym", "generalised", "count")
        assert grant.cell.category not in ("direct_identifier", "document", "biometric_reference")
