# SPDX-License-Identifier: EUPL-1.2
"""Treatments that depend on how many others share a value, and those that need a look-up.

A fine form is told only when at least `SHARED_BY` persons of the recipient's domain share it
(access matrix §1.3, "if < 10"), a nationality only when `Anonymity.nationality_from` are present
in the register. The counts come from the caller; where they are missing, the coarser form is
told. `tally` counts in the same forms that these treatments look up.

Known limit: a region can itself be rare in a pseudonym view. Generalised views are checked as a
whole, by `gathering`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from anonymise import coarse
from anonymise.age import UNKNOWN
from anonymise.context import ViewContext
from anonymise.errors import UnknownTreatmentError
from anonymise.value import Value

SHARED_BY = 10
ANY_SEX = "any"
_SEXES = frozenset({"M", "F", "X"})
# ISO 639, with a script or country if need be; so that nothing but languages passes as one.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_SIZES = ((5, "5+"), (3, "3-4"), (2, "2"), (1, "1"))

Bound = Callable[[Value], Value]


def _nationality_form(value: Value) -> str:
    # Two nationalities of one person are one form: the pair can be rare where neither is.
    return "+".join(sorted(set(coarse.words(value))))


def _sex_form(value: Value) -> str:
    return value if isinstance(value, str) and value in _SEXES else ""


def _size_form(value: Value) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _languages(value: Value) -> tuple[str, ...]:
    return tuple(word for word in coarse.words(value) if _LANGUAGE.fullmatch(word))


_FORMS: Mapping[str, Callable[[Value], Iterable[str]]] = {
    "nationality_or_region": lambda value: (_nationality_form(value),),
    "sex_merged": lambda value: (_sex_form(value),),
    "week_or_month": lambda value: (coarse.week(value) or "",),
    "language_common": lambda value: set(_languages(value)),
    "size_band": lambda value: (_size_form(value),),
}
COUNTED = frozenset(_FORMS)


def tally(treatment: str, values: Iterable[Value]) -> dict[str, int]:
    """How many persons share each fine form of a field; one value for each person.

    For `size_band` the forms are the groups themselves, so the tally is each group's size.

    Raises:
        UnknownTreatmentError: The treatment does not depend on counts (see `COUNTED`).
    """
    forms = _FORMS.get(treatment)
    if forms is None:
        raise UnknownTreatmentError(
            "only treatments that depend on a group's size are counted; see groups.COUNTED"
        )
    counted = Counter(form for value in values for form in forms(value) if form)
    return dict(counted)


def week_or_month(field: str, context: ViewContext) -> Bound:
    """ISO week, or the month where the week is rare."""
    counts = context.counts.get(field, {})

    def treat(value: Value) -> Value:
        fine = coarse.week(value)
        return fine if counts.get(fine or "", 0) >= SHARED_BY else coarse.month(value)

    return treat


def nationality(field: str, context: ViewContext) -> Bound:
    """Nationality ("AF", or "AF+PK" of one person), or the region where it is rare."""
    counts = context.counts.get(field, {})
    enough = context.anonymity.nationality_from

    def treat(value: Value) -> Value:
        fine = _nationality_form(value)
        return fine if counts.get(fine, 0) >= enough else coarse.region_of_origin(value)

    return treat


def sex(field: str, context: ViewContext) -> Bound:
    """Sex, or "any" for everybody as soon as one sex that is present is rare.

    Merging only the rare one would name it.
    """
    counts = context.counts.get(field, {})
    present = {form for form, persons in counts.items() if persons > 0}
    common = all(counts[form] >= SHARED_BY for form in present)

    def treat(value: Value) -> Value:
        fine = _sex_form(value)
        return fine if common and fine in present else ANY_SEX

    return treat


def languages(field: str, context: ViewContext) -> Bound:
    """The languages that enough others speak; the rare ones are left out."""
    counts = context.counts.get(field, {})

    def treat(value: Value) -> Value:
        spoken = _languages(value)
        return tuple(one for one in spoken if counts.get(one, 0) >= SHARED_BY)

    return treat


def size(field: str, context: ViewContext) -> Bound:
    """Size of the group that the value names, as 1, 2, 3-4 or 5+."""
    counts = context.counts.get(field, {})

    def treat(value: Value) -> Value:
        persons = counts.get(_size_form(value), 0)
        return next((name for first, name in _SIZES if persons >= first), UNKNOWN)

    return treat


def place(_field: str, context: ViewContext) -> Bound:
    """Region of a place or centre; "unknown" where the caller's table has none."""
    places = context.places

    def treat(value: Value) -> Value:
        return places.get(value, UNKNOWN) if isinstance(value, str) else UNKNOWN

    return treat


def coded(field: str, context: ViewContext) -> Bound:
    """The domain's own code for a group or a linked person; None without a coder."""
    code = context.coded

    def treat(value: Value) -> Value:
        form = _size_form(value)
        return code(field, form) if code is not None and form else None

    return treat
