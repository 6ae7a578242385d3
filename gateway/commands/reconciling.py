# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit complete` and `cuvar audit reconcile`: was an officer shown all, do logs agree.

For an authority with copies of logs: neither reads the gateway's settings, nor asks the gateway.
"""

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from audit import read_private_key
from audit.checkpoint import kept_checkpoint, open_checkpoint
from audit.complete import Completeness, Reader, complete
from audit.concern import country_of
from audit.copies import Copy, open_copy, origins
from audit.errors import AuditError
from audit.note import NoteVerifier
from audit.reconcile import Allowance, Difference, Reconciliation, reconcile
from audit.retention import Terms
from audit.sealing import Unsealer
from audit.standing import read_country
from audit.twins import LeftBehind, left_behind
from audit.verify import Fault, Job, verify_logs
from audit.verify.telling import as_document, as_lines, worst
from gateway.commands.options import with_json

NOT_SHOWN, DIFFERENT = 5, 6
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_SAID = {
    "one-sided": "the log of {other} lacks this event",
    "behind": "{other}'s copy ends before this event, by more than the allowed window: get a newer"
    " copy; if there is none, {other}'s log leaves out what came since",
    "differs": "{other} tells it otherwise: {names}",
    "repeated": "the event stands twice in {other}",
    "misplaced": "it concerns neither data nor officers of {other}",
    "unreadable": "it is no entry",
}


def _progress(done: int, size: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} of {size:,} entries", nl=done >= size, err=True)


@click.command(name="reconcile")
@click.argument("places", nargs=-1, required=True)
@with_json
@click.option("--country", default=None, help="Compare only what concerns this country.")
@click.option("--end", default=60, show_default=True, help="Seconds at the end of a younger copy.")
@click.option("--window", default=24, show_default=True, help="Hours between the two sides.")
def reconciling(
    places: tuple[str, ...], country: str | None, end: int, window: int, *, as_json: bool
) -> None:
    """Compare the logs of several countries: each event of two stands in both, alike.

    Names too what another country's authority had erased and that still stands on this side.
    Verify the copies first. PLACES are published folders, files or databases; a database with
    several logs is compared in itself.

    \b
    Examples:
      cuvar audit reconcile .demo/log.sqlite
      cuvar audit reconcile published/BA published/HR --country BA --json
    Exit code 1 when an event is one-sided or told differently.
    """
    allow = Allowance(timedelta(hours=window), timedelta(seconds=end))
    with _opened(places) as copies:
        found = reconcile(copies, country=country, allow=allow, on_progress=_progress)
        left = _left(copies, country) if found.ok else []
    if as_json:
        click.echo(
            json.dumps({**_differences(found), "erased_elsewhere": [asdict(o) for o in left]})
        )
    else:
        click.echo("\n".join([*_lines(found), *(one.said for one in left)]))
    if not found.ok:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options of `complete`."""

    vkeys: Sequence[str]
    country: str
    log: str | None
    checkpoint: Path | None
    policy: Path | None


@click.command(name="complete")
@click.argument("places", nargs=-1, required=True)
@with_json
@click.option("--country", required=True, help="Whose officer was shown the list.")
@click.option("--shown", type=_FILE, required=True, help="The list: one JSON row a line.")
@click.option("--vkey", "vkeys", multiple=True, required=True, help="A log's verifier key.")
@click.option("--log", default=None, help="The log that was listed, where the places hold several.")
@click.option("--checkpoint", type=_FILE, help="A cosigned checkpoint kept from elsewhere.")
@click.option("--policy", type=_FILE, help="A trust policy; its witnesses must have cosigned.")
@click.option("--key", type=_FILE, help="The officer's private key: details are opened with it.")
def completing(
    places: tuple[str, ...], shown: Path, key: Path | None, *, as_json: bool, **given: Any
) -> None:
    """Prove that a data-protection officer was shown every entry of her country.

    PLACES hold copies of her country's logs and, if she has them, of other countries'. With the
    key of each of her logs the copies are verified first, then compared with the list.

    \b
    Example:
      cuvar audit complete published/BA published/HR --country BA --shown list.jsonl \\
        --vkey VKEY --checkpoint from-witness.txt --policy policy.txt --key .demo/dpo/BA.key
    Exit code 5 when the list is not whole, 6 when another country's log differs; 1, 3, 4, 7
    as `cuvar audit verify`.
    """
    asked = _Asked(**given)
    country = asked.country
    reader = Reader(country, Unsealer(read_private_key(key)) if key is not None else None)
    # What is verified and what is compared is one snapshot of each log.
    with _opened(places) as copies, shown.open(encoding="utf-8", errors="replace") as lines:
        held = {name: place for place in places for name in origins(place)}
        jobs = _jobs(asked, held)
        reports = verify_logs(jobs, _progress, copies=copies)
        if worst(reports) not in (0, Fault.LOST):
            text = json.dumps({"logs": [as_document(report) for report in reports]})
            click.echo(text if as_json else "\n".join(n for r in reports for n in as_lines(r)))
            raise click.exceptions.Exit(worst(reports))
        origin = _listed(asked, jobs)
        erased = read_country(country, copies, Terms(), _progress).logs[origin].declared
        size = _size(asked, origin, copies[origin])
        found = complete(copies[origin], size, lines, reader, erased, _progress)
        abroad = None
        if any(country_of(name) != country for name in copies):
            abroad = reconcile(copies, country=country, on_progress=_progress)
        left = _left(copies, country) if abroad is not None and abroad.ok else []
    if as_json:
        document = {"log": origin, **asdict(found), "ok": found.ok}
        document["abroad"] = None if abroad is None else _differences(abroad)
        document["erased_elsewhere"] = [asdict(one) for one in left]
        click.echo(json.dumps(document))
    else:
        click.echo(
            "\n".join(
                [
                    *_told(origin, found),
                    *(_lines(abroad) if abroad else ()),
                    *(one.said for one in left),
                ]
            )
        )
    if not found.ok:
        raise click.exceptions.Exit(NOT_SHOWN)
    if abroad is not None and not abroad.ok:
        raise click.exceptions.Exit(DIFFERENT)
    if worst(reports):
        click.echo("\n".join(line for one in reports for line in as_lines(one)), err=True)
        raise click.exceptions.Exit(worst(reports))


