# SPDX-License-Identifier: EUPL-1.2
"""A published copy of a release becomes an entry of the log before it takes its name.

The entry is of kind `export`: whose data, which organisation, for what, how many rows, under which
rule set. What the gate found, until when the copy may be held, who ordered it and the keys of its
watermark stand in the detail, sealed to the data-protection officers of the owner and of the
recipient's country (GDPR Arts. 5(2) and 30(1)(d); HUM-10). docs/formats/release.md, section 5.
`cuvar release publish` calls it.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

import orjson

from anonymise.release.check import Verdict as Passed
from anonymise.release.columns import Columns
from anonymise.release.manifest import Manifest
from anonymise.release.publish import Copy, Ticket
from anonymise.release.verdict import Limits
from audit import (
    Envelope,
    Kind,
    Operation,
    Owner,
    Pending,
    Requester,
    Status,
    Verdict,
    encode_envelope,
    new_entry_id,
)
from audit.retention import year_after
from gateway.errors import GatewayError
from gateway.opening import open_journal, open_rules, utc_now
from gateway.readers import open_sealer
from gateway.release_columns import undeclared
from gateway.released import Source, require_new
from gateway.settings import Settings
from gateway.settings.releases import ReleasesSettings

DUTIES: Final = ("expire_export", "watermark")
RULE: Final = "release passed the gate"
VIEW: Final = "generalised"
LONGEST_DAYS: Final = 731
PURPOSE: Final = "statistics"
RECEIVERS: Final = frozenset({"humanitarian_analyst", "statistician"})
LEAST_K: Final = 5  # for a partner (GDP-38); 10 is for what everybody may have
LEAST_L: Final = 2
MOST_RISK: Final = 0.25


class ReleaseOrderError(GatewayError):
    """A release cannot be published as ordered."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who orders a copy, for whom, and until when it may be held.

    Attributes:
        owner: The country whose data it is.
        recipient: The organisation that gets it.
        purpose: Of the closed list.
        expires: The last day.
        person: Who ordered it; sealed.
        file_no: The order's file number; sealed.
    """

    owner: str
    recipient: str
    purpose: str
    expires: date
    person: str
    file_no: str


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the settings say about an order.

    Attributes:
        country: Of the recipient.
        policy: Digest of the rule set.
    """

    country: str
    policy: str


def check_order(settings: Settings, order: Order, today: date) -> Grounds:
    """Hold an order against the vocabulary of the rules.

    Raises:
        ReleaseOrderError: It names what the rules don't know, or a day that is past or too far.
        RuleSetError: The rules can't be read.
    """
    snapshot = open_rules(settings, today)
    words = snapshot.vocabulary
    if order.owner not in words.countries:
        raise ReleaseOrderError(f"no such country; one of {', '.join(sorted(words.countries))}")
    organisation = words.organisations.get(order.recipient)
    if organisation is None:
        raise ReleaseOrderError(
            "the recipient is no organisation of the rules; see "
            "policies/rules/vocabulary/organisations.csv"
        )
    if order.purpose not in words.purposes:
        raise ReleaseOrderError(f"no such purpose; one of {', '.join(sorted(words.purposes))}")
    roles = [role for name, role in words.roles.items() if name in RECEIVERS]
    may = frozenset().union(*(role.held_by for role in roles))
    if order.purpose != PURPOSE or not {organisation.id, organisation.kind} & may:
        raise ReleaseOrderError(
            f"a release goes for {PURPOSE} to those whom the rules give tables: kinds"
            f" {', '.join(sorted(may))} (GDP-36)"
        )
    days = (order.expires - today).days
    if not 0 < days <= LONGEST_DAYS:
        raise ReleaseOrderError("a copy expires on a day to come, within two years (HUM-10)")
    return Grounds(organisation.country, snapshot.digest)


def objections(settings: ReleasesSettings, columns: Columns, limits: Limits) -> tuple[str, ...]:
    """Why a draft would not be published, whatever the gate finds in it.

    Args:
        settings: Of the house.
        columns: Of the draft, and as what they are published.
        limits: What it is held to.
    """
    low = {
        f"k under {LEAST_K}": limits.k < LEAST_K,
        f"l under {LEAST_L}": columns.sensitive is not None and limits.l < LEAST_L,
        f"a risk over {MOST_RISK}": not limits.most_risk <= MOST_RISK,
    }
    told = ", ".join(words for words, true in low.items() if true)
    held = f"the draft is held to {told}: nothing so exposed is published (GDP-38); make it anew"
    return (*((held,) if told else ()), *undeclared(settings, columns))


def require_floor(settings: ReleasesSettings, manifest: Manifest) -> None:
    """Refuse a draft that exposes more than the house allows, whatever its maker wrote down.

    Raises:
        ReleaseOrderError: It names what was too low, or which column is published as what it is
            not; make the release anew.
    """
    told = objections(settings, manifest.columns, manifest.limits)
    if told:
        raise ReleaseOrderError("; ".join(told))


