# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit succeed`: open the logs that come after logs which can't go on."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import click

from audit import LogUnavailableError
from audit.backup import open_snapshot
from audit.concern import age_of, country_of
from audit.standing import Standing
from audit.store import Head
from audit.succession import Gap, Succession
from audit.succession import succeed as open_successors
from gateway.backup import verifier
from gateway.backup.erasures import Declared, declared_in
from gateway.backup.redeclaring import declare_again, standings_of
from gateway.commands.options import with_config, with_json
from gateway.logkeys import read_log_keys
from gateway.settings import Settings, load_settings
from gateway.witness.client import WitnessClient, WitnessUnreachableError
from gateway.witness.contradiction import last_cosigned
from gateway.witness.watching import read_policies

_SECONDS = 10.0


@click.command()
@with_config
@with_json
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A newer checkpoint of a closed log, or of one opened after the backup and lost: a file of"
    " a witness, an officer, a publisher.",
)
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    help="A witness to ask: its address. Those of the trust policies in the settings if left out.",
)
@click.option(
    "--close",
    "close",
    multiple=True,
    help="An open log to give up first: one that lacks what its witnesses saw.",
)
@click.option(
    "--erasures",
    multiple=True,
    help="What `cuvar backup restore --erasures` was given: the successors declare it once more.",
)
@click.option(
    "--reason",
    type=click.Choice([gap.value for gap in Gap]),
    default=Gap.RESTORED.value,
    show_default=True,
    help="Why the logs can't go on; stands in the successor's first entry.",
)
def succeed(
    config: Path,
    checkpoints: tuple[Path, ...],
    witnesses: tuple[str, ...],
    close: tuple[str, ...],
    erasures: tuple[str, ...],
    reason: str,
    *,
    as_json: bool,
) -> None:
    """Open a successor for every country whose newest log is closed, after a restore.

    \b
    Examples:
      cuvar audit succeed --witness https://witness.dpa.example --config cuvar.toml
      cuvar audit succeed --checkpoint last-seen.checkpoint --config cuvar.toml
      cuvar audit succeed --close log.example/BA/2026h2 --config cuvar.toml
    Ask every witness: the first entry names the newest checkpoint that anybody still has, and with
    it how many entries were lost. Then tell the new names to the witnesses.
    """
    settings = load_settings(config)
    # All that can be wrong with what was handed in comes out before anything is opened.
    standing = standings_of(settings) if erasures else {}
    found = _declared(settings, erasures, standing)
    notes = [path.read_text(encoding="utf-8") for path in checkpoints]
    ended = [*_closed(settings), *close]
    notes += asyncio.run(_asked(ended, witnesses or _settled(settings)))
    made = []
    if ended or not erasures:  # run again, it only declares what it did not get to
        made = asyncio.run(
            open_successors(
                settings.log.url.get_secret_value(),
                keys=read_log_keys(settings),
                notes=notes,
                close=close,
                reason=Gap(reason),
                now=datetime.now(UTC),
            )
        )
    if made and not notes:
        click.echo("nobody was asked what the old logs had: what was lost is not known", err=True)
    if found:
        for line in asyncio.run(declare_again(settings, found, standing)):
            click.echo(line, err=True)
    click.echo(json.dumps(_documents(made)) if as_json else "\n".join(_lines(made)))


def _declared(
    settings: Settings, places: Sequence[str], standing: Mapping[str, Standing]
) -> list[Declared]:
    sizes = {log: size for one in standing.values() for log, size in one.sizes.items()}
    return [
        declared
        for place in places
        for declared in declared_in(place, lambda origin: verifier(settings, origin), sizes)
    ]


def _settled(settings: Settings) -> list[str]:
    """The addresses in the trust policies."""
    policies = read_policies(settings.log.witnesses).values()
    return sorted({one.url for policy in policies for one in policy.witnesses if one.url})


def _closed(settings: Settings) -> list[str]:
    """The closed logs that are their country's newest; older ones have their successors."""
    newest: dict[str, Head] = {}
    with open_snapshot(settings.log.url.get_secret_value()) as snapshot:
        for head in sorted(snapshot.heads(), key=lambda head: age_of(head.origin)):
            newest[country_of(head.origin)] = head
    return [head.origin for head in newest.values() if head.closed]


async def _asked(origins: Sequence[str], urls: Sequence[str]) -> list[str]:
    """What witnesses have of these logs; one that does not answer stops the command."""
    found = []
    async with aiohttp.ClientSession() as session:
        for url in urls:
            client = WitnessClient(session, url.rstrip("/"), url.rstrip("/"), _SECONDS)
            for origin in origins:
                try:
                    note = await last_cosigned(client, origin)
                except WitnessUnreachableError:
                    raise LogUnavailableError(
                        f"the witness {url} does not answer; wait for it, or leave it out and know"
                        " that entries which it saw may be lost unnamed"
                    ) from None
                if note is not None:
                    found.append(note.decode())
    return found


def _documents(made: Sequence[Succession]) -> list[dict[str, object]]:
    return [
        {
            "old": one.old,
            "new": one.new,
            "size": one.size,
            "root": one.root.hex(),
            "lost": one.lost,
            "gone": [{"log": gone.origin, "size": gone.size} for gone in one.gone],
        }
        for one in made
    ]


def _lines(made: Sequence[Succession]) -> list[str]:
    told = [
        f"{one.new} follows {one.old}, which had {one.size} entries; {one.lost} of them are lost"
        for one in made
    ]
    told += [
        f"{gone.origin} came between and is lost whole: {gone.size} entries, as {one.new} says"
        for one in made
        for gone in one.gone
    ]
    return told
