# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy agreements`: what is agreed between whom, and whether it is in force on a day."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click

from gateway.commands.options import with_json
from gateway.commands.policy.folder import read_rules, with_rules
from policies import Truth
from policies.agreements import Agreement

_WORDS: Final = {
    Truth.TRUE: "in force",
    Truth.POSSIBLE: "not certain, so it counts for nothing",
    Truth.FALSE: "not in force",
}


@click.command()
@with_rules
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day; today if absent.")
@click.option("--pair", default=None, help="Only these two, in any order: BA,HR.")
@with_json
def agreements(rules: Path | None, on: datetime | None, pair: str | None, *, as_json: bool) -> None:
    """Show agreements: kind, parties, purposes, data, clocks, contacts, and whether they count.

    \b
    Examples:
      cuvar policy agreements --pair RS,AT
      cuvar policy agreements --on 2027-01-01 --json
    """
    snapshot = read_rules(rules)
    day = datetime.now(UTC).date() if on is None else on.date()
    rows = [row for row in snapshot.agreements.rows if pair is None or row.parties == _pair(pair)]
    if as_json:
        click.echo(json.dumps([_document(row, day) for row in rows], ensure_ascii=False))
        return
    for row in rows:
        click.echo(_lines(row, day))
    count = sum(row.in_force(day) is Truth.TRUE for row in rows)
    click.echo(f"{len(rows)} agreements, {count} in force on {day}")


def _pair(text: str) -> frozenset[str]:
    parties = frozenset(text.split(","))
    if len(parties) != 2:  # noqa: PLR2004  a pair
        raise click.BadParameter("name two parties, as BA,HR", param_hint="--pair")
    return parties


def _lines(row: Agreement, day: date) -> str:
    clocks = ", ".join(f"{name} {value}" for name, value in row.clocks.items()) or "none stated"
    silence = {"agreed": ", silence means agreed", "refused": ", silence means refused"}
    until = f" to {row.last}" if row.last else ""
    return "\n".join(
        (
            f"{row.id}: {row.kind}, {row.a} and {row.b}: {_WORDS[row.in_force(day)]}",
            f"    from {row.first or 'an open day'}{until}; {_checked(row)}; {row.reference}",
            f"    for {' + '.join(row.purposes)}; covers {' + '.join(row.fields)}",
            f"    clocks: {clocks}{silence.get(row.silence, '')}",
            f"    contact: {' + '.join(row.contacts) or 'nobody named'}",
        )
    )


def _checked(row: Agreement) -> str:
    return "checked against its text" if row.verified else "not checked against its text"


def _document(row: Agreement, day: date) -> dict[str, object]:
    return {
        "id": row.id,
        "kind": row.kind,
        "parties": [row.a, row.b],
        "purposes": row.purposes,
        "fields": row.fields,
        "signed": _iso(row.signed),
        "from": _iso(row.first),
        "to": _iso(row.last),
        "verified": row.verified,
        "in_force": row.in_force(day).value,
        "clocks": dict(row.clocks),
        "silence": row.silence,
        "contacts": row.contacts,
        "reference": row.reference,
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
