# SPDX-License-Identifier: EUPL-1.2
"""From a decision's cells to the columns fetched and the rows released.

A plan is made once for each set of granted cells and kept; it names exactly the fields that
the granted views need, so that nothing else is ever read (architecture 3, step 5). Categories
granted in different views come out as separate groups of rows, since a shuffled, generalised
row beside a coded one would be joined by its place.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from anonymise import Value, ViewPlan, compile_view
from gateway.errors import GatewayError
from policies import Decision, Snapshot
from policies.vocabulary import Vocabulary

ROW_VIEWS = ("full", "pseudonym", "generalised", "hit")

_CODED: Final = frozenset({"pseudonym", "generalised"})
_GENERALISED: Final = "generalised"
_CENTRE: Final = "accommodation.centre_id"

Cells = tuple[tuple[str, str], ...]


class ViewError(GatewayError):
    """A granted view can't be made; the answer is refused."""


@dataclass(frozen=True, slots=True)
class ViewPart:
    """The categories of one answer that share a view.

    Attributes:
        plan: how its rows are made. Of a generalised view it has all granted columns, asked or not:
            rows that were made coarse anew for each choice of columns could be held together.
        told: the columns that were asked, and so leave.
    """

    view: str
    categories: tuple[str, ...]
    plan: ViewPlan
    told: tuple[str, ...]

    def shown(self, row: Mapping[str, Value]) -> Mapping[str, Value]:
        """A row without the columns that were not asked."""
        return {column: row[column] for column in self.told}


@dataclass(frozen=True, slots=True)
class RowPlan:
    """Everything needed to read and treat the rows of one set of granted cells."""

    parts: tuple[ViewPart, ...]
    fields: frozenset[str]
    tells_centre: bool

    def part(self, view: str) -> ViewPart | None:
        """The part of one view, if anything was granted in it."""
        return next((part for part in self.parts if part.view == view), None)

    def may_filter(self, centre: str, postings: Collection[str]) -> bool:
        """Whether a list may be asked for one centre only.

        A filter tells of every row what the row itself may not: in a coded view it takes a view
        that tells the centre, or an officer of that centre.
        """
        coded = any(part.view in _CODED for part in self.parts)
        return not coded or self.tells_centre or centre in postings

    def released_of(self, view: str) -> tuple[str, ...]:
        """The output keys of one view's rows."""
        return next((part.told for part in self.parts if part.view == view), ())


def granted_cells(decision: Decision) -> Cells:
    """Category and view of each granted cell, in a fixed order."""
    return tuple(sorted((c, str(cell.view)) for c, cell in decision.granted.items()))


class RowPlans:
    """Plans of one rule snapshot, made on first use."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Plans are valid for this snapshot only."""
        self._vocabulary = snapshot.vocabulary
        self.of = lru_cache(maxsize=4096)(self._make)

    def _make(
        self,
        dataset: str,
        cells: Cells,
        asked: frozenset[str],
        hidden: frozenset[str],
        bare: bool,  # noqa: FBT001  part of a cache key
    ) -> RowPlan:
        parts = []
        tells_centre = False
        for view in ROW_VIEWS:
            categories = tuple(category for category, granted in cells if granted == view)
            if categories:
                treatments = _treatments(self._vocabulary, dataset, categories, view, bare=bare)
                granted = {
                    field: treatment
                    for field, treatment in treatments.items()
                    if treatment != "drop" and field not in hidden
                }
                tells_centre |= granted.get(_CENTRE) == "keep"
                parts.append(_part(view, categories, granted, asked))
        return RowPlan(
            parts=tuple(parts),
            fields=frozenset().union(*(part.plan.fields for part in parts)),
            tells_centre=tells_centre,
        )


def _part(
    view: str, categories: tuple[str, ...], granted: Mapping[str, str], asked: frozenset[str]
) -> ViewPart:
    wanted = {field: name for field, name in granted.items() if not asked or field in asked}
    if view != _GENERALISED:
        plan = compile_view(view, wanted)
        return ViewPart(view, categories, plan, plan.outputs)
    return ViewPart(
        view, categories, compile_view(view, granted), compile_view(view, wanted).outputs
    )


def _treatments(
    vocabulary: Vocabulary, dataset: str, categories: tuple[str, ...], view: str, *, bare: bool
) -> dict[str, str]:
    if bare and view == "hit":
        return {}
    return {
        field.id: field.treatment(view)
        for category in categories
        for field in vocabulary.datasets[dataset].categories[category].fields.values()
    }
