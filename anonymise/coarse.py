# SPDX-License-Identifier: EUPL-1.2
"""Treatments that look at one value only: weeks, regions, claim states, needs.

Each takes a value in the common model and gives the coarser one; what it does not understand
becomes None or "unknown". Codes as in access matrix §1.3 (needs: UNHCR specific-needs letters).
"""

from collections.abc import Callable
from datetime import date, datetime

from anonymise.age import UNKNOWN, Bands, BirthBands, band_of_age
from anonymise.regions import UNKNOWN_REGION, region_of
from anonymise.value import Value

POSSIBLE_MATCH = "possible match, contact the tracing unit"
NOTHING_TO_TELL = "nothing to tell"
SEVERAL_REGIONS = "several"

_CLAIM_STATES = {
    "open": "open",
    "granted": "protected",
    "refused": "decided",
    "withdrawn": "decided",
    "closed": "decided",
}
_EMPTY: frozenset[Value] = frozenset({None, "", (), False})
_NO: frozenset[Value] = _EMPTY | {"no"}
# Tracing states in which there is something to tell.
_MATCHED: frozenset[Value] = frozenset({"found", "match", "matched", "possible_match"})
# Specific-needs letters, and kinds of referral.
_NEED_OF = {
    "child_protection": "child-friendly",
    "guardianship": "child-friendly",
    "medical": "medical",
    "psychosocial": "medical",
    "gender_based_violence": "same-sex interpreter",
    "CR": "child-friendly",
    "SC": "child-friendly",
    "DS": "medical",
    "ER": "medical",
    "SM": "medical",
    "TR": "medical",
    "SV": "same-sex interpreter",
    "WR": "same-sex interpreter",
}
NO_NEED = "none"
_WEEKS = tuple(f"-W{number:02}" for number in range(54))
_TAILS = ("_on", "_at", "_date", "_no", "_number", "_reference", "_ref", "_code", "_codes", "_id")


def stem(field: str) -> str:
    """A field's name without the tail that says how it is written: event_date -> event."""
    return next((field.removesuffix(tail) for tail in _TAILS if field.endswith(tail)), field)


def band(value: Value, precision: Value, births: BirthBands, bands: Bands) -> str:
    """Age band of a date of birth (with its precision code, if any) or of an age in years."""
    if isinstance(value, date):
        # A precision that is no text is no precision that we know.
        known = precision if isinstance(precision, str) or precision is None else UNKNOWN
        return births.of(value.date() if isinstance(value, datetime) else value, known)
    if isinstance(value, int) and not isinstance(value, bool):
        return band_of_age(value, bands)
    return UNKNOWN


def week(value: Value) -> str | None:
    """ISO 8601 week, "2026-W48"."""
    if not isinstance(value, date):
        return None
    year, number, _ = value.isocalendar()
    return f"{year:04}{_WEEKS[number]}"


def weeks() -> Callable[[Value], str | None]:
    """The same for a column, whose dates lie in few weeks: each week is worked out once."""
    told: dict[int, str | None] = {}

    def treat(value: Value) -> str | None:
        if not isinstance(value, date):
            return None
        number = (value.toordinal() - 1) // 7  # 1 January of the year 1 was a Monday
        found = told.get(number)
        if found is None:
            found = told[number] = week(value)
        return found

    return treat


def month(value: Value) -> str | None:
    """Calendar month, "2026-11"."""
    return f"{value.year:04}-{value.month:02}" if isinstance(value, date) else None


def words(value: Value) -> tuple[str, ...]:
    """The codes in a value that holds one or many; empty for anything else."""
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, tuple):
        return tuple(part for part in value if part)
    return ()


def region_of_origin(value: Value) -> str:
    """Region of the nationalities; "several" when they lie in more than one."""
    regions = {region_of(code) for code in words(value)}
    if len(regions) > 1:
        return SEVERAL_REGIONS
    return next(iter(regions), UNKNOWN_REGION)


def claim_state(value: Value) -> str:
    """Claim as open, decided or protected."""
    return _CLAIM_STATES.get(value, UNKNOWN) if isinstance(value, str) else UNKNOWN


def claim_open(value: Value) -> str:
    """Whether the claim is open."""
    state = claim_state(value)
    return state if state == UNKNOWN else _yes(state == "open")


def yes_no(value: Value) -> str:
    """Whether a flag is set or a code other than "no" recorded (an alert, say)."""
    return _yes(value not in _NO)


def has_value(value: Value) -> str:
    """Whether the register holds anything here (a guardian, say)."""
    return _yes(value not in _EMPTY)


def vulnerable(value: Value) -> str:
    """Whether any need, mark or code is recorded; "unknown" when the register holds no answer."""
    return UNKNOWN if value is None else yes_no(value)


def procedural_need(referral: Value, needs: Value) -> tuple[str, ...] | str:
    """What an interview must provide for, sorted, from the referral and the needs beside it.

    "unknown" when the register answers neither; "none" when nothing asks for more.
    """
    if referral is None and needs is None:
        return UNKNOWN
    codes = (*words(referral), *words(needs))
    told = {_NEED_OF[code] for code in codes if code in _NEED_OF}
    return tuple(sorted(told)) if told else NO_NEED


def contact_unit(value: Value) -> str:
    """Whether the tracing unit has something to say; how far the search is stays inside."""
    return POSSIBLE_MATCH if value in _MATCHED else NOTHING_TO_TELL


def _yes(truth: bool) -> str:  # noqa: FBT001 - the one thing it says in words is this truth
    return "yes" if truth else "no"
