# SPDX-License-Identifier: EUPL-1.2
"""`cuvar keys …`: root keys by ceremony. One prepares, two custodians approve, one performs.

    cuvar keys rotate BA --reason "quarter's end"     writes rotate-BA.ceremony
    cuvar keys approve rotate-BA.ceremony --key ana.key        each custodian, elsewhere
    cuvar keys perform rotate-BA.ceremony

A trial's keyset has no custodians; there the first of the three does it at once.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from anonymise import Keyring
from anonymise.errors import CeremonyError
from anonymise.keyring.ceremony import Act, Approval, read_statement
from anonymise.keyring.custodian import (
    approve as approval_of,
)
from anonymise.keyring.custodian import (
    create_custodian,
    read_approval,
    write_approval,
)
from audit import AuditError
from gateway.ceremonies import Asked, hold, prepare
from gateway.commands.options import with_config, with_json
from gateway.keyset import open_keyring
from gateway.keyset_log import KeysetLog, Named, why_unnamed
from gateway.opening import utc_now
from gateway.settings import Settings, load_settings

_SEEN: Final = "running gateways see it within [keys] reload_s"
_LARGEST: Final = 65_536


@click.group()
def keys() -> None:
    """Root keys of pseudonyms: made, rotated and destroyed by two custodians together."""


def _ceremony(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that prepares a ceremony."""
    for option in (
        click.option("--reason", default="", help="Why; the custodians read it, the log keeps it."),
        click.option(
            "--request",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File that the custodians approve; named after the act if left out.",
        ),
        with_config,
    ):
        command = option(command)
    return command


@keys.command()
@click.argument("countries", nargs=-1)
@_ceremony
def create(countries: tuple[str, ...], config: Path, request: Path | None, reason: str) -> None:
    """Make the first root keys of a keyset, or the first one of one more country.

    Without COUNTRIES a new keyset gets a root key for every register of the settings.

    \b
    Examples:
      cuvar keys create --config /etc/cuvar/cuvar.toml
      cuvar keys create XK --reason "Kosovo joins" --config /etc/cuvar/cuvar.toml
    """
    _begin(config, Asked(Act.CREATE, countries, reason=reason), request)


@keys.command()
@click.argument("country")
@click.option("--from", "since", help="Quarter from which it serves: 2027q1. Default: the next.")
@_ceremony
def rotate(
    country: str, since: str | None, config: Path, request: Path | None, reason: str
) -> None:
    """Make a new root key for COUNTRY; the old one is retired and keeps its own quarters.

    From the next quarter on by default, so that nobody's pseudonyms change within one. After a leak
    name the current quarter: case numbers issued in it stay good, new ones come from the new root.

    \b
    Examples:
      cuvar keys rotate BA --reason "yearly rotation"
      cuvar keys rotate BA --from 2026q4 --reason "root may have leaked"
    """
    _begin(config, Asked(Act.ROTATE, (country,), since=since, reason=reason), request)


@keys.command()
@click.argument("country")
@click.argument("version", type=click.IntRange(1))
@_ceremony
def destroy(country: str, version: int, config: Path, request: Path | None, reason: str) -> None:
    """Destroy the retired root key VERSION of COUNTRY: its pseudonyms lead to nobody any more.

    It must have stopped serving. Copies of the keyset, in backups too, are yours to destroy.

    \b
    Example:
      cuvar keys destroy BA 1 --reason "retention of 2026 is over"
    """
    _begin(config, Asked(Act.DESTROY, (country,), version, reason=reason), request)


@keys.command()
@_ceremony
def appoint(config: Path, request: Path | None, reason: str) -> None:
    """Replace the custodians by those of the settings; two of the old ones approve it.

    \b
    Example:
      cuvar keys appoint --reason "Ana left"
    """
    _begin(config, Asked(Act.APPOINT, reason=reason), request)


@keys.command()
@_ceremony
def confirm(config: Path, request: Path | None, reason: str) -> None:
    """Say that the keyset as it is now is the right one, where the log names another or none.

    After a backup was restored, the log was lost, or a ceremony was cut off. It changes no key.
    Until then the gateway makes no pseudonym with it and turns none back.

    \b
    Example:
      cuvar keys confirm --reason "restored from the backup of 20 November"
    """
    _begin(config, Asked(Act.CONFIRM, reason=reason), request)


@keys.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    help="Folder for the two files.",
)
def custodian(name: str, out: Path) -> None:
    """Make the key pair of the custodian NAME, written as organisation and name.

    \b
    Example:
      cuvar keys custodian BA-DPA/ana --out /media/ana
    """
    stem = name.replace("/", "-")
    private, public = out / f"{stem}.key", out / f"{stem}.pub"
    create_custodian(name, private, public)
    click.echo(f"{private.name} stays with {name} alone; {public.name} goes to whoever runs Čuvar")