async def ticket_of(settings: Settings, order: Order, manifest: Manifest) -> Ticket:
    """What a copy carries: the identity of the entry that will stand for it, and the open log.

    Raises:
        AuditError: The owner's log can't be opened.
        ReleasedBeforeError: Something else was made of the same table, and published.
        ReleaseOrderError: The owner keeps no log here.
    """
    journal = await open_journal(settings)
    try:
        if order.owner not in journal.countries:
            raise ReleaseOrderError(
                f"{order.owner} keeps no log here, so nothing of it can be released; "
                "publish on a gateway that keeps it"
            )
        log = journal.current(order.owner)
        place = settings.log.url.get_secret_value()
        await require_new(journal, place, _source(order, manifest))
    finally:
        await journal.close()
    entry = new_entry_id(utc_now(), os.urandom(10))
    return Ticket(order.owner, order.recipient, order.purpose, order.expires, entry, log)


async def record(
    settings: Settings, order: Order, grounds: Grounds, copy: Copy, passed: Passed
) -> list[str]:
    """Make a copy an entry of the owner's log, and of the recipient's country where it keeps one.

    Gives the addresses of the entries, once they are durable.

    Raises:
        AuditError: The log can't be written to; the copy must not take its name.
        ReleaseOrderError: The log was turned meanwhile.
        ReleasedBeforeError: Something else of the same table was published meanwhile.
    """
    journal = await open_journal(settings)
    try:
        ticket = copy.ticket
        if journal.current(order.owner) != ticket.log:
            raise ReleaseOrderError(f"{ticket.log} was closed meanwhile; publish once more")
        place = settings.log.url.get_secret_value()
        await require_new(journal, place, _source(order, passed.manifest))
        logs = [ticket.log]
        if grounds.country != order.owner and grounds.country in journal.countries:
            logs.append(journal.current(grounds.country))
        told = await journal.append(_entries(settings, order, grounds, (copy, passed), logs))
    finally:
        await journal.close()
    return [f"{position.log}/{position.index}" for position in told]


def _source(order: Order, manifest: Manifest) -> Source:
    return Source(manifest.source, manifest.sha256, order.owner)


def _entries(
    settings: Settings,
    order: Order,
    grounds: Grounds,
    made: tuple[Copy, Passed],
    logs: Sequence[str],
) -> list[Pending]:
    copy, passed = made
    now = utc_now()
    sealer, readers = open_sealer(settings, utc_now)
    keys = readers.of(order.owner, grounds.country) or readers.everybody()
    sealed = sealer.seal(orjson.dumps(_detail(order, copy, passed, now)), keys)
    envelope = Envelope(
        id=copy.ticket.entry,
        kind=Kind.EXPORT,
        t=now,
        log=logs[0],
        requester=Requester(grounds.country, order.recipient, None),
        owner=Owner(order.owner, None),
        op=Operation.DISCLOSE if grounds.country == order.owner else Operation.TRANSFER,
        purpose=order.purpose,
        decision=Verdict.ALLOW,
        view=VIEW,
        rules=(RULE,),
        policy=grounds.policy,
        duties=DUTIES,
        count=copy.rows,
        status=Status.DONE,
        correlation=_source(order, passed.manifest).correlation(copy.sha256),
        detail=sealed.commitment.hex(),
        keys=tuple(keys),
        erase=_erasure(order, now),
    )
    return [Pending(encode_envelope(replace(envelope, log=log)), sealed) for log in logs]


def _erasure(order: Order, now: datetime) -> str:
    """A year after the copy has expired: until then a leak must be traceable (INT-10)."""
    end = datetime(order.expires.year, order.expires.month, order.expires.day, tzinfo=UTC)
    return year_after(max(end, now))


def _detail(order: Order, copy: Copy, passed: Passed, now: datetime) -> dict[str, object]:
    found, manifest = passed.found, passed.manifest
    return {
        "v": 3,
        "ordered_by": order.person,
        "file_no": order.file_no,
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "expires": order.expires.isoformat(),
        "release": copy.draft,
        "copy": copy.sha256,
        "mark": copy.mark.secret.hex(),
        "table": manifest.source,
        "kept": dict(manifest.kept),
        "attacker": None if passed.evaluation.proof is None else asdict(passed.evaluation.proof),
        "made": {
            "method": manifest.method,
            "steps": manifest.steps,
            "seed": manifest.seed,
            "control": manifest.control,
            "most_suppressed": manifest.most_suppressed,
            "hierarchies": dict(manifest.hierarchies),
        },
        "columns": list(manifest.columns.published),
        "limits": asdict(manifest.limits),
        "held": {"k": found.k, "l": found.l, "t": found.t, "classes": found.classes},
        "suppressed": manifest.summary.suppressed,
        "attacks": [
            {"name": one.name, "attempts": one.attempts, "risk": one.risk, "high": one.high}
            for one in passed.attacks
        ],
    }
