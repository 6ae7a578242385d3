# SPDX-License-Identifier: EUPL-1.2
"""Compiled views: from permitted fields to the rows that an asker receives.

`compile_view` checks the fields and treatments of a decision once; `ViewPlan.apply` then treats
a page of rows. A field that is not in the plan cannot come out, because rows are built from the
plan, never copied from the register (architecture §4.3). Relied on by the gateway's pipeline;
format in docs/formats/views.md.

Order: pseudonym rows come sorted by case number and generalised rows shuffled, because the
register's own order would join the rows of two recipients.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from operator import itemgetter
from types import MappingProxyType

from anonymise.context import ViewContext
from anonymise.crowd import Crowd
from anonymise.errors import ContextError, PlanError
from anonymise.gathering import gather, tell
from anonymise.hit import OUTPUTS, shape_hit
from anonymise.ladder import is_sensitive
from anonymise.output import Column, rows_of
from anonymise.passing import NEVER_CODED, NEVER_KEPT
from anonymise.treatment import (
    FULL,
    GENERALISED,
    PSEUDONYM,
    Treatment,
    looked_at,
    treatment_named,
)
from anonymise.value import Row, Value

HIT = "hit"
CASE_NO = "case_no"
ROW_VIEWS = frozenset({FULL, PSEUDONYM, GENERALISED})
# The hit view's own fields and treatments; leaving them out is the bare form.
HIT_FIELDS: Mapping[str, str] = MappingProxyType(
    {"record.person_category": "keep", "record.registered_at": "month"}
)

_HIT_SOURCE = {"person_category": "record.person_category", "month": "record.registered_at"}

_FIELD = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")

OutputRow = dict[str, Value]
# Numbers of a pseudonym row are text, though a value of a row need not be.
_number: Callable[[OutputRow], str] = itemgetter(CASE_NO)


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """A view of one dataset, checked and ready.

    Attributes:
        view: full, pseudonym, generalised or hit.
        fields: The field ids whose values are looked at, hence the only ones to fetch.
        outputs: Every key that a row of this view can have, in order.
    """

    view: str
    fields: frozenset[str]
    outputs: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def quasi(self) -> tuple[str, ...]:
        """The outputs that others may know of a person, and that must be shared by enough."""
        return tuple(c.output for c in self.columns if not is_sensitive(c.treatment))

    def apply(self, rows: Sequence[Row], context: ViewContext) -> list[OutputRow]:
        """Treat a page of rows.

        Args:
            rows: Records in the common model; values beyond the plan are ignored.
            context: Facts of the recipient's domain; see `ViewContext`.

        Returns:
            Rows whose keys are `outputs`: full and hit in the given order, pseudonym sorted by
            case number, generalised shuffled and without those that are held back.

        Raises:
            ContextError: The view needs case numbers, hits, a crowd or randomness that is not
                there.
        """
        if self.view == HIT:
            return self._hits(rows, context)
        if self.view == GENERALISED:
            told = [row for row in self.told(rows, context) if row is not None]
            return arrange(GENERALISED, told, context.randbelow)
        if self.view == FULL and all(column.treatment.name == "keep" for column in self.columns):
            # Nothing is treated, so rows need not be taken apart into columns.
            pairs = [
                (column.fields[0], out)
                for column, out in zip(self.columns, self.outputs, strict=True)
            ]
            return [{out: row.get(field) for field, out in pairs} for row in rows]
        columns = [column.treated(self.view, rows, context) for column in self.columns]
        if self.view == PSEUDONYM:
            columns.insert(0, _numbers(rows, context.case_nos))
        if not columns:
            return [{} for _ in rows]
        return arrange(self.view, rows_of(self.outputs, columns), context.randbelow)

    def gather(
        self,
        rows: Sequence[Row],
        persons: Sequence[Hashable],
        context: ViewContext,
        *,
        named: bool = False,
    ) -> Crowd:
        """Find out how coarse a generalised view must be; see `gathering.gather`.

        Raises:
            PlanError: The view has no crowd.
            ContextError: Rows and persons differ in number, or a row is outside the model.
        """
        self._has_crowd()
        return gather(self.columns, rows, persons, context, named=named)

    def told(self, rows: Sequence[Row], context: ViewContext) -> list[OutputRow | None]:
        """Generalised rows in the given order, None for each that is held back.

        For the caller that must know whose rows it told; `arrange` them before they leave.

        Raises:
            PlanError: The view has no crowd.
            ContextError: The crowd is missing or another view's.
        """
        self._has_crowd()
        return tell(self.columns, rows, context)

    def _has_crowd(self) -> None:
        if self.view != GENERALISED:
            raise PlanError("only a generalised view is told among a crowd; apply the others")

    def _hits(self, rows: Sequence[Row], context: ViewContext) -> list[OutputRow]:
        hits = context.hits
        if hits is None or len(hits) != len(rows):
            raise ContextError("the hit view needs exactly one hit for each row; pass hits")
        return [
            shape_hit(
                hit,
                person_category=row.get(_HIT_SOURCE["person_category"]),
                registered_at=row.get(_HIT_SOURCE["month"]),
                told=self.outputs,
            )
            for hit, row in zip(hits, rows, strict=True)
        ]


def compile_view(view: str, fields: Mapping[str, str]) -> ViewPlan:
    """Check a decision's fields and treatments and make the plan of a view.

    Args:
        view: full, pseudonym, generalised or hit; tables of counts go through `protect_table`.
        fields: Field id ("category.field") -> treatment name, permitted ones only.

    Raises:
        UnknownTreatmentError: A treatment is not in `TREATMENTS`.
        PlanError: Unknown view, malformed field id, a treatment that does not belong in the view,
            an identifying field kept in a coded view, or two fields with one output.
    """
    if view == HIT:
        return _compile_hit(fields)
    if view not in ROW_VIEWS:
        raise PlanError("no such row view; ask for full, pseudonym, generalised or hit")
    columns: dict[str, Column] = {}
    for field, name in fields.items():
        treatment = treatment_named(name)
        _check(view, field, treatment)
        category, _, short = field.partition(".")
        output = treatment.output(short)
        if output is not None:
            key = f"{category}.{output}"
            columns[key] = _joined(columns.get(key), Column(key, treatment, (field,)))
    first = (CASE_NO,) if view == PSEUDONYM else ()
    return ViewPlan(
        view=view,
        fields=frozenset().union(
            *(
                looked_at(made.treatment, field)
                for made in columns.values()
                for field in made.fields
            )
        ),
        outputs=(*first, *columns),
        columns=tuple(columns.values()),
    )


def arrange(
    view: str, rows: list[OutputRow], randbelow: Callable[[int], int] | None
) -> list[OutputRow]:
    """Put treated rows into the order of their view.

    Public for the caller that treats one page under several plans and joins the results.

    Raises:
        ContextError: Generalised rows without a source of randomness.
    """
    if view == PSEUDONYM:
        return sorted(rows, key=_number)
    if view == GENERALISED:
        return _shuffled(rows, randbelow)
    return rows


def _compile_hit(fields: Mapping[str, str]) -> ViewPlan:
    told = {field for field, name in fields.items() if treatment_named(name).name != "drop"}
    if any(fields[field] != HIT_FIELDS.get(field) for field in told):
        raise PlanError(
            "a hit tells strength and owner, at most with HIT_FIELDS; drop every other field"
        )
    return ViewPlan(
        view=HIT,
        fields=frozenset(told),
        outputs=tuple(name for name in OUTPUTS if _HIT_SOURCE.get(name, name) in {name, *told}),
        columns=(),
    )


def _check(view: str, field: str, treatment: Treatment) -> None:
    if not _FIELD.fullmatch(field):
        raise PlanError("a field id is not of the form category.field; correct the vocabulary")
    if view not in treatment.views:
        raise PlanError(f"{field}: treatment {treatment.name} does not belong in the {view} view")
    if view == FULL or treatment.output("") is None:
        return
    category = field.partition(".")[0]
    if category in NEVER_CODED:
        raise PlanError(f"{field}: nothing of {category} can be shown in the {view} view; drop it")
    if treatment.name == "keep" and field in NEVER_KEPT:
        raise PlanError(f"{field}: identifies or is free text, so it cannot be kept; drop it")


def _joined(standing: Column | None, column: Column) -> Column:
    if standing is None:
        return column
    if standing.treatment is not column.treatment or not column.treatment.joins:
        raise PlanError(f"{column.output}: two fields would come out under this one name")
    return Column(column.output, column.treatment, (*standing.fields, *column.fields))


def _numbers(rows: Sequence[Row], case_nos: Sequence[str] | None) -> list[Value]:
    if case_nos is None or len(case_nos) != len(rows):
        raise ContextError("the pseudonym view needs exactly one case number for each row")
    if not all(case_nos):
        raise ContextError("a row has no case number; issue one before the view is made")
    return list(case_nos)


def _shuffled(rows: list[OutputRow], randbelow: Callable[[int], int] | None) -> list[OutputRow]:
    """Fisher-Yates by one secret number: drawn below n!, it is one of the n! orders."""
    if randbelow is None:
        raise ContextError("the generalised view is shuffled; pass a secret source of randomness")
    mixed = list(rows)
    order = randbelow(factorial(len(mixed)))
    for last in range(len(mixed) - 1, 0, -1):
        order, other = divmod(order, last + 1)
        mixed[last], mixed[other] = mixed[other], mixed[last]
    return mixed
