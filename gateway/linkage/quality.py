# SPDX-License-Identifier: EUPL-1.2
"""Two lists linked and judged, as `cuvar linkage evaluate` and the bench tell it.

The same figures twice: what the gateway's index alone finds (`index`), and what the owner's full
comparison makes of it (`compared`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from anonymise.linkage.compare import compare
from anonymise.linkage.evaluate import Evaluation, Figures, Linked, Pair, Truth
from anonymise.linkage.grading import Grade, grade_kinds, score_kinds
from anonymise.linkage.keys import KeyKind, keys_of
from anonymise.linkage.person import LinkagePerson
from anonymise.linkage.subsets import of_kinds, of_persons
from anonymise.linkage.trial import Candidate, Matcher, Progress, candidates
from gateway.linkage.lists import PersonList

_GRADES = {Grade.STRONG: (Grade.STRONG,), Grade.POSSIBLE: (Grade.STRONG, Grade.POSSIBLE)}


@dataclass(frozen=True, slots=True)
class Step:
    """One step's figures.

    Attributes:
        whole: Of all persons.
        subsets: By name.
        grades: What linking finds that takes pairs from a grade on.
    """

    whole: Figures
    subsets: Mapping[str, Figures]
    grades: Mapping[str, Linked]


@dataclass(frozen=True, slots=True)
class Quality:
    """All that is told, and the pairs that it comes from.

    Attributes:
        index: Step 1, keys alone.
        compared: Step 2, the full comparison.
        pairs: All candidates.
        linked: Those that step 2 links one to one, by their identifiers.
    """

    index: Step
    compared: Step
    pairs: Sequence[Candidate]
    linked: frozenset[tuple[str, str]]


def shipped_matcher() -> Matcher:
    """The keys, weights and comparison that the gateway uses."""

    def index(kinds: Collection[KeyKind]) -> float:
        return score_kinds(kinds)

    def index_grade(kinds: Collection[KeyKind]) -> str:
        return grade_kinds(kinds)

    def compared(asked: LinkagePerson, held: LinkagePerson) -> tuple[float, str]:
        found = compare(asked, held)
        return found.log_odds, found.grade

    return Matcher(keys_of, index, index_grade, compared)


def judge(
    first: PersonList, second: PersonList, truth: Truth, matcher: Matcher, progress: Progress
) -> Quality:
    """Link two lists and hold the result against the truth.

    Args:
        first: The list that asks.
        second: The list that is asked.
        truth: Who is who.
        matcher: What links.
        progress: Told now and then.

    Raises:
        LinkageError: The truth does not fit the lists.
    """
    found = tuple(candidates(first.persons, second.persons, matcher, progress))
    subsets = of_persons(first.persons) | of_kinds(first.kinds, second.kinds, truth)
    index = [
        (Pair(one.first, one.second, one.index), one.index_grade) for one in found if one.kinds
    ]
    compared = [(Pair(one.first, one.second, one.score), one.grade) for one in found]
    links = Evaluation([pair for pair, _ in compared], truth, first.persons).links()
    return Quality(
        _step(index, truth, first, subsets),
        _step(compared, truth, first, subsets),
        found,
        frozenset((pair.first, pair.second) for pair in links),
    )


def _step(
    graded: Sequence[tuple[Pair, str]],
    truth: Truth,
    first: PersonList,
    subsets: Mapping[str, Collection[str]],
) -> Step:
    evaluation = Evaluation([pair for pair, _ in graded], truth, first.persons)
    grades = {
        str(grade): Evaluation(
            [pair for pair, its in graded if its in taken], truth, first.persons
        ).at(float("-inf"))
        for grade, taken in _GRADES.items()
    }
    return Step(
        evaluation.figures(),
        {name: evaluation.figures(those) for name, those in subsets.items()},
        grades,
    )
