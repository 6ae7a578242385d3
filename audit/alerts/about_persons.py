# SPDX-License-Identifier: EUPL-1.2
"""Rules about whom an officer looked up: protected persons, himself and his own, colleagues."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from audit.alerts.access import Access
from audit.alerts.context import Context, Officer, Person, covered
from audit.alerts.declared import Explanation, Rule, Signal, View, each

PRESENCE: Final = "presence"
_ASSIGNED: Final = "assigned_case"
_COMMON: Final = 500  # a surname that at least one in so many bears says little


def _matches(person: Person, access: Access) -> int:
    """How sure it is that an access was about a person: 0 no, 1 by name, 2 by number."""
    if person.is_referred_to(access):
        return 2
    return int(person.is_named(access))


_HOW: Final = {2: "by reference or document number", 1: "by name and birth as typed"}


# Protected persons -----------------------------------------------------------------------------


def _assigned(access: Access, context: Context) -> bool:
    if access.true_of_all(_ASSIGNED):
        return True
    return any(case.covers(access) for case in context.cases or ())


def _protected(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    listed = view.context.protected or ()
    for access in rest:
        sure = max((_matches(person, access) for person in listed), default=0)
        if sure:
            asked = "was refused" if access.refused else "was answered"
            reasons = (
                f"a person on the protected list was asked about, recognised {_HOW[sure]}",
                f"the question {asked}" + ("" if access.case_no else " and names no case"),
            )
            yield Signal((access,), 90 if sure > 1 else 70, reasons)


PROTECTED: Final = Rule(
    id="protected",
    signal="the person asked about is on the protected list",
    explanations=(
        Explanation(
            "assigned-case",
            "the person's case is assigned to the officer or his unit",
            "no case that the question names is assigned to this officer or unit for this person",
            each(_assigned),
            lambda context: context.cases is not None,
            "cases.csv is not there and the log notes no assigned case",
        ),
    ),
    find=_protected,
)

# Self or relative ------------------------------------------------------------------------------


def _is_own(access: Access, context: Context) -> bool:
    return any(
        _is_self(officer, access)
        for officer in context.officers or ()
        if officer.officer == access.officer
    )


def _is_self(officer: Officer, access: Access) -> bool:
    """Whether it is he: by number, or by his name with his date of birth."""
    named = officer.person.named
    by_birth = bool(named.born) and named.born == access.searched.born
    return officer.person.is_referred_to(access) or (by_birth and officer.person.is_named(access))


def _common(access: Access, context: Context) -> bool:
    """Whether many bear the surname; says nothing about a birth date that agrees, or a list."""
    one_in = (context.surnames or {}).get(access.searched.surnames)
    return one_in is not None and one_in < _COMMON and not _close(access, context)


def _close(access: Access, context: Context) -> int:
    """How sure it is that he asked about himself or somebody on his list of relatives."""
    if _is_own(access, context):
        return 2
    return max(
        (
            _matches(relative.person, access)
            for relative in context.relatives or ()
            if relative.officer == access.officer
        ),
        default=0,
    )


def _present(access: Access, context: Context) -> bool:
    """Whether the person stood before the officer; nobody checks himself at a crossing."""
    return PRESENCE in access.sure and not _is_own(access, context)


def _self_or_relative(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    context = view.context
    own_surname = {
        officer.officer: officer.person.named.surnames
        for officer in context.officers or ()
        if officer.person.named.surnames
    }
    for access in rest:
        if _is_own(access, context):
            reason = "the officer asked about himself, recognised by number, or by name and birth"
            yield Signal((access,), 95, (reason, _purpose_in_words(access)))
        elif close := _close(access, context):
            reason = f"somebody on the officer's list of relatives was asked about, {_HOW[close]}"
            yield Signal((access,), 85 if close > 1 else 70, (reason, _purpose_in_words(access)))
        elif access.searched.surnames and access.searched.surnames == own_surname.get(
            access.officer
        ):
            known = (context.surnames or {}).get(access.searched.surnames)
            rare = "how common it is, is not known" if known is None else f"one in {known} bears it"
            reason = f"the surname asked about is the officer's own; {rare}"
            yield Signal((access,), 50 if known else 40, (reason, _purpose_in_words(access)))


def _purpose_in_words(access: Access) -> str:
    purpose = access.purpose or "no purpose that the rules know"
    return f"stated purpose: {purpose}" + ("" if access.case_no else ", without a case")


SELF: Final = Rule(
    id="self-or-relative",
    signal="the officer's own name, birth or number, a relative of his, or his rare surname",
    explanations=(
        Explanation(
            "common-surname",
            "more than one in 500 people bears the surname",
            "the surname is rare, or not only the surname agrees",
            each(_common),
            lambda context: context.surnames is not None,
            "surnames.csv is not there",
        ),
        Explanation(
            "presence",
            "the person stood before the officer at the crossing",
            "no presence was captured for the question, or the officer asked about himself",
            each(_present),
        ),
    ),
    find=_self_or_relative,
)

# Colleague -------------------------------------------------------------------------------------


def _vets(access: Access, context: Context) -> bool:
    return covered(context.vetting, access)


def _colleague(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    users = view.context.officers or ()
    for access in rest:
        others = (user for user in users if user.officer != access.officer)
        sure, same = _best(others, access)
        if sure:
            where = "of his own unit" if same else "of another unit"
            reason = f"a registered user {where} was asked about, {_HOW[sure]}"
            yield Signal((access,), 75 if sure > 1 else 60, (reason, _purpose_in_words(access)))


def _best(users: Iterable[Officer], access: Access) -> tuple[int, bool]:
    found = [(_matches(user.person, access), user.unit == access.unit) for user in users]
    return max(found, default=(0, False))


COLLEAGUE: Final = Rule(
    id="colleague",
    signal="the person asked about is a registered user",
    explanations=(
        Explanation(
            "duty-to-vet",
            "the officer or his unit had the duty to vet users at that time",
            "no duty to vet covers the officer or his unit at that time",
            each(_vets),
            lambda context: context.vetting is not None,
            "vetting.csv is not there",
        ),
    ),
    find=_colleague,
)
