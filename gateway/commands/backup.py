# SPDX-License-Identifier: EUPL-1.2
"""`cuvar backup …`: copy what a gateway keeps, check a copy, put it in place, erase in it.

docs/operations/backup.md tells an operator when to use which; docs/formats/backup.md has the bytes.
"""

import asyncio
import json
import sys
from pathlib import Path

import click

from audit import AuditError
from audit.concern import country_of
from audit.verify import Fault
from gateway.backup import (
    KeepingError,
    Report,
    check,
    create,
    erase,
    erasures_of,
    read_manifest,
    restore,
    verifier,
)
from gateway.backup.announcing import announce
from gateway.commands.options import with_config, with_json
from gateway.logkeys import log_countries
from gateway.settings import Settings, load_settings

DETAILS_GONE = Fault.DETAIL.value
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def backup() -> None:
    """Backups of the logs, the databases, the keys and the settings."""


@backup.command("create")
@click.argument("folder", type=_FOLDER)
@with_config
@with_json
@click.option(
    "--with-keys",
    is_flag=True,
    help="Also the private keys that sign the logs: lock this backup away, or forgers have them.",
)
def create_(folder: Path, config: Path, *, as_json: bool, with_keys: bool) -> None:
    """Write a backup into FOLDER, which must not exist, while the gateway runs; then read it back.

    \b
    Examples:
      cuvar backup create backups/monday --config cuvar.toml
      cuvar backup create vault/keys-too --with-keys --config cuvar.toml
    Note the digest that it prints elsewhere: it tells this backup from any other. Every log
    that was copied gets an entry that says so.
    """
    settings = load_settings(config)
    report = create(settings, config, folder, log_keys=with_keys, on_progress=_progress)
    if with_keys:
        click.echo("the private keys of the logs are in this backup, mode 0600", err=True)
    _tell(report, as_json=as_json)
    try:
        asyncio.run(announce(settings, report.manifest))
    except AuditError as error:
        raise KeepingError(
            f"the backup is whole and stays, but no log says that it was made: {error}"
        ) from None


@backup.command("check")
@click.argument("folder", type=_FOLDER)
@with_config
@with_json
@click.option("--digest", default=None, help="What `create` printed; another backup is refused.")
@click.option(
    "--erasures",
    multiple=True,
    help="Newer logs that say what was erased in the backup since (see `erase`).",
)
def check_(
    folder: Path, config: Path, digest: str | None, erasures: tuple[str, ...], *, as_json: bool
) -> None:
    """Read a backup back whole, and compute its logs anew.

    \b
    Examples:
      cuvar backup check backups/monday --config cuvar.toml
      cuvar backup check backups/monday --digest 5f2c… --erasures published/BA
    Exit code 4 when sealed details are gone that no erasure accounts for, 1 when a country of the
    settings has no log in it. Only the digest, kept elsewhere, tells a backup from one that was
    written anew around what was taken out.
    """
    settings = load_settings(config)
    erased = _erased(settings, folder, erasures)
    report = check(folder, lambda origin: verifier(settings, origin), _progress, erased)
    if digest not in (None, report.manifest.digest):
        raise KeepingError("this is another backup than the one of that digest, or one erased in")
    _tell(report, as_json=as_json)
    held = {country_of(log.head.origin) for log in report.manifest.logs}
    lacking = [country for country in log_countries(settings) if country not in held]
    if lacking:
        raise KeepingError(
            f"the backup holds no log of {', '.join(lacking)}, which the settings name: take"
            " another backup, or say why there is none"
        )
    if any(log.unaccounted for log in report.logs):
        raise click.exceptions.Exit(DETAILS_GONE)


@backup.command("restore")
@click.argument("folder", type=_FOLDER)
@with_config
@click.option(
    "--erasures",
    multiple=True,
    help="Newer logs (a published folder, a file, postgresql://…): what they say was erased since "
    "stays erased.",
)
def restore_(folder: Path, config: Path, erasures: tuple[str, ...]) -> None:
    """Put a backup into the empty places that the settings name; its logs are closed.

    \b
    Examples:
      cuvar backup restore backups/monday --config cuvar.toml
      cuvar backup restore backups/monday --erasures published/BA --config cuvar.toml
    Then open the logs' successors with `cuvar audit succeed`; see docs/operations/backup.md.
    """
    settings = load_settings(config)
    erased = _erased(settings, folder, erasures)
    for line in restore(settings, folder, erased=erased, on_progress=_progress).lines:
        click.echo(line)


@backup.command("erase")
@click.argument("folder", type=_FOLDER)
@with_config
@click.option(
    "--erasures",
    multiple=True,
    help="Newer logs; the logs of the settings when left out.",
)
def erase_(folder: Path, config: Path, erasures: tuple[str, ...]) -> None:
    """Erase in a backup the details that the logs say were erased since it was made.

    \b
    Example:
      cuvar backup erase backups/monday --config cuvar.toml
    """
    settings = load_settings(config)
    places = erasures or (settings.log.url.get_secret_value(),)
    gone = erase(folder, _erased(settings, folder, places))
    click.echo(f"{gone} details erased in {folder.name}; digest {read_manifest(folder).digest}")


def _erased(settings: Settings, folder: Path, places: tuple[str, ...]) -> dict[str, set[int]]:
    known = {log.head.origin: log.head.size for log in read_manifest(folder).logs}
    found: dict[str, set[int]] = {}
    for place in places:
        told = erasures_of(place, lambda origin: verifier(settings, origin), known)
        for log, indices in told.items():
            found.setdefault(log, set()).update(indices)
    return found


def _progress(origin: str, done: int, size: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{origin}: {done:,} of {size:,} entries", nl=done >= size, err=True)


def _tell(report: Report, *, as_json: bool) -> None:
    manifest = report.manifest
    logs = [
        {
            "origin": kept.head.origin,
            "size": seen.size,
            "root": seen.root.hex(),
            "missing_details": seen.missing,
            "unaccounted_details": seen.unaccounted,
            "signature_checked": seen.signed,
        }
        for kept, seen in zip(manifest.logs, report.logs, strict=True)
    ]
    if as_json:
        document = {"made": manifest.made, "digest": manifest.digest, "logs": logs}
        click.echo(json.dumps(document | {"tables": manifest.tables}, sort_keys=True))
        return
    for log in logs:
        click.echo(f"{log['origin']}: {log['size']} entries, root {log['root']}")
        if log["unaccounted_details"]:
            click.echo(
                f"{log['origin']}: {log['missing_details']} sealed details are not there, and no"
                f" erasure accounts for {log['unaccounted_details']} of them: newer logs must"
                " declare those (--erasures), or somebody took them out; hold the digest against"
                " the one that was kept (--digest)"
            )
    for name, tables in sorted(manifest.tables.items()):
        click.echo(f"{name}: {sum(tables.values())} rows")
    click.echo(f"made {manifest.made}, whole; digest {manifest.digest}")
