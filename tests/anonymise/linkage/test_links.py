# SPDX-License-Identifier: EUPL-1.2
"""INT-11: which colour a machine may give, and that people decide all others, once named."""

from datetime import UTC, datetime
from itertools import product

import pytest

from anonymise.linkage.links import (
    Agreement,
    Colour,
    Evidence,
    Link,
    LinkError,
    Verdict,
    automatic,
    decide,
    sever,
    tells_person,
)
from anonymise.linkage.similarity import Sameness

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 25, 12, tzinfo=UTC)
REASON = "Both files, the photographs and the interview show it"
YELLOW = Link(Colour.YELLOW, NOW)
SAME, SIMILAR, DIFFERENT = Sameness.SAME, Sameness.SIMILAR, Sameness.DIFFERENT


@pytest.mark.parametrize(
    ("identity", "biometrics", "document", "colour"),
    [
        (SAME, Agreement.SAME, Agreement.ABSENT, Colour.WHITE),
        (SIMILAR, Agreement.SAME, Agreement.DIFFERENT, Colour.WHITE),
        (DIFFERENT, Agreement.SAME, Agreement.ABSENT, Colour.YELLOW),
        (SAME, Agreement.ABSENT, Agreement.SAME, Colour.WHITE),
        (SIMILAR, Agreement.ABSENT, Agreement.SAME, Colour.WHITE),
        (DIFFERENT, Agreement.ABSENT, Agreement.SAME, Colour.YELLOW),
        (SAME, Agreement.DIFFERENT, Agreement.ABSENT, Colour.YELLOW),
        (DIFFERENT, Agreement.DIFFERENT, Agreement.SAME, Colour.YELLOW),
        (SIMILAR, Agreement.DIFFERENT, Agreement.ABSENT, None),
        (SAME, Agreement.ABSENT, Agreement.ABSENT, None),
        (SAME, Agreement.ABSENT, Agreement.DIFFERENT, None),
        (DIFFERENT, Agreement.DIFFERENT, Agreement.DIFFERENT, None),
    ],
)
def test_a_machine_links_as_the_articles_say(identity, biometrics, document, colour):
    assert automatic(Evidence(identity, biometrics, document)) is colour


def test_a_machine_never_gives_a_colour_that_only_people_may():
    for parts in product(Sameness, Agreement, Agreement):
        assert automatic(Evidence(*parts)) in {None, Colour.WHITE, Colour.YELLOW}


@pytest.mark.parametrize(
    ("verdict", "colour", "told"),
    [
        (Verdict.ONE_PERSON, Colour.WHITE, True),
        (Verdict.TWO_PERSONS, Colour.GREEN, False),
        (Verdict.UNJUSTIFIED, Colour.RED, True),
    ],
)
def test_a_person_decides_and_is_named(verdict, colour, told):
    decided = decide(YELLOW, verdict, "officer-7", REASON, LATER)
    assert (decided.colour, decided.decided_by, decided.made_at) == (colour, "officer-7", LATER)
    assert tells_person(decided) is told


def test_a_white_link_of_a_machine_is_told_to_nobody():
    assert not tells_person(Link(Colour.WHITE, NOW))
    assert Link(Colour.WHITE, NOW).by_machine


@pytest.mark.parametrize(
    ("by", "reason"), [("", REASON), ("officer-7", "  because  "), ("o", " " * 40)]
)
@pytest.mark.parametrize("act", ["decide", "sever"])
def test_nobody_acts_nameless_or_without_a_reason(act, by, reason):
    with pytest.raises(LinkError):
        _acted(act, YELLOW, by, reason)


@pytest.mark.parametrize("act", ["decide", "sever"])
def test_a_severed_link_stays_severed(act):
    severed = sever(YELLOW, "officer-7", REASON, LATER)
    assert severed.severed == LATER
    with pytest.raises(LinkError, match="severed"):
        _acted(act, severed, "officer-8", REASON)


def _acted(act, link, by, reason):
    if act == "sever":
        return sever(link, by, reason, LATER)
    return decide(link, Verdict.TWO_PERSONS, by, reason, LATER)
