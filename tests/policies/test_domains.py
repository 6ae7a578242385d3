# SPDX-License-Identifier: EUPL-1.2
"""Pseudonym domains: every coded row that the shipped rules can give has its domain stated."""

import pytest

from policies import RulesRefusedError
from policies.loader import build
from tests.policies.making import TODAY

FILE = "vocabulary/domains.csv"
CODED = {"pseudonym", "generalised"}


def coded_lines(snapshot):
    """Line, organisation and purpose of everything coded that the shipped rules may give."""
    words = snapshot.vocabulary
    for lines in snapshot.book.owners.values():
        for line in lines:
            if line.eft != "allow" or CODED.isdisjoint(line.view):
                continue
            for org in sorted({asker.partition("/")[0] for asker in line.org}):
                may = [r for r in line.role if words.may_hold(words.organisations[org], r)]
                yield from ((line.id, org, purpose) for purpose in line.purpose if may)


def test_every_recipient_and_purpose_of_a_coded_view_has_a_stated_domain(snapshot):
    coded = list(coded_lines(snapshot))
    assert len(coded) > 100
    assert [one for one in coded if snapshot.vocabulary.domain_of(*one[1:]) is None] == []


def test_from_aid_bodies_attribution_is_withheld_altogether(snapshot):
    words = snapshot.vocabulary
    for org, purpose in (("UNHCR", "humanitarian_assistance"), ("BA-RK", "family_tracing")):
        assert words.domain_of(org, purpose).withheld_from == frozenset(words.roles)
    assert words.domain_of("BA-SD", "subject_rights").withheld_from == frozenset()


@pytest.mark.parametrize(
    ("org", "purpose"),
    [("UNHCR", "family_tracing"), ("BA-BP", "humanitarian_assistance"), ("XX", "voluntary_return")],
)
def test_what_nobody_stated_is_no_domain(snapshot, org, purpose):
    assert snapshot.vocabulary.domain_of(org, purpose) is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ngo + red_cross + un_agency", "ngo + sailors", "recipients names sailors"),
        ("humanitarian_assistance + vital", "charity + vital", "purposes names charity"),
        (",anyone,GDP-30,nobody", ",somebody,GDP-30,nobody", "withheld_from names somebody"),
        (",anyone,GDP-30,nobody", ",anyone,GDP-99,nobody", "law names GDP-99"),
        (",anyone,GDP-30,nobody", ",anyone,-,nobody", "aid needs recipients, purposes and a legal"),
        ("ngo + red_cross + un_agency", "-", "aid needs recipients, purposes and a legal"),
        (
            "un_agency,voluntary_return",
            "un_agency,vital_interest",
            "UNHCR for vital_interest is in",
        ),
        ("return_help,", "aid,", "the id aid is used twice"),
    ],
)
def test_a_domain_that_says_nothing_sure_is_refused(files, old, new, told):
    text = files[FILE].decode()
    assert old in text
    with pytest.raises(RulesRefusedError) as refusal:
        build({**files, FILE: text.replace(old, new, 1).encode()}, on=TODAY)
    assert told in str(refusal.value)


def test_rules_without_stated_domains_are_refused(files):
    with pytest.raises(RulesRefusedError, match=r"domains\.csv: is missing"):
        build({name: raw for name, raw in files.items() if name != FILE}, on=TODAY)
