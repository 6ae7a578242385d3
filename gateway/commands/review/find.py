# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review find`: look up entries by officer, unit, person, case, purpose and the rest."""

import json
from typing import Any

import click

from audit.copies import Copy
from audit.review.index_file import log_state
from audit.review.opened import Opened, open_entries
from audit.review.queries import Filter, count
from audit.review.queries import find as find_entries
from audit.review.saved import SavedQueryError, filter_document, saved
from audit.sealing import Unsealer
from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, origin_of, with_desk
from gateway.commands.review.filters import with_filter


@click.command("find")
@with_desk
@with_filter
@with_json
@click.option("--saved", "name", help="The filters of a saved look-up instead.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--before", type=click.IntRange(min=0), help="Go on below this entry.")
@click.option("--count", "only_count", is_flag=True, help="Only say how many there are.")
def find(desk: Desk, wanted: Filter, *, as_json: bool, **paging: Any) -> None:
    """Look up entries, newest first. Values of one option are alternatives.

    \b
    Examples:
      cuvar review find --log copy.sqlite --key dpo-BA.key --index ba.idx --officer o-17
      cuvar review find --log copy.sqlite --key dpo-BA.key --purpose border_check --json
    The look-up itself becomes an entry of the log.
    """
    pages: list[dict[str, Any]] = []
    with desk.indexed() as (con, copies):
        key = desk.search_key()
        if paging["name"] is not None:
            known = saved(con, key)
            if paging["name"] not in known:
                raise SavedQueryError("no look-up is saved under this name")
            wanted = known[paging["name"]]
        query = filter_document(wanted)
        for copy in reversed(copies):  # the newest log first
            origin = origin_of(copy)
            if paging["only_count"]:
                page: dict[str, Any] = {"log": origin, "count": count(con, key, origin, wanted)}
                shown: tuple[int, ...] = (0, max(log_state(con, origin).frontier.size - 1, 0))
            else:
                found = find_entries(
                    con, key, origin, wanted, before=paging["before"], limit=paging["limit"]
                )
                shown = found.entries
                rows = _rows(copy, shown, desk.unsealer())
                page = {"log": origin, "entries": rows, "before": found.before}
            desk.record("find", copy, shown, query)
            pages.append(page)
    _tell(pages, as_json=as_json)
    desk.hand_in()


def _rows(copy: Copy, entries: tuple[int, ...], unsealer: Unsealer) -> list[dict[str, Any]]:
    return [
        document(opened)
        for index in entries
        for opened in open_entries(copy, unsealer, index, index + 1)
    ]


def document(opened: Opened) -> dict[str, Any]:
    """An entry as JSON has it, with what is open of its detail."""
    envelope = opened.envelope
    requester, owner = envelope.requester, envelope.owner
    return {
        "index": opened.index,
        "t": envelope.t.isoformat(),
        "kind": envelope.kind.value,
        "requester": None if requester is None else f"{requester.country} {requester.org}",
        "role": None if requester is None else requester.role,
        "owner": None if owner is None else f"{owner.country} {owner.dataset or '-'}",
        "purpose": envelope.purpose,
        "basis": envelope.basis,
        "decision": envelope.decision.value,
        "status": envelope.status.value,
        "rules": list(envelope.rules),
        "fields": list(envelope.fields),
        "count": envelope.count,
        "correlation": envelope.correlation,
        "state": opened.state,
        "detail": opened.detail,
    }


def _tell(pages: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(pages, ensure_ascii=False))
        return
    for page in pages:
        if "count" in page:
            click.echo(f"{page['log']}: {page['count']:,} entries")
            continue
        click.echo(f"{page['log']}: {len(page['entries'])} entries")
        for row in page["entries"]:
            click.echo("\n".join(_lines(row)))
        if page["before"] is not None:
            click.echo(f"there are more: --before {page['before']}")


def _lines(row: dict[str, Any]) -> list[str]:
    asked = f"{row['requester'] or '-'} ({row['role'] or '-'}) -> {row['owner'] or '-'}"
    why = f"{row['purpose'] or '-'}, {row['basis'] or '-'}  [{', '.join(row['rules'])}]"
    lines = [
        f"{row['index']:>9}  {row['t'][:19]}  {row['kind']}: {row['decision']}, {row['status']}",
        f"           {asked}  {why}",
    ]
    if row["detail"] is None:
        return [*lines, f"           detail: {row['state']}"]
    detail = row["detail"]
    who = ", ".join(
        f"{name} {detail[name]}" for name in ("officer", "unit", "case_no") if detail.get(name)
    )
    lines.append(f"           {who}")
    if detail.get("persons"):
        lines.append(f"           persons {', '.join(map(str, detail['persons']))}")
    if detail.get("reason"):
        lines.append(f"           reason: {detail['reason']}")
    return lines
