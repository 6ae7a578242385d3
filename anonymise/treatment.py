# SPDX-License-Identifier: EUPL-1.2
"""The closed registry of treatments: what may happen to a field on its way into a view.

The names are shared with the policy vocabulary (its fields name one treatment for each view); a
name that is not here is a refusal. Treatments are pure: bound to a field id and a `ViewContext`,
they treat a page's column at once. Access matrix §1.3; docs/formats/views.md.

INVARIANT: a value that a treatment does not understand comes out as None or "unknown", never as
it came in. No treatment lets free text through outside the full view.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from anonymise import age, coarse, groups, passing
from anonymise.column import held, mapped
from anonymise.context import ViewContext
from anonymise.errors import UnknownTreatmentError
from anonymise.value import Row, Value

FULL, PSEUDONYM, GENERALISED = "full", "pseudonym", "generalised"
_CODED_VIEWS = frozenset({PSEUDONYM, GENERALISED})


@dataclass(frozen=True, slots=True)
class Treatment:
    """One named treatment.

    Attributes:
        name: As the policy vocabulary writes it.
        views: The views in which it may stand.
        bind: (field id, context) -> the function of one value, or of a value and the one beside.
        output: Field name -> name of the output field; None when nothing comes out.
        joins: Whether several fields may share one output ("yes" from any of them is yes).
        beside: Name of a second field, in the same category, that the function looks at.
    """

    name: str
    views: frozenset[str]
    bind: Callable[[str, ViewContext], Callable[..., Value]]
    output: Callable[[str], str | None]
    joins: bool = False
    beside: str | None = None

    def column(self, field: str, rows: Sequence[Row], context: ViewContext) -> list[Value]:
        """The treated values of a field, one for each row."""
        treat = self.bind(field, context)
        values = held(field, rows)
        if self.beside is None:
            return mapped(treat, values)
        return mapped(treat, values, held(_beside(field, self.beside), rows))


def looked_at(treatment: Treatment, field: str) -> frozenset[str]:
    """The field ids that a treatment reads for one output: the field, and what makes it sure.

    A birth date is read with its precision, a referral with the needs codes beside it.
    """
    # An age in years has no precision of its own, so there is none to fetch.
    if treatment.beside is None or field.endswith(".age"):
        return frozenset({field})
    return frozenset({field, _beside(field, treatment.beside)})


def treatment_named(name: str) -> Treatment:
    """The treatment of that name.

    Raises:
        UnknownTreatmentError: The name is not in the registry.
    """
    found = TREATMENTS.get(name)
    if found is None:
        raise UnknownTreatmentError(
            "a field names a treatment that this release does not have; "
            "correct the vocabulary or install the release that has it"
        )
    return found


def _beside(field: str, name: str) -> str:
    return f"{field.partition('.')[0]}.{name}"


def _each(change: Callable[[Value], Value]) -> Callable[[str, ViewContext], Callable[..., Value]]:
    """Bind a treatment that looks at nothing but the value."""
    return lambda _field, _context: change


def _banded(bands: age.Bands) -> Callable[[str, ViewContext], Callable[..., Value]]:
    """Bind an age treatment, which looks at the birth date's precision too."""

    def bind(_field: str, context: ViewContext) -> Callable[..., Value]:
        births = age.BirthBands.on(context.today, bands)
        last, told = births.last, births.told

        def treat(value: Value, precision: Value) -> Value:
            if precision == "day" and type(value) is date:  # as most are
                return told[bisect_left(last, value)]
            return coarse.band(value, precision, births, bands)

        return treat

    return bind


def _weekly(_field: str, _context: ViewContext) -> Callable[..., Value]:
    """Bind the week, which is remembered for the column."""
    return coarse.weeks()


def _interview(_field: str, _context: ViewContext) -> Callable[..., Value]:
    """Bind the procedural need, which looks at the needs codes too."""
    return coarse.procedural_need


def _nothing(_field: str, _context: ViewContext) -> Callable[..., Value]:
    return lambda _value: None


def _same(name: str) -> str:
    return name


def _named(output: str | None) -> Callable[[str], str | None]:
    return lambda _name: output


def _after(suffix: str) -> Callable[[str], str]:
    """Output names like event_date -> event_week."""
    return lambda name: f"{coarse.stem(name)}_{suffix}"


def _before(prefix: str) -> Callable[[str], str]:
    """Output names like guardian_ref -> has_guardian."""
    return lambda name: f"{prefix}_{coarse.stem(name)}"


_ALL = (
    Treatment("keep", frozenset({FULL, PSEUDONYM}), _each(passing.as_held), _same),
    Treatment("drop", frozenset({FULL, *_CODED_VIEWS}), _nothing, _named(None)),
    Treatment("case_no", frozenset({PSEUDONYM}), _nothing, _named(None)),
    Treatment(
        "age_band",
        _CODED_VIEWS,
        _banded(age.SIX_BANDS),
        _named("age_band"),
        beside="dob_precision",
    ),
    Treatment(
        "age_band_3",
        _CODED_VIEWS,
        _banded(age.THREE_BANDS),
        _named("age_band"),
        beside="dob_precision",
    ),
    Treatment(
        "age_band_10",
        _CODED_VIEWS,
        _banded(age.TEN_YEAR_BANDS),
        _named("age_band"),
        beside="dob_precision",
    ),
    Treatment("week", _CODED_VIEWS, _weekly, _after("week")),
    Treatment("month", _CODED_VIEWS, _each(coarse.month), _after("month")),
    Treatment("week_or_month", _CODED_VIEWS, groups.week_or_month, _after("period")),
    Treatment("nationality_or_region", _CODED_VIEWS, groups.nationality, _named("nationality")),
    Treatment(
        "region_of_origin", _CODED_VIEWS, _each(coarse.region_of_origin), _named("region_of_origin")
    ),
    Treatment("sex_merged", _CODED_VIEWS, groups.sex, _named("sex")),
    Treatment("place_region", _CODED_VIEWS, groups.place, _named("region")),
    Treatment("centre_region", _CODED_VIEWS, groups.place, _named("region")),
    Treatment("claim_state_3", _CODED_VIEWS, _each(coarse.claim_state), _named("claim_state")),
    Treatment("claim_open", _CODED_VIEWS, _each(coarse.claim_open), _named("claim_open")),
    Treatment("yes_no", _CODED_VIEWS, _each(coarse.yes_no), coarse.stem),
    Treatment("coded", frozenset({PSEUDONYM}), groups.coded, _after("code")),
    Treatment("size_band", _CODED_VIEWS, groups.size, _named("family_size")),
    Treatment("language_common", _CODED_VIEWS, groups.languages, _same),
    Treatment(
        "vulnerable", _CODED_VIEWS, _each(coarse.vulnerable), _named("vulnerable"), joins=True
    ),
    Treatment(
        "procedural_need",
        _CODED_VIEWS,
        _interview,
        _named("procedural_need"),
        beside="needs_codes",
    ),
    Treatment("contact_unit", _CODED_VIEWS, _each(coarse.contact_unit), _named("tracing")),
    Treatment("has_value", _CODED_VIEWS, _each(coarse.has_value), _before("has"), joins=True),
)

TREATMENTS: Mapping[str, Treatment] = MappingProxyType({entry.name: entry for entry in _ALL})