@contextlib.contextmanager
def _opened(places: Sequence[str]) -> Iterator[dict[str, Copy]]:
    """Every log of the places."""
    with contextlib.ExitStack() as stack:
        copies: dict[str, Copy] = {}
        for place in places:
            for name in origins(place):
                if name in copies:
                    raise AuditError(f"two of the places hold {name}; name one of them")
                copies[name] = stack.enter_context(open_copy(place, name))
        yield copies


def _jobs(asked: _Asked, held: Mapping[str, str]) -> list[Job]:
    """The verifications of her country's logs."""
    keys = {NoteVerifier.parse(vkey).name: vkey for vkey in asked.vkeys}
    own = [name for name in held if country_of(name) == asked.country]
    without = [name for name in own if name not in keys]
    if not own or without:
        told = f"give the --vkey of {without[0]}" if without else "name a place with one"
        raise AuditError(f"the logs of {asked.country} are verified first: {told}")
    policy = None if asked.policy is None else asked.policy.read_bytes()
    kept = _kept(asked)
    return [
        Job(held[name], keys[name], name, (kept,) if kept.startswith(f"{name}\n") else (), policy)
        for name in own
    ]


def _kept(asked: _Asked) -> str:
    """The kept checkpoint, of one of the country's logs; empty where none was given."""
    if asked.checkpoint is None:
        return ""
    origin, note = kept_checkpoint(asked.checkpoint.read_bytes())
    if origin not in {NoteVerifier.parse(vkey).name for vkey in asked.vkeys}:
        raise AuditError(f"the checkpoint is of {origin}; give that log's --vkey and place too")
    return note


def _listed(asked: _Asked, jobs: Sequence[Job]) -> str:
    own = [job.origin for job in jobs if job.origin is not None]
    if asked.log in own:
        return str(asked.log)
    if asked.log is not None or len(own) != 1:
        raise AuditError(f"name the log that was listed with --log: {', '.join(own)}")
    return own[0]


def _size(asked: _Asked, origin: str, copy: Copy) -> int:
    """Entries under the checkpoint that counts: the kept one, or the copy's own."""
    head, kept = copy.head(), _kept(asked)
    note = kept or copy.cosigned() or ("" if head is None else head.note)
    keys = [NoteVerifier.parse(vkey) for vkey in asked.vkeys]
    verifier = next(key for key in keys if key.name == origin)
    # Where entries were lost, as a successor declares, she can have been shown what remains.
    return min(open_checkpoint(note.encode(), verifier, origin).size, copy.count())


def _told(origin: str, found: Completeness) -> list[str]:
    counts = f"{found.expected} to be shown, {found.opened} details opened, {found.erased} erased"
    told = [f"{origin}: {found.size} entries, {counts}"]
    told += [f"entry {gap.index}: {gap.said}" for gap in found.gaps]
    if found.more:
        told.append(f"and {found.more} more")
    if found.later or found.elsewhere:
        told.append(
            f"nothing is said of {found.later} rows beyond the checkpoint and {found.elsewhere} of"
            " other logs"
        )
    return [*told, "the list is complete" if found.ok else "THE LIST IS NOT COMPLETE"]


def _differences(found: Reconciliation) -> dict[str, object]:
    return {**asdict(found), "ok": found.ok}


def _lines(found: Reconciliation) -> list[str]:
    waiting = f"{found.waiting} waiting at the end of a copy"
    told = [f"{found.entries} entries, {found.pairs} events alike in two logs, {waiting}"]
    told += [f"{one.log}/{one.index}: {_sentence(one)}" for one in found.findings]
    if found.more:
        told.append(f"and {found.more} more")
    return [*told, "the logs agree" if found.ok else "THE LOGS DO NOT AGREE"]


def _left(copies: Mapping[str, Copy], country: str | None) -> list[LeftBehind]:
    """Details that another country had erased on an order and that still stand in a log."""
    countries = sorted({country_of(name) for name in copies})
    return [
        one
        for mine in countries
        if country in (None, mine)
        for one in left_behind(copies, read_country(mine, copies, Terms(), _progress))
    ]


def _sentence(one: Difference) -> str:
    return _SAID[one.what].format(other=one.other, names=", ".join(one.names) or "see both")
