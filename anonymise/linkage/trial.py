# SPDX-License-Identifier: EUPL-1.2
"""Two lists of persons linked as the gateway would: by common keys first, then compared in full.

As in the index, a key that too many records of the second list hold answers nothing. What the
gateway knows is the score of the agreeing kinds; what the owner's side knows is the comparison.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anonymise.linkage.keys import Key, KeyKind
from anonymise.linkage.person import LinkagePerson

BUCKET_CAP: Final = 50
"""A key that more records hold answers nothing (matching.md section 4)."""

_STEP: Final = 500

Persons = Mapping[str, LinkagePerson]
Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, of how many."""


def _no_blocks(_: LinkagePerson) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Matcher:
    """What links: `shipped_matcher` has the parts that the gateway uses.

    Attributes:
        keys: A person's keys.
        index: The score of kinds of keys that two records have in common.
        index_grade: The grade of those kinds.
        compare: The score and the grade of two persons.
        blocks: What the owner's own side, which holds its records in clear, looks up besides; no
            such block ever leaves it or tells the gateway anything.
    """

    keys: Callable[[LinkagePerson], Sequence[Key]]
    index: Callable[[Collection[KeyKind]], float]
    index_grade: Callable[[Collection[KeyKind]], str]
    compare: Callable[[LinkagePerson, LinkagePerson], tuple[float, str]]
    blocks: Callable[[LinkagePerson], Iterable[str]] = _no_blocks


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two records that have a key in common.

    Attributes:
        first: Identifier in the first list.
        second: Identifier in the second.
        kinds: Kinds of the keys in common, sorted.
        index: Their score.
        index_grade: What the flag would say.
        score: Of the full comparison.
        grade: What the consultation would say.
    """

    first: str
    second: str
    kinds: tuple[str, ...]
    index: float
    index_grade: str
    score: float
    grade: str


def candidates(
    first: Persons, second: Persons, matcher: Matcher, progress: Progress
) -> Iterator[Candidate]:
    """All pairs that have a key in common, in the order of the first list.

    Args:
        first: The asking list, by identifier.
        second: The list that is asked.
        matcher: What links.
        progress: Told now and then.
    """
    buckets: dict[Key | str, list[str]] = defaultdict(list)
    for done, (identifier, person) in enumerate(second.items()):
        if done % _STEP == 0:
            progress("keys of the second list", done, len(second))
        for key in (*matcher.keys(person), *matcher.blocks(person)):
            buckets[key].append(identifier)
    for done, (identifier, person) in enumerate(first.items()):
        if done % _STEP == 0:
            progress("persons of the first list", done, len(first))
        common: dict[str, set[KeyKind]] = defaultdict(set)
        for key in (*matcher.keys(person), *matcher.blocks(person)):
            held = buckets.get(key, ())
            if len(held) <= BUCKET_CAP:
                for other in held:
                    common[other] |= set() if isinstance(key, str) else {key.kind}
        for other, kinds in sorted(common.items()):
            score, grade = matcher.compare(person, second[other])
            yield Candidate(
                identifier,
                other,
                tuple(sorted(kinds)),
                matcher.index(kinds),
                matcher.index_grade(kinds),
                score,
                grade,
            )
    progress("persons of the first list", len(first), len(first))
