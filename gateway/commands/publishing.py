# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit logs`, `publish` and `vkey`: what an authority is given so that it can check alone.

What it does with it, with our verifier or with tools of others: docs/verify.md.
"""

import json
from dataclasses import asdict
from pathlib import Path

import click

from audit import NoteVerifier
from audit.copies import open_copy, origins
from audit.publish import publish
from audit.shards import parse_origin
from audit.verify.telling import progress
from gateway.commands.options import with_config, with_json
from gateway.errors import GatewayError
from gateway.logkeys import read_log_keys
from gateway.settings import Settings, load_settings


class UnknownLogError(GatewayError):
    """A log that is not kept here, or whose key is not."""


def log_place(settings: Settings) -> str:
    """Where the logs lie."""
    return settings.log.url.get_secret_value()


def vkey_of(settings: Settings, origin: str) -> str:
    """The verifier key of a log.

    Raises:
        UnknownLogError: no key here signs it.
        KeyFileError: a key file is missing, malformed, or readable by others.
        NoteError: the origin is no log's name.
    """
    key = read_log_keys(settings).get(parse_origin(origin).country)
    if key is None:
        raise UnknownLogError(f"no key here signs {origin}; `cuvar audit logs` lists the logs")
    return key.signer(origin).vkey


@click.command()
@with_config
@with_json
def logs(config: Path, *, as_json: bool) -> None:
    """List the logs: name, entries, whether closed, how far witnesses cosigned.

    \b
    Example:
      cuvar audit logs --config .demo/cuvar.toml
    """
    place = log_place(load_settings(config))
    found = [_told(place, origin) for origin in origins(place)]
    if as_json:
        click.echo(json.dumps({"logs": found}))
        return
    for log in found:
        click.echo(
            f"{log['origin']}  {log['size']} entries, {log['state']},"
            f" cosigned up to {log['cosigned']}"
        )


def _told(place: str, origin: str) -> dict[str, object]:
    with open_copy(place, origin) as copy:
        head, note = copy.head(), copy.cosigned()
    if head is None:
        raise UnknownLogError(f"{origin} has no head; run `cuvar audit verify` on it")
    size = note.split("\n")[1] if note else "0"
    return {
        "origin": origin,
        "size": head.size,
        "root": head.root.hex(),
        "state": "closed" if head.closed else "open",
        "cosigned": int(size) if size.isdecimal() else 0,
    }


@click.command("publish")
@with_config
@with_json
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--log", "origin", required=True, help="The log's name; `cuvar audit logs` lists them."
)
@click.option("--details", is_flag=True, help="Sealed details too; only their officers open them.")
@click.option("--unwitnessed", is_flag=True, help="Up to the log's newest entry, witnesses or not.")
def publishing(
    config: Path, folder: Path, origin: str, *, details: bool, unwitnessed: bool, as_json: bool
) -> None:
    """Write a log's checkpoint, tiles and entries into a folder (C2SP tlog-tiles).

    Only what is new is written, the checkpoint last. A folder that shows more than the log, or
    another past, is left as it is.

    \b
    Example:
      cuvar audit publish public/BA --log demo.cuvar.invalid/BA/2026h2 --config .demo/cuvar.toml
    """
    settings = load_settings(config)
    verifier = NoteVerifier.parse(vkey_of(settings, origin))
    with open_copy(log_place(settings), origin) as copy:
        done = publish(
            copy,
            folder,
            verifier,
            details=details,
            unwitnessed=unwitnessed,
            on_progress=progress,
        )
    if as_json:
        click.echo(json.dumps({"origin": origin, **asdict(done)}))
        return
    click.echo(f"{folder} shows {done.size} entries of {origin}, {done.before} before")
    if done.kept > done.size:
        click.echo(
            f"{done.kept - done.size} newer entries wait for witnesses; `--unwitnessed` publishes"
            " them all the same",
            err=True,
        )


@click.command()
@with_config
@click.option(
    "--log", "origin", required=True, help="The log's name; `cuvar audit logs` lists them."
)
def vkey(config: Path, origin: str) -> None:
    """Print a log's verifier key, to hand to whoever checks it.

    \b
    Example:
      cuvar audit vkey --log demo.cuvar.invalid/BA/2026h2 --config .demo/cuvar.toml
    """
    click.echo(vkey_of(load_settings(config), origin))
