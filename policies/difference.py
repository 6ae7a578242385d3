# SPDX-License-Identifier: EUPL-1.2
"""What a change of rules changes: exactly the accesses, never the text.

Both rule folders are walked over their whole decision space, and each atom's conditions are
compared as values, so a line that is moved, split or renamed is no change, and one word that opens
a door is named. `policies.sentences` tells it, and `cuvar policy diff` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from policies.conditions import Access, Atom, accesses, narrower
from policies.snapshot import RuleBook, Snapshot
from policies.space import Grant
from policies.vocabulary import Vocabulary


class Kind(Enum):
    """What becomes of an access."""

    NEW = "newly see"
    GONE = "no longer see"
    WIDER = "see in more cases"
    NARROWER = "see in fewer cases"
    OTHER = "see in other cases"
    DUTIES = "see with other duties"


@dataclass(frozen=True, slots=True)
class Change:
    """One atom that differs; `before` or `after` is None when no facts grant it."""

    kind: Kind
    atom: Atom
    before: Access | None
    after: Access | None

    @property
    def lines(self) -> tuple[str, ...]:
        """The allow lines that matter: of the new rules, or of the old when it is gone."""
        here = self.after or self.before
        return tuple(line.id for line in here.lines) if here is not None else ()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that is treated otherwise in one view; "-" stands for no such field."""

    dataset: str
    field: str
    view: str
    before: str
    after: str

    def __str__(self) -> str:
        name = f"{self.dataset}.{self.field} at {self.view} view"
        return f"The field {name} is now {self.after}, and was {self.before}."


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs between two rule folders.

    Attributes:
        changes: every atom that differs, in order.
        fields: fields whose treatment differs, which changes what an access shows.
        files: names of all files whose bytes differ, also where no access changes.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    fields: tuple[FieldChange, ...]
    files: tuple[str, ...]


def difference(
    before: Snapshot, after: Snapshot, tick: Callable[[], None] = lambda: None
) -> Difference:
    """What `after` grants otherwise than `before`, over the whole decision space.

    `tick` is called now and then; what it raises ends the work.
    """

    def keep(_grant: Grant) -> bool:
        tick()
        return True

    old, new = dict(accesses(before.engine, keep)), dict(accesses(after.engine, keep))
    changes = tuple(_changes(old, new))
    return Difference(
        before.digest,
        after.digest,
        changes,
        tuple(_fields(before.vocabulary, after.vocabulary)),
        tuple(_files(before.book, after.book)),
    )


def _changes(old: Mapping[Atom, Access], new: Mapping[Atom, Access]) -> Iterator[Change]:
    for atom in sorted(old.keys() | new.keys()):
        before, after = old.get(atom), new.get(atom)
        kind = _kind(before, after)
        if kind is not None:
            yield Change(kind, atom, before, after)


def _kind(before: Access | None, after: Access | None) -> Kind | None:
    if before is None or after is None:
        if before is after:
            return None
        return Kind.NEW if before is None else Kind.GONE
    if before.ways == after.ways:
        return Kind.DUTIES if before.duties != after.duties else None
    if narrower(before.ways, after.ways):
        return Kind.WIDER
    return Kind.NARROWER if narrower(after.ways, before.ways) else Kind.OTHER


def _fields(before: Vocabulary, after: Vocabulary) -> Iterator[FieldChange]:
    old, new = _treatments(before), _treatments(after)
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key, "-"), new.get(key, "-")
        if was != now:
            yield FieldChange(*key, was, now)


def _treatments(words: Vocabulary) -> dict[tuple[str, str, str], str]:
    return {
        (dataset.name, field.id, view): field.treatment(view)
        for dataset in words.datasets.values()
        for category in dataset.categories.values()
        for field in category.fields.values()
        for view in words.views
    }


def _files(before: RuleBook, after: RuleBook) -> Iterator[str]:
    for name in sorted(before.files.keys() | after.files.keys()):
        if before.files.get(name) != after.files.get(name):
            yield name
