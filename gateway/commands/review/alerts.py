# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review alerts …`: scan a copy for what nothing explains, and move the queue of alerts."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import click

from audit.alerts import Alert, Item, State
from audit.forms import MAX_ITEMS
from audit.ranges import ranges_of
from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, with_desk
from gateway.commands.review.posting import post
from gateway.commands.review.scanning import (
    Known,
    NoSuchAlertError,
    Reader,
    Scanned,
    logs_of,
    scan_all,
    size_of,
)

_MEMORY: Final = "alerts"
_OUTCOMES: Final = ("justified", "unjustified", "withdrawn")
_with_context = click.option(
    "--context",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="Your folder of rosters, cases and lists; see docs/formats/review-context.md.",
)
_with_text = click.option(
    "--text", type=click.File(encoding="utf-8"), required=True, help="A file, or - to type it."
)


@click.group()
def alerts() -> None:
    """Alerts: accesses that nothing explains, and what becomes of them."""


@alerts.command("scan")
@with_desk
@with_json
@_with_context
@click.option("--all", "everything", is_flag=True, help="Also what an earlier scan found.")
def scan(desk: Desk, context: Path, *, as_json: bool, everything: bool) -> None:
    """Scan a copy: explanations first, then eight rules, then one in a hundred of the rest.

    \b
    Example:
      cuvar review alerts scan --log copy.sqlite --origin audit.example/BA/2026h2 \\
        --key dpo-BA.key --context my-files --json
    The scan itself becomes an entry of the log.
    """
    known = Known(desk.index.with_name(f"{desk.index.name}.{_MEMORY}"))
    with logs_of(desk) as copies:
        found, queue = scan_all(desk, copies, context)
        for copy in copies:
            desk.record("alerts scan", copy, (0, max(size_of(copy) - 1, 0)), {})
    raised, logs = queue.findings(), []
    for one in found:
        before = known.names(one.origin)
        listed = [
            alert
            for alert in (*one.found.alerts, *one.found.sample)
            if everything or alert.id not in before
        ]
        logs.append({**_summary(one), "alerts": [_document(a, before, raised) for a in listed]})
    click.echo(json.dumps(logs, ensure_ascii=False) if as_json else "\n".join(_lines(logs)))
    for one in found:
        known.remember(one.origin, [a.id for a in (*one.found.alerts, *one.found.sample)])
    desk.hand_in()


@alerts.command()
@with_desk
@with_json
@click.option("--open", "only_open", is_flag=True, help="Leave out what is closed.")
def queue(desk: Desk, *, as_json: bool, only_open: bool) -> None:
    """The queue as the log has it: where each alert stands and what is due.

    \b
    Example:
      cuvar review alerts queue --log copy.sqlite --key dpo-BA.key --open
    """
    with logs_of(desk) as copies:
        found = Reader(desk).follow(copies)
        for copy in copies:
            desk.record("alerts queue", copy, (0, max(size_of(copy) - 1, 0)), {})
    now = datetime.now(UTC)
    items = sorted(found.items.values(), key=lambda item: (item.due or item.moved, item.alert))
    items = [item for item in items if not only_open or item.state is not State.CLOSED]
    if as_json:
        told = [{**asdict(item), "overdue": item.overdue(now)} for item in items]
        click.echo(json.dumps(told, ensure_ascii=False, default=_plain))
    else:
        click.echo("\n".join(_line(item, now) for item in items) or "no alerts")
    if found.odd:
        click.echo(f"{len(found.odd)} entries are steps that fit no alert", err=True)
    desk.hand_in()


@alerts.command("raise")
@click.argument("finding")
@with_desk
@with_json
@_with_context
def raise_(desk: Desk, finding: str, context: Path, *, as_json: bool) -> None:
    """Put what a scan found into the queue, by the id that the scan printed.

    \b
    Example:
      cuvar review alerts raise 6a086c2e38fdc94979c0c8611b3eb272 --log copy.sqlite \\
        --key dpo-BA.key --context my-files --gateway https://… --token-file token
    """
    with logs_of(desk) as copies:
        found, _ = scan_all(desk, copies, context)
    every = (a for one in found for a in (*one.found.alerts, *one.found.sample))
    alert = next((a for a in every if a.id == finding), None)
    if alert is None:
        raise NoSuchAlertError("this copy, with these files, shows no such finding; scan it anew")
    about, left_out = named(alert.entries)
    why = [*left_out, *_why(_document(alert, frozenset(), frozenset()))]
    body = {
        "log": alert.log,
        "about": about,
        "rule": alert.rule,
        "officer": {"issuer": alert.issuer, "officer": alert.officer},
        "unit": alert.unit,
        "score": alert.score,
        "finding": alert.id,
        "text": "\n".join(why),
    }
    _told(post(desk, "alert", body), as_json=as_json)


