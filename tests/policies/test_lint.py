# SPDX-License-Identifier: EUPL-1.2
"""Odd lines: each kind is found where it is put, with file, line and id, and nothing else is."""

import pytest

from policies.difference import difference
from policies.lint import Oddity, lint
from policies.loader import build
from tests.policies.making import TODAY

BA = "BA/rules.csv"
STAYS = "BA-N9,reception_manager,BA-RC,BA,stays,*,full,read + list,reception,"


def found(files, file, *lines):
    """The findings that these lines bring, by rule and oddity."""
    more = "".join(f"{line}\n" for line in lines).encode()
    before = set(lint(build(files, on=TODAY)))
    after = lint(build({**files, file: files[file] + more}, on=TODAY))
    news = [f for f in after if (f.rule, f.oddity) not in {(b.rule, b.oddity) for b in before}]
    assert all(f.file == file and f"{f.file}:{f.line}: {f.rule}" in str(f) for f in news)
    return {(f.rule, f.oddity, f.others) for f in news}


def test_the_shipped_rules_have_no_fault(snapshot):
    assert [str(finding) for finding in lint(snapshot) if finding.fault] == []


def test_the_notes_on_the_shipped_rules_are_the_ones_that_are_meant(snapshot):
    notes = {(f.oddity, f.rule, f.others) for f in lint(snapshot)}
    assert (Oddity.IDLE, "EUROPOL-QN1", ()) in notes
    assert (Oddity.CONFLICT, "RS-O18", ("RS-N1",)) in notes
    assert (Oddity.CONFLICT, "SI-A09v", ("SI-N1",)) in notes
    assert (Oddity.DUTIES, "BA-A09v", ("BA-A09u",)) in notes


@pytest.mark.parametrize(
    ("line", "oddity", "others"),
    [
        (STAYS + "own_centre,allow,log_reason,USE-06,unverified,-", Oddity.DUPLICATE, "BA-O13"),
        (
            STAYS + "own_centre + verified,allow,log_reason,USE-06,unverified,-",
            Oddity.SHADOWED,
            "BA-O13",
        ),
        (
            "BA-N9,investigator,own,BA,persons,*,full,list,law_enforcement,-,allow,-,EUR-20,verified,-",
            Oddity.STOPPED,
            "F67",
        ),
        (
            "BA-N9,operator,own,BA,centres,*,count,count,operations,-,allow,-,GDP-14,unverified,-",
            Oddity.STOPPED,
            "F56",
        ),
    ],
)
def test_a_line_that_can_never_matter_is_a_fault(files, line, oddity, others):
    assert found(files, BA, line) == {("BA-N9", oddity, (others,))}


def test_a_stronger_duty_makes_a_line_matter(files):
    line = STAYS + "own_centre,allow,log_reason + dpo_review,USE-06,unverified,-"
    news = found(files, BA, line)
    # The older line then adds nothing to the new one, and each cell has two sets of duties.
    assert {oddity for _, oddity, _ in news} == {Oddity.SHADOWED, Oddity.DUTIES}
    assert {rule for rule, oddity, _ in news if oddity is Oddity.SHADOWED} == {"BA-O13"}


def test_a_line_that_only_together_with_others_is_covered_is_shadowed_by_both(files):
    first = "BA-N8,court_officer,own,BA,stays,*,full,read,court_order,court_order,allow,-,"
    wide = "BA-N9,court_officer,own,BA,stays + asylum,*,full,read,court_order,court_order,allow,-,"
    other = "BA-N7,court_officer,own,BA,asylum,*,full,read,court_order,court_order,allow,-,"
    tail = "NAT-12,unverified,-"
    news = found(files, BA, first + tail, other + tail, wide + tail)
    assert ("BA-N9", Oddity.SHADOWED, ("BA-N7", "BA-N8")) in news


def test_a_line_that_the_other_side_never_lets_be_asked_is_idle(files):
    line = "BA-N9,investigator,states,BA,stays,accommodation,full,consult,law_enforcement,"
    line += "le_grounds,allow,onward_ban,EUR-22,unverified,-"
    assert ("BA-N9", Oddity.IDLE, ()) in found(files, BA, line)


def test_denials_that_say_nothing_new_are_told(files):
    twice = "SI-N9,anyone,*,SI,persons,biometric_reference,*,consult,*,-,deny,-,GDP-02,unverified,-"
    within = "SI-N8,anyone,*,SI,persons,biometric_reference,full,consult,*,verified,deny,-,"
    news = found(files, "SI/rules.csv", twice, within + "GDP-02,unverified,-")
    assert ("SI-N9", Oddity.DUPLICATE, ("SI-N1",)) in news
    assert ("SI-N8", Oddity.IDLE, ("SI-N1", "SI-N9")) in news


def test_a_floor_line_that_no_statement_needs_is_a_fault(files):
    """Who takes statements away must not get rules without them past the check."""
    kept = [row for row in files["invariants.csv"].splitlines(keepends=True) if row[:3] != b"S08"]
    fewer = build({**files, "invariants.csv": b"".join(kept)}, on=TODAY)
    faults = [finding for finding in lint(fewer) if finding.fault]
    assert [(f.rule, f.oddity) for f in faults] == [("F17", Oddity.UNPROVED)]
    assert "no invariant would notice" in faults[0].message


class OverError(Exception):
    pass


def test_work_that_nobody_waits_for_ends(snapshot):
    def stop():
        raise OverError

    for work in (lambda: lint(snapshot, stop), lambda: difference(snapshot, snapshot, stop)):
        with pytest.raises(OverError):
            work()
