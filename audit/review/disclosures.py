# SPDX-License-Identifier: EUPL-1.2
"""The list of disclosures for a person who asks who consulted her data (GDPR Arts. 15 and 19).

Each line tells when, for what, which authority and unit, on what legal basis and which categories,
and carries a receipt, so that it can be proved. Officers' names are withheld unless the
data-protection officer decides otherwise (CJEU C-579/21 Pankki S). Consultations by law enforcement
are told through the supervisory authority only; the notice reads the same whether there were any or
none (Directive (EU) 2016/680, Arts. 15 and 17). The recipients who must be told of a rectification
are a list of their own, for the data-protection officer alone (GDPR Art. 19, LED Art. 16(6)).
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from audit.envelope import format_time
from audit.review.opened import Opened
from audit.review.terms import persons_of
from audit.vocabulary import Kind, Verdict

RESTRICTED: Final = frozenset({"law_enforcement", "verification"})
_TOLD: Final = frozenset(
    {Kind.ACCESS, Kind.EXPORT, Kind.BREAK_GLASS, Kind.REIDENTIFICATION, Kind.SUBJECT_REQUEST}
)
_UNNAMED: Final = "not recorded"
NOTICE: Final = (
    "Consultations for the prevention or prosecution of crime, if there were any, are not part of"
    " this list. The supervisory authority tells you whether your rights were kept"
    " (Directive (EU) 2016/680, Article 17)."
)
ALL_TOLD: Final = "Consultations for the prevention or prosecution of crime are part of this list."


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One consultation of the person's data.

    Attributes:
        categories: what was given, () where nothing was.
        officer: None unless officers are told.
        receipt: the .tlog-proof that proves the entry, and under which name it is handed over.
    """

    log: str
    index: int
    t: str
    purpose: str
    org: str
    country: str
    unit: str
    basis: str
    categories: tuple[str, ...]
    view: str | None
    officer: str | None
    receipt_name: str
    receipt: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who must be told of a rectification, an erasure or a restriction."""

    org: str
    country: str
    last: str
    categories: tuple[str, ...]
    restricted: bool


@dataclass(frozen=True, slots=True)
class DisclosureList:
    """What the person is told."""

    lines: tuple[Disclosure, ...]
    notice: str
    with_officers: bool

    def document(self) -> dict[str, Any]:
        """The list as JSON has it, receipts included."""
        return asdict(self)


def _concerns(entry: Opened, persons: frozenset[str]) -> bool:
    return (
        entry.detail is not None
        and entry.envelope.kind in _TOLD
        and entry.envelope.decision is not Verdict.DENY
        and not persons.isdisjoint(persons_of(entry.detail))
    )


def _categories(entry: Opened) -> tuple[str, ...]:
    return tuple(sorted({name.partition(".")[0] for name in entry.envelope.fields}))


def disclosures(
    entries: Iterable[Opened],
    persons: frozenset[str],
    receipt: Callable[[Opened], str],
    *,
    with_officers: bool = False,
    with_restricted: bool = False,
) -> DisclosureList:
    """What to tell a person, oldest first.

    Args:
        entries: those that may concern her; others are left out.
        persons: every reference that means her.
        receipt: proves one entry.
        with_officers: also name officers, where that was weighed and decided.
        with_restricted: also list law enforcement, where no restriction stands.
    """
    lines = [
        _line(entry, receipt, with_officers=with_officers)
        for entry in entries
        if _concerns(entry, persons)
        and (with_restricted or entry.envelope.purpose not in RESTRICTED)
    ]
    lines.sort(key=lambda line: (line.t, line.log, line.index))
    return DisclosureList(tuple(lines), ALL_TOLD if with_restricted else NOTICE, with_officers)


def _line(entry: Opened, receipt: Callable[[Opened], str], *, with_officers: bool) -> Disclosure:
    envelope, detail = entry.envelope, entry.detail or {}
    requester = envelope.requester
    return Disclosure(
        log=entry.origin,
        index=entry.index,
        t=format_time(envelope.t),
        purpose=envelope.purpose or _UNNAMED,
        org=_UNNAMED if requester is None else requester.org,
        country=_UNNAMED if requester is None else requester.country,
        unit=str(detail.get("unit") or _UNNAMED),
        basis=envelope.basis or _UNNAMED,
        categories=_categories(entry),
        view=envelope.view,
        officer=str(detail.get("officer") or _UNNAMED) if with_officers else None,
        receipt_name=f"{entry.origin.replace('/', '_')}_{entry.index}.tlog-proof",
        receipt=receipt(entry),
    )


def recipients(entries: Iterable[Opened], persons: frozenset[str]) -> tuple[Recipient, ...]:
    """Everybody to whom data of the person were given, law enforcement included."""
    found: dict[tuple[str, str, bool], tuple[str, set[str]]] = {}
    for entry in entries:
        requester = entry.envelope.requester
        if requester is None or not entry.envelope.count or not _concerns(entry, persons):
            continue
        restricted = entry.envelope.purpose in RESTRICTED
        key = (requester.country, requester.org, restricted)
        last, categories = found.get(key, ("", set()))
        when = max(last, format_time(entry.envelope.t))
        found[key] = (when, categories | set(_categories(entry)))
    return tuple(
        Recipient(org, country, last, tuple(sorted(categories)), restricted)
        for (country, org, restricted), (last, categories) in sorted(found.items())
    )
