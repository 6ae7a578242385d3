# SPDX-License-Identifier: EUPL-1.2
"""Step 2 of a look-up across a border: the owner's side compares, explains, and then tells or not.

What the register holds is read for the comparison and goes no further; the answer says how surely
it is the person asked for, and why, in closed words that hold no value of the record. Fields follow
a strong match, or a possible one that a human at the asker confirmed after he was shown why
(EUR-14, GDPR Art. 22, LED Art. 11). A person who is not there, one of whom the asker may not know
and one who is somebody else are answered alike: with no match, and nothing about any of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from anonymise.linkage.compare import Comparison, compare, words
from anonymise.linkage.grading import Grade
from anonymise.linkage.person import LinkagePerson
from gateway.inquiry import Inquiry
from gateway.linkage.persons import PERSON_FIELDS, persons_of
from gateway.outcome import Match, Outcome
from gateway.questions import ConsultQuestion
from gateway.sources import ByReference, Fetch, Record, Source
from gateway.subjects import SubjectError, Subjects

DATASET: Final = "persons"
EXPERT: Final = "expert_check"
_READ: Final = 8
_SAME: Final = "same_person"
_NO_MATCH: Final = Match(Grade.NONE.value)


class Step(Enum):
    """What follows from a match."""

    TELL = auto()
    """the fields, and the token is spent"""
    EXPLAIN = auto()
    """the match alone; the token lives on for the confirmation"""
    END = auto()
    """nothing, and the token is spent"""


@dataclass(frozen=True, slots=True)
class Matched:
    """A match and what follows from it."""

    match: Match
    step: Step


class Consulting:
    """Compares the subject of a consultation with the person that its token leads to."""

    def __init__(self, subjects: Subjects) -> None:
        """`subjects` remembers which matches were explained."""
        self._subjects = subjects

    async def held(self, inquiry: Inquiry, source: Source) -> tuple[LinkagePerson, ...]:
        """The person behind the token in every spelling that the register has.

        Raises:
            SourceUnavailableError: the register does not answer.
        """
        asked = inquiry.asked
        if not isinstance(asked, ConsultQuestion) or asked.subject is None:
            return ()
        selector = await self._subjects.selector(inquiry, source.country)
        if not isinstance(selector, ByReference):
            return ()
        mapped = source.datasets.get(DATASET, frozenset())
        page = await source.fetch(
            Fetch(DATASET, PERSON_FIELDS & mapped, frozenset(), selector, inquiry.now.date(), _READ)
        )
        return tuple(_spellings(page.records))

    async def matched(
        self, inquiry: Inquiry, base: Outcome, held: Sequence[LinkagePerson], *, known: bool
    ) -> Matched | None:
        """How surely it is the same person; None where nothing is compared.

        Args:
            inquiry: the consultation.
            base: the owner's outcome so far.
            held: what `held` gave.
            known: whether the asker may know of the record at all.

        Raises:
            SubjectError: the confirmation is not by whom the duties demand.
            StoreError: what was explained can't be remembered.
        """
        asked = inquiry.asked
        if not isinstance(asked, ConsultQuestion) or asked.subject is None or asked.token is None:
            return None
        confirmation = asked.confirmation
        if confirmation is not None and EXPERT in base.duties:
            _require_another(inquiry, confirmation.by)
        best = _best(asked.subject.person(), held)
        if not known or best is None or best.grade is Grade.NONE:
            return Matched(_NO_MATCH, Step.END)
        match = Match(best.grade.value, _explained(best))
        if confirmation is not None and confirmation.verdict != _SAME:
            return Matched(match, Step.END)
        if best.grade is Grade.STRONG:
            return Matched(match, Step.TELL)
        shown = await self._subjects.explained(inquiry, base.owner, asked.token)
        if confirmation is None or not shown:
            return Matched(replace(match, confirm=True), Step.EXPLAIN)
        return Matched(match, Step.TELL)


def _spellings(records: Iterable[Record]) -> Iterable[LinkagePerson]:
    for record in records:
        yield from persons_of(record.values)


def _best(asked: LinkagePerson, held: Sequence[LinkagePerson]) -> Comparison | None:
    compared = [compare(asked, person) for person in held]
    return max(compared, key=lambda one: one.log_odds, default=None)


def _explained(comparison: Comparison) -> tuple[tuple[str, str, str], ...]:
    """Each feature: its name, its state, and both in plain words."""
    return tuple((f.name, f.state, words(f)) for f in comparison.features)


def _require_another(inquiry: Inquiry, by: str) -> None:
    if by.strip() == inquiry.asker.principal.officer:
        raise SubjectError(
            "a possible match is confirmed by somebody else than who asks; "
            "name the expert in confirmation.by"
        )
