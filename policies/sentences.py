# SPDX-License-Identifier: EUPL-1.2
"""A difference of rules in sentences: equal changes of many states told once.

Each group is a full product of its words, so that a sentence says no more and no less than the
changes that it stands for. `cuvar policy diff` and `replay` rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from policies.conditions import Access, Atom
from policies.difference import Change, Difference, Kind
from policies.vocabulary import INTERNATIONAL, Vocabulary

OWN = "the own "
OTHERS = "every other country's "


class Box(NamedTuple):
    """The words of one sentence; every combination of them changes alike.

    `askers` are organisations, "UNHCR/BA" for one office, or relative to the owner: "the own AS"
    and "every other country's AS". `data` are "dataset.category".
    """

    owners: frozenset[str]
    askers: frozenset[str]
    roles: frozenset[str]
    purposes: frozenset[str]
    data: frozenset[str]
    views: frozenset[str]
    actions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that one sentence tells."""

    kind: Kind
    box: Box
    conditions: tuple[str, ...]
    lines: tuple[str, ...]
    count: int


def groups(found: Difference, words: Vocabulary) -> tuple[Group, ...]:
    """The changes with equal ones joined; the most open kinds first."""
    alike: dict[tuple[Kind, tuple[str, ...]], list[Change]] = {}
    for change in found.changes:
        alike.setdefault((change.kind, tuple(_conditions(change))), []).append(change)
    order = list(Kind)
    told = [
        Group(kind, box, conditions, tuple(sorted(lines)), count)
        for (kind, conditions), same in alike.items()
        for box, lines, count in _boxes(same, words)
    ]
    return tuple(sorted(told, key=lambda g: (order.index(g.kind), -g.count, sorted(g.box.askers))))


_Told = tuple[Box, frozenset[str], int]


def _boxes(changes: Iterable[Change], words: Vocabulary) -> Iterator[_Told]:
    boxes: list[_Told] = [
        (_box(change.atom, words), frozenset(change.lines), 1) for change in changes
    ]
    for place in ("data", "actions", "purposes", "views", "askers", "owners", "roles"):
        boxes = _joined(boxes, place)
    boxes = [(_relative(box, words), lines, count) for box, lines, count in boxes]
    for place in ("owners", "data", "actions", "purposes", "roles"):
        boxes = _joined(boxes, place)
    yield from boxes


def _box(atom: Atom, words: Vocabulary) -> Box:
    org = words.organisations.get(atom.org)
    asker = f"{atom.org}/{atom.country}" if org is not None and org.stations else atom.org
    if atom.org.startswith(f"{atom.owner}-"):
        asker = f"{OWN}{atom.org.partition('-')[2]}"
    values = (
        atom.owner,
        asker,
        atom.role,
        atom.purpose,
        f"{atom.dataset}.{atom.category}",
        atom.view,
        atom.action,
    )
    return Box(*(frozenset((value,)) for value in values))


def _relative(box: Box, words: Vocabulary) -> Box:
    """Every other country's organisation of one kind, as one word, where it is all of them."""
    kinds = {asker.partition("-")[2] for asker in box.askers}
    if len(box.owners) != 1 or len(kinds) != 1 or len(box.askers) == 1:
        return box
    (kind,) = kinds
    every = {
        o.id
        for o in words.organisations.values()
        if o.country not in (INTERNATIONAL, *box.owners) and o.id.partition("-")[2] == kind
    }
    return box._replace(askers=frozenset((f"{OTHERS}{kind}",))) if box.askers == every else box


def _joined(boxes: Iterable[_Told], place: str) -> list[_Told]:
    """Boxes that differ in one dimension only, as one."""
    found: dict[Box, list[_Told]] = {}
    for told in boxes:
        found.setdefault(told[0]._replace(**{place: frozenset()}), []).append(told)
    return [
        (
            box._replace(**{place: frozenset().union(*(getattr(t[0], place) for t in same))}),
            frozenset[str]().union(*(t[1] for t in same)),
            sum(t[2] for t in same),
        )
        for box, same in found.items()
    ]


def sentence(group: Group, words: Vocabulary) -> str:
    """One group in words; its fields are looked up in `words`."""
    box = group.box
    who = _and(f"{role.replace('_', ' ')}s" for role in sorted(box.roles))
    what = (
        f"{_and(sorted(box.data))} of {_and(sorted(box.owners))} at {_and(sorted(box.views))} view"
    )
    told = (
        f"{who[0].upper()}{who[1:]} of {_and(sorted(box.askers))} {group.kind.value} {what} "
        f"by {_and(sorted(box.actions))} for {_and(sorted(box.purposes))}"
    )
    told = "; ".join((told, *group.conditions, f"by {_and(group.lines)}"))
    fields = _visible(words, box.data, box.views) if group.kind in (Kind.NEW, Kind.GONE) else ()
    return f"{told}. Fields: {', '.join(fields)}." if fields else f"{told}."


def _visible(words: Vocabulary, data: Iterable[str], views: Iterable[str]) -> Sequence[str]:
    """The fields that show anything in one of the views."""
    found = []
    for name in sorted(data):
        dataset, _, category = name.partition(".")
        known = words.datasets.get(dataset)
        if known is not None and category in known.categories:
            fields = known.categories[category].fields.values()
            found += [f.name for f in fields if any(f.treatment(v) != "drop" for v in views)]
    return found


def _conditions(change: Change) -> list[str]:
    """What it needs, and what differs when it was and is granted."""
    before, after = change.before, change.after
    one = after or before
    if one is None:
        return []
    found = []
    if change.kind in (Kind.NEW, Kind.GONE):
        found.append(_needs(one))
        found += [f"with {_and(sorted(one.always))}"] if one.always else []
    elif before is not None and after is not None and change.kind is not Kind.DUTIES:
        found += _shift(before, after)
    if before is not None and after is not None:
        for word, some in (
            ("now with", after.always - before.always),
            ("no longer always with", before.always - after.always),
        ):
            found += [f"{word} {_and(sorted(some))}"] if some else []
        if change.kind is Kind.DUTIES and after.always == before.always:
            names = before.duties.keys() | after.duties.keys()
            moved = sorted(d for d in names if before.duties.get(d) != after.duties.get(d))
            found.append(f"{_and(moved)} in other cases than before")
    return found


def _needs(access: Access) -> str:
    if access.needs == ((),):
        return "without any condition of their own"
    return "when " + ", or ".join(" + ".join(need) for need in access.needs)


def _shift(before: Access, after: Access) -> list[str]:
    """Facts that are now needed, or no longer needed, in every case; else the cases that differ."""
    old, new = frozenset.intersection(*before.ways), frozenset.intersection(*after.ways)
    found = []
    if new - old:
        found.append(f"now only when {_and(sorted(new - old))}")
    if old - new:
        found.append(f"no longer only when {_and(sorted(old - new))}")
    if not found:
        for word, ways in (
            ("now when", after.ways - before.ways),
            ("no longer when", before.ways - after.ways),
        ):
            cases = sorted(" + ".join(sorted(way - (old & new))) or "always" for way in ways)
            found += [f"{word} {', or '.join(cases)}"] if cases else []
    return found


def _and(words: Iterable[str]) -> str:
    names = list(words)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
