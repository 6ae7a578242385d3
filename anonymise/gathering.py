# SPDX-License-Identifier: EUPL-1.2
"""k-anonymity and l-diversity of a generalised view, over all rows that its recipient may see.

Full-domain recoding (Samarati 2001; Sweeney 2002): every row of a view shows a column at the same
step of its ladder, so that the rows can be counted and compared. `gather` chooses the steps at
which least is lost; rows whose class still has too few persons, or says only one thing of them,
are held back. `tell` treats a page at those steps.

INVARIANT: a row is told only if at least k persons of the crowd show the same quasi-identifiers,
and if each sensitive column that is told has no known value among them, or at least l. Persons
are counted, not rows. The steps depend on the data, so a reader learns a little from them
(minimality, Wong et al. 2007); no more is claimed than k and l.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from anonymise.age import UNKNOWN
from anonymise.anonymity import Anonymity
from anonymise.context import ViewContext
from anonymise.crowd import ANY, WITHHELD, Crowd, Told
from anonymise.errors import ContextError
from anonymise.groups import tally
from anonymise.ladder import is_sensitive, ladder
from anonymise.output import Column, rows_of
from anonymise.value import Row, Value

_SAYS_NOTHING = frozenset({None, "", (), UNKNOWN})
# Told by the crowd's own counts. Nationalities are counted over the register, and the size of a
# group is not known from a part of it.
_COUNTED_HERE = frozenset({"sex_merged", "language_common"})

Steps = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows that look alike at every step of every quasi-identifier."""

    forms: tuple[Told, ...]
    persons: frozenset[Hashable]
    rows: int
    sensitive: tuple[frozenset[Value], ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    """What one choice of steps tells and costs.

    `towards` is `loss` with a class that is nearly large enough costing less than a lone row; it
    leads the search, while `loss` decides.
    """

    steps: Steps
    loss: float
    towards: float
    classes: frozenset[Told]
    held: int


def gather(
    columns: Sequence[Column],
    rows: Sequence[Row],
    persons: Sequence[Hashable],
    context: ViewContext,
    *,
    named: bool = False,
) -> Crowd:
    """The shape of a generalised view of these rows.

    Args:
        columns: The plan's.
        rows: Everything that the recipient may see under this plan, in the common model.
        persons: Whose row each is; None counts as nobody.
        context: As for the page; its crowd is not looked at.
        named: The asker names the person, so the sensitive values are the answer; see `Crowd`.

    Raises:
        ContextError: Rows and persons differ in number, or a row is outside the common model.
    """
    if len(rows) != len(persons):
        raise ContextError("the crowd needs exactly one person for each row; pass None for nobody")
    counts = _counts(columns, rows)
    counted = replace(context, counts={**context.counts, **counts})
    search = _Search(columns, _groups(columns, rows, persons, counted), context.anonymity, named)
    best = search.best()
    return Crowd(
        outputs=tuple(column.output for column in columns),
        steps=best.steps,
        classes=best.classes,
        counts=counts,
        named=named,
        rows=len(rows),
        held=best.held,
    )


def tell(
    columns: Sequence[Column], rows: Sequence[Row], context: ViewContext
) -> list[dict[str, Value] | None]:
    """The rows as the crowd lets them be told, in the given order; None is held back.

    Raises:
        ContextError: There is no crowd, or it is another view's.
    """
    crowd = context.crowd
    outputs = tuple(column.output for column in columns)
    if crowd is None or crowd.outputs != outputs:
        raise ContextError("a generalised view is told among its own crowd; gather it first")
    if not columns:
        return [{} for _ in rows]
    counted = replace(context, counts={**context.counts, **crowd.counts})
    treated = [
        _at(column, step, rows, counted) for column, step in zip(columns, crowd.steps, strict=True)
    ]
    quasi = [
        values
        for column, values in zip(columns, treated, strict=True)
        if not is_sensitive(column.treatment)
    ]
    keys: Iterable[Told] = zip(*quasi, strict=True) if quasi else [()] * len(rows)
    allowed = [key in crowd.classes for key in keys]
    told: list[dict[str, Value] | None] = list(rows_of(outputs, treated))
    if all(allowed):
        return told
    bare: Sequence[dict[str, Value] | None] = [None] * len(rows)
    if crowd.named:
        bare = rows_of(
            outputs,
            [
                values if is_sensitive(column.treatment) else [ANY] * len(rows)
                for column, values in zip(columns, treated, strict=True)
            ],
        )
    return [row if fits else less for row, fits, less in zip(told, allowed, bare, strict=True)]


def _at(column: Column, step: int, rows: Sequence[Row], context: ViewContext) -> list[Value]:
    steps = ladder(column.treatment)
    if step < len(steps):
        return column.at(steps[step], rows, context)
    return [WITHHELD if is_sensitive(column.treatment) else ANY] * len(rows)


def _counts(columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    return {
        field: tally(column.treatment.name, [row.get(field) for row in rows])
        for column in columns
        if column.treatment.name in _COUNTED_HERE
        for field in column.fields
    }


def _groups(
    columns: Sequence[Column],
    rows: Sequence[Row],
    persons: Sequence[Hashable],
    context: ViewContext,
) -> list[_Group]:
    quasi = [column for column in columns if not is_sensitive(column.treatment)]
    hidden = [column for column in columns if is_sensitive(column.treatment)]
    forms = [
        list(zip(*(column.at(s, rows, context) for s in ladder(column.treatment)), strict=True))
        for column in quasi
    ]
    values = [column.at(column.treatment, rows, context) for column in hidden]
    keys: Iterable[tuple[Told, ...]] = zip(*forms, strict=True) if forms else [()] * len(rows)
    members: dict[tuple[Told, ...], list[int]] = {}
    for place, key in enumerate(keys):
        members.setdefault(key, []).append(place)
    return [
        _Group(
            forms=key,
            persons=frozenset(persons[place] for place in places) - {None},
            rows=len(places),
            sensitive=tuple(
                frozenset(column[place] for place in places) - _SAYS_NOTHING for column in values
            ),
        )
        for key, places in members.items()
    ]


class _Search:
    """Which steps lose least; the same for the same rows, in any order."""

    def __init__(
        self,
        columns: Sequence[Column],
        groups: Sequence[_Group],
        anonymity: Anonymity,
        named: bool,  # noqa: FBT001 - private
    ) -> None:
        self._groups = groups
        self._anonymity = anonymity
        self._sensitive = tuple(is_sensitive(column.treatment) for column in columns)
        self._quasi = tuple(n for n, hidden in enumerate(self._sensitive) if not hidden)
        self._hidden = tuple(n for n, hidden in enumerate(self._sensitive) if hidden)
        # The last step of each ladder tells nothing. To a named person's answer it would be none.
        self._last = tuple(
            0 if named and is_sensitive(column.treatment) else len(ladder(column.treatment))
            for column in columns
        )
        self._named = named
        # Whether nobody is in two groups, so that persons add up.
        everybody = [person for group in groups for person in group.persons]
        self._apart = len(everybody) == len(set(everybody))
        self._forms = [
            [[group.forms[place][step] for group in groups] for step in range(self._last[column])]
            + [[ANY] * len(groups)]
            for place, column in enumerate(self._quasi)
        ]

    def best(self) -> _Choice:
        """Climb from the finest steps to the coarsest and down again; the best seen on the way."""
        finest = self._try(tuple(0 for _ in self._last))
        up = self._path(finest, 1)
        down = self._path(up[-1], -1)
        return min((*up, *down), key=lambda choice: (choice.loss, choice.steps))

    def _path(self, start: _Choice, way: int) -> list[_Choice]:
        path = [start]
        while following := [self._try(steps) for steps in self._next(path[-1].steps, way)]:
            path.append(min(following, key=lambda choice: (choice.towards, choice.steps)))
        return path

    def _next(self, steps: Steps, way: int) -> Iterable[Steps]:
        for column, step in enumerate(steps):
            if 0 <= step + way <= self._last[column]:
                yield (*steps[:column], step + way, *steps[column + 1 :])

    def _try(self, steps: Steps) -> _Choice:
        # Whole numbers until the end: the same sums in whatever order the rows come.
        told, shown, held, short, k = [], 0, 0, 0, self._anonymity.k
        for key, members in self._classes(steps).items():
            size = sum(group.rows for group in members)
            persons = self._persons(members)
            if persons >= k and self._diverse(steps, members):
                told.append(key)
                shown += size
            else:
                held += size
                short += size * (k - min(k, persons))
        lost = self._cost(steps) * shown + held
        rows = shown + held or 1
        return _Choice(steps, lost / rows, (lost + short / k) / rows, frozenset(told), held)

    def _classes(self, steps: Steps) -> dict[Told, list[_Group]]:
        """Quasi-identifier values, as told at these steps -> who shows them."""
        chosen = [forms[steps[n]] for n, forms in zip(self._quasi, self._forms, strict=True)]
        keys: Iterable[Told] = zip(*chosen, strict=True) if chosen else [()] * len(self._groups)
        classes: defaultdict[Told, list[_Group]] = defaultdict(list)
        for key, group in zip(keys, self._groups, strict=True):
            classes[key].append(group)
        return classes

    def _persons(self, members: Sequence[_Group]) -> int:
        if self._apart:
            return sum(len(group.persons) for group in members)
        return len(frozenset[Hashable]().union(*(group.persons for group in members)))

    def _diverse(self, steps: Steps, members: Sequence[_Group]) -> bool:
        if self._named:
            return True
        for place, column in enumerate(self._hidden):
            if steps[column] < self._last[column]:
                values = frozenset[Value]().union(*(group.sensitive[place] for group in members))
                if values and len(values) < self._anonymity.l:
                    return False
        return True

    def _cost(self, steps: Steps) -> float:
        """Loss of a told row: each column's place on its ladder, averaged."""
        places = [step / last for step, last in zip(steps, self._last, strict=True) if last]
        return sum(places) / len(self._last) if places else 0.0