@alerts.command()
@click.argument("alert")
@with_desk
@with_json
@_with_text
def ask(desk: Desk, alert: str, text: TextIO, *, as_json: bool) -> None:
    """Put a question to the officer whom an alert is about.

    \b
    Example:
      cuvar review alerts ask 019ab5f0-0000-7000-8000-000000000001 --text question.txt \\
        --log copy.sqlite --key dpo-BA.key --gateway https://… --token-file token
    """
    body = {"alert": alert, "officer": _concerns(desk, alert), "text": text.read()}
    _told(post(desk, "question", body), as_json=as_json)


@alerts.command()
@click.argument("alert")
@with_desk
@with_json
@_with_text
@click.option("--outcome", type=click.Choice(_OUTCOMES), required=True)
def close(desk: Desk, alert: str, text: TextIO, outcome: str, *, as_json: bool) -> None:
    """Close an alert: justified, unjustified (which opens a breach), or withdrawn.

    \b
    Example:
      cuvar review alerts close 019ab5f0-0000-7000-8000-000000000001 --outcome justified \\
        --text - --log copy.sqlite --key dpo-BA.key --gateway https://… --token-file token
    """
    concerns = _concerns(desk, alert)
    body = {"alert": alert, "outcome": outcome, "officer": concerns, "text": text.read()}
    _told(post(desk, "close", body), as_json=as_json)
    if outcome == "unjustified":
        click.echo(
            "a breach: note when you learnt of it; the authority is told within 72 hours of that,"
            " the persons concerned where the risk is high, another country whose data it was at"
            " once (GDP-11)",
            err=True,
        )


def _concerns(desk: Desk, alert: str) -> dict[str, Any]:
    """The officer whom an alert is about, out of its sealed part."""
    with logs_of(desk) as copies:
        reader = Reader(desk)
        reader.follow(copies)
    found = reader.concerns.get(alert)
    if found is None:
        raise NoSuchAlertError("this copy shows no such alert to this key; get a newer copy")
    return {name: found.get(name, "") for name in ("issuer", "officer")}


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _told(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer))
        return
    due = f", next step due {answer['due']}" if answer.get("due") else ""
    click.echo(f"alert {answer['alert']}: {answer['state']}{due}; entry {answer['entry']}")


def _summary(one: Scanned) -> dict[str, Any]:
    found = one.found
    return {
        "log": one.origin,
        "entries": one.size,
        "accesses": found.accesses,
        "explained": dict(found.explained),
        "explained_at_all": found.explained_at_all,
        "signals_without_explanations": dict(found.signals_without),
        "signals": len(found.alerts),
    }


def _document(alert: Alert, before: frozenset[str], raised: frozenset[str]) -> dict[str, Any]:
    return {
        **asdict(alert),
        "entries": list(ranges_of(alert.entries)),
        "new": alert.id not in before,
        "raised": alert.id in raised,
    }


def _lines(logs: list[dict[str, Any]]) -> list[str]:
    lines = []
    for log in logs:
        without = sum(log["signals_without_explanations"].values())
        lines.append(
            f"{log['log']}: {log['accesses']:,} accesses, {log['explained_at_all']:,} of them"
            f" explained; {log['signals']:,} signals, {without:,} without explanations"
        )
        for alert in log["alerts"]:
            lines += _shown(alert)
    return lines


def _shown(alert: dict[str, Any]) -> list[str]:
    marks = "".join(f" [{name}]" for name in ("new", "raised") if alert[name])
    head = f"{alert['id']}  {alert['rule']} {alert['score']}{marks}"
    where = f"entries {', '.join(alert['entries'])} from {alert['at']}"
    who = f"officer {alert['officer']}, unit {alert['unit'] or '-'}"
    past = [f"similar: {p['outcome']} ({p['alert']})" for p in alert["similar"]]
    return [head, f"    {where}; {who}", *(f"    {line}" for line in (*_why(alert), *past))]


def named(entries: Sequence[int]) -> tuple[list[str], list[str]]:
    """What a step can name of an alert's entries, and a line on what it cannot.

    An officer who takes thousands among the questions of others leaves more ranges than an entry
    holds; his alert is raised all the same.
    """
    about = ranges_of(entries)
    if len(about) <= MAX_ITEMS:
        return list(about), []
    told = (
        f"of {len(entries)} entries those in the first {MAX_ITEMS} ranges are named; scan for all"
    )
    return list(about[:MAX_ITEMS]), [told]


def _why(alert: dict[str, Any]) -> list[str]:
    tried = [f"not explained by {t['explanation']}: {t['why_not']}" for t in alert["tried"]]
    return [*alert["reasons"], *tried]


def _line(item: Item, now: datetime) -> str:
    due = "" if item.due is None else f", due {item.due:%Y-%m-%d}"
    late = " OVERDUE" if item.overdue(now) else ""
    ended = f" ({item.outcome})" if item.outcome else ""
    return f"{item.alert}  {item.rule or 'sealed'}: {item.state}{ended}{due}{late}"