@keys.command()
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The custodian's private key.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def approve(request: Path, key: Path, *, yes: bool) -> None:
    """Approve a prepared ceremony, as a custodian; the approval lies beside REQUEST afterwards.

    \b
    Example:
      cuvar keys approve rotate-BA.ceremony --key /media/ana/BA-DPA-ana.key
    """
    content = _read(request)
    click.echo(read_statement(content).sentence())
    if not yes:
        click.confirm("Do you approve this?", abort=True)
    given = approval_of(content, key)
    path = request.with_name(f"{request.name}.{given.custodian.replace('/', '-')}.approval")
    _write(path, write_approval(given))
    click.echo(f"approved by {given.custodian}: {path.name}")


@keys.command()
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False))
@with_config
def perform(request: Path, config: Path) -> None:
    """Perform a ceremony that two custodians approved; their approvals lie beside REQUEST.

    \b
    Example:
      cuvar keys perform rotate-BA.ceremony --config /etc/cuvar/cuvar.toml
    """
    found = sorted(request.parent.glob(f"{request.name}.*.approval"))
    _perform(config, _read(request), tuple(read_approval(_read(path)) for path in found))


@keys.command()
@with_config
@with_json
def status(config: Path, *, as_json: bool) -> None:
    """Show every root key without the key: version, quarters, state, check value; and custodians.

    Also the keyset's digest, and whether the log names it: exit code 1 when it does not.

    \b
    Example:
      cuvar keys status --json --config /etc/cuvar/cuvar.toml
    """
    settings = load_settings(config)
    keyring = open_keyring(settings)
    named, why = _named(settings, keyring)
    roots = [
        {
            "country": root.country,
            "version": root.version,
            "since": root.since,
            "state": str(root.state),
            "check": None if root.state == "destroyed" else keyring.check(root),
        }
        for country in sorted(keyring.register)
        for root in keyring.register[country]
    ]
    kept_in = "keyset file" if settings.keys.token is None else "PKCS#11 token"
    custodians = sorted(keyring.custodians)
    document = {
        "kept_in": kept_in,
        "digest": keyring.digest,
        "named_by": None if named is None or why else named.entry,
        "unnamed": why,
        "custodians": custodians,
        "custodian_keys": dict(sorted(keyring.custodians.items())),
        "roots": roots,
    }
    keyring.close()
    if as_json:
        click.echo(json.dumps(document))
    else:
        _show(document)
    if why is not None:
        raise click.exceptions.Exit(1)


def _named(settings: Settings, keyring: Keyring) -> tuple[Named | None, str | None]:
    """The newest keyset in the log, and why it is not this one."""
    try:
        named = KeysetLog(settings).named()
    except AuditError as error:
        return None, f"the log can't say whether this is the keyset that it names: {error}"
    return named, why_unnamed(settings, keyring, named)


def _show(document: dict[str, Any]) -> None:
    for root in document["roots"]:
        click.echo(
            f"{root['country']} {root['version']:>4}  from {root['since']}  {root['state']:9}  "
            f"{root['check'] or '-'}"
        )
    by = ", ".join(document["custodians"]) or "none: a keyset for trials"
    click.echo(f"{len(document['roots'])} roots in a {document['kept_in']}; custodians: {by}")
    for name, key in document["custodian_keys"].items():
        click.echo(f"{name} with key {key}")
    click.echo(f"digest {document['digest']}")
    named = f"named by entry {document['named_by']}"
    trial = "named by no entry, as a keyset for trials may be"
    click.echo(document["unnamed"] or (named if document["named_by"] else trial))


def _begin(config: Path, asked: Asked, request: Path | None) -> None:
    settings = load_settings(config)
    statement, must_be_approved = prepare(settings, asked, datetime.now(UTC))
    content = statement.encode()
    if not must_be_approved:
        _perform(config, content, ())
        return
    name = "-".join((str(asked.act), *asked.countries)) + ".ceremony"
    path = request or Path(name)
    _write(path, content)
    click.echo(statement.sentence())
    click.echo(
        f"{path.name}: two custodians approve it (`cuvar keys approve {path.name}`), "
        f"then `cuvar keys perform {path.name}`"
    )


def _perform(config: Path, content: bytes, approvals: tuple[Approval, ...]) -> None:
    held = asyncio.run(hold(load_settings(config), content, approvals, utc_now))
    click.echo(held.statement.sentence())
    by = f", approved by {', '.join(held.approved_by)}" if held.approved_by else ""
    click.echo(f"done{by}; entries {', '.join(held.entries)}; {_SEEN}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise CeremonyError(f"{path.name} can't be read: {error.strerror}") from None


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise CeremonyError(f"{path.name} stands there already; move it away") from None
    except OSError as error:
        raise CeremonyError(f"{path.name} can't be written: {error.strerror}") from None
