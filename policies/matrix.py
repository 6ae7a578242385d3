# SPDX-License-Identifier: EUPL-1.2
"""Who sees what of one owner's data for one purpose: roles by categories, each strongest view.

The cells are read from the whole decision space with facts at their best, so a cell says what may
be granted at most; its needs say when. `cuvar policy matrix` and the console rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.conditions import Access, Atom, accesses
from policies.errors import PolicyError
from policies.snapshot import Snapshot
from policies.space import Grant
from policies.vocabulary import Vocabulary

_UNRANKED = 99


class NoSuchWordError(PolicyError):
    """A word that was asked for is not in the vocabulary of these rules."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One cell: the strongest view of a category for a role.

    Attributes:
        views: every view that may be granted, strongest first; the first is the cell's own.
        actions: by which actions the strongest view is reached; `askers` by whom.
        needs: the conditions of the lines of the strongest view, each enough.
        rules: ids of these lines, of both sides; `law` what they rest on.
    """

    views: tuple[str, ...]
    actions: tuple[str, ...]
    askers: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    duties: tuple[str, ...]
    rules: tuple[str, ...]
    law: tuple[str, ...]

    @property
    def view(self) -> str:
        """The strongest view."""
        return self.views[0]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The table of an owner and a purpose; a pair that is not in `cells` is refused.

    Attributes:
        scope: "all askers", "at home", "abroad", or one organisation.
        data: "dataset.category" of everything that can be asked for at all, in order.
    """

    digest: str
    owner: str
    purpose: str
    scope: str
    roles: tuple[str, ...]
    data: tuple[str, ...]
    cells: Mapping[tuple[str, str], Seen]


def matrix(
    snapshot: Snapshot,
    owner: str,
    purpose: str,
    *,
    org: str | None = None,
    abroad: bool | None = None,
) -> Matrix:
    """The matrix; `org` keeps one organisation, `abroad` those abroad or those at home.

    Raises:
        NoSuchWordError: owner, purpose or organisation is not in the vocabulary.
    """
    words = snapshot.vocabulary
    _check(words, owner, purpose, org)

    def keep(grant: Grant) -> bool:
        return (
            grant.owner == owner
            and grant.purpose == purpose
            and org in (None, grant.org)
            and abroad in (None, grant.country != owner)
        )

    found: dict[tuple[str, str], list[tuple[Atom, Access]]] = {}
    for atom, access in accesses(snapshot.engine, keep):
        key = (atom.role, f"{atom.dataset}.{atom.category}")
        found.setdefault(key, []).append((atom, access))
    order = {f"{d.name}.{c}": None for d in words.datasets.values() for c in d.categories}
    return Matrix(
        digest=snapshot.digest,
        owner=owner,
        purpose=purpose,
        scope=org or {None: "all askers", True: "abroad", False: "at home"}[abroad],
        roles=tuple(role for role in words.roles if role in words.purposes[purpose].roles),
        data=tuple(order),
        cells=MappingProxyType({key: _seen(some, words) for key, some in found.items()}),
    )


def _check(words: Vocabulary, owner: str, purpose: str, org: str | None) -> None:
    for what, word, known in (
        ("country", owner, words.countries),
        ("purpose", purpose, words.purposes),
        ("organisation", org, words.organisations),
    ):
        if word is not None and word not in known:
            raise NoSuchWordError(f"there is no {what} {word}; known are {', '.join(known)}")


def _seen(found: list[tuple[Atom, Access]], words: Vocabulary) -> Seen:
    def strength(view: str) -> tuple[int, str]:
        rank = words.views[view].rank
        return (_UNRANKED if rank is None else rank, view)

    views = sorted({atom.view for atom, _ in found}, key=strength)
    best = [(atom, access) for atom, access in found if atom.view == views[0]]
    lines = {line.id: line for _, access in best for line in access.lines}
    return Seen(
        views=tuple(views),
        actions=tuple(sorted({atom.action for atom, _ in best})),
        askers=tuple(sorted({_asker(atom, words) for atom, _ in best})),
        needs=tuple(sorted({need for _, access in best for need in access.needs})),
        duties=tuple(sorted({duty for _, access in best for duty in access.duties})),
        rules=tuple(sorted(lines)),
        law=tuple(sorted({law for line in lines.values() for law in line.law})),
    )


def _asker(atom: Atom, words: Vocabulary) -> str:
    stations = words.organisations[atom.org].stations
    return f"{atom.org}/{atom.country}" if stations else atom.org
