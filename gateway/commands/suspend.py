# SPDX-License-Identifier: EUPL-1.2
"""`cuvar suspend …`, `unsuspend …`, `suspensions`: end somebody's access at once, and give it back.

They write the list that the settings name, as a whole or not at all. A running gateway reads it
within a second, refuses who is on it, and makes the change an entry of the log.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from gateway.commands.options import with_config, with_json
from gateway.errors import GatewayError
from gateway.identity.revocation import RELOAD_S, read_list, row_of, write_list
from gateway.opening import open_rules
from gateway.settings import Settings, load_settings

_KINDS: Final = ("officer", "unit", "org", "issuer", "client", "jti")
_OF_ISSUER: Final = frozenset({"officer", "client", "jti"})
_Rows = frozenset[tuple[str, str, str]]


class SuspensionError(GatewayError):
    """The list can't be read or written, or names what doesn't exist."""


def _who(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--issuer", default="", help="Whose officer, client or token; its exact name."
        ),
        click.argument("value"),
        click.argument("kind", type=click.Choice(_KINDS)),
    ):
        command = option(command)
    return command


@click.command()
@_who
@with_config
def suspend(kind: str, value: str, issuer: str, config: Path) -> None:
    """Suspend an officer (token's sub), a unit (ORG/UNIT), an organisation, an issuer; at once.

    A client or a single token (jti) can be made void too.

    \b
    Examples:
      cuvar suspend org BA-BP
      cuvar suspend unit BA-BP/BA-BP-1
      cuvar suspend officer 7f3c0e52 --issuer https://login.example
    """
    settings = load_settings(config)
    row = _row(settings, kind, value, issuer)
    _change(settings, lambda rows: rows | {row})
    click.echo(f"suspended; a running gateway refuses within {RELOAD_S:g} s and records it")
    if kind not in ("org", "issuer"):
        click.echo(
            f"whether such a {kind} exists only its issuer knows: read it once more: {value}"
        )


@click.command()
@_who
@with_config
def unsuspend(kind: str, value: str, issuer: str, config: Path) -> None:
    """Take somebody off the list; it counts when the gateway has recorded it.

    \b
    Example:
      cuvar unsuspend org BA-BP
    """
    settings = load_settings(config)
    wanted = (kind, value, issuer)
    if wanted not in _read(_path(settings)):
        raise SuspensionError("that is not on the list; see `cuvar suspensions`")
    _change(settings, lambda rows: rows - {wanted})
    click.echo("taken off the list; a running gateway records it, then answers again")


@click.command()
@with_config
@with_json
def suspensions(config: Path, *, as_json: bool) -> None:
    """Show who is suspended now.

    \b
    Example:
      cuvar suspensions --json
    """
    rows = sorted(_read(_path(load_settings(config))))
    if as_json:
        names = ("kind", "value", "issuer")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))
        return
    for kind, value, issuer in rows:
        click.echo(f"{kind:8} {value}{f' of {issuer}' if issuer else ''}")
    click.echo(f"{len(rows)} suspended" if rows else "nobody is suspended")


def _path(settings: Settings) -> Path:
    path = settings.identity.revocations_file
    if path is None:
        raise SuspensionError(
            "[identity] revocations_file is not set, so nobody can be suspended; name a file whose "
            "only line is kind,value,issuer"
        )
    return path


def _row(settings: Settings, kind: str, value: str, issuer: str) -> tuple[str, str, str]:
    """The row, checked against what exists: a misspelt suspension would suspend nobody."""
    names = {one.issuer for one in settings.issuers}
    if kind in _OF_ISSUER and issuer not in names:
        raise SuspensionError(f"name the issuer of this {kind}: one of {', '.join(sorted(names))}")
    if kind == "issuer" and value not in names:
        raise SuspensionError(f"no such issuer; one of {', '.join(sorted(names))}")
    org = value.partition("/")[0]
    if kind in ("org", "unit"):
        known = open_rules(settings, datetime.now(UTC).date()).vocabulary.organisations
        if org not in known or (kind == "unit") != ("/" in value):
            raise SuspensionError("name an organisation of the rules (BA-BP), a unit as BA-BP/UNIT")
    try:
        return row_of(kind, value, issuer)
    except ValueError:
        raise SuspensionError(
            "a value has no spaces, commas or quotes, and only officers, clients and tokens have "
            "an --issuer"
        ) from None


def _read(path: Path) -> _Rows:
    try:
        return read_list(path)
    except (OSError, ValueError):
        raise SuspensionError(
            f"{path.name} can't be read as a list, so everybody counts as possibly suspended; "
            "mend it by docs/formats/tokens.md"
        ) from None


def _change(settings: Settings, change: Callable[[_Rows], _Rows]) -> None:
    path = _path(settings)
    try:
        with _alone(path):
            write_list(path, change(_read(path)))
    except OSError:
        raise SuspensionError(f"{path.name} can't be written; nothing was changed") from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One writer at a time: two changes made at once must both stand."""
    with path.with_name(f"{path.name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
