# SPDX-License-Identifier: EUPL-1.2
"""`cuvar backup …`: copy what a gateway keeps, check a copy, put it in place, erase in it.

docs/operations/backup.md tells an operator when to use which; docs/formats/backup.md has the bytes.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import click

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
from gateway.commands.options import with_config, with_json
from gateway.settings import Settings, load_settings

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
    Note the digest that it prints elsewhere: it tells this backup from any other.
    """
    settings = load_settings(config)
    report = create(settings, config, folder, log_keys=with_keys, on_progress=_progress)
    if with_keys:
        click.echo("the private keys of the logs are in this backup, mode 0600", err=True)
    _tell(report, as_json=as_json)


@backup.command("check")
@click.argument("folder", type=_FOLDER)
@with_config
@with_json
@click.option("--digest", default=None, help="What `create` printed; another backup is refused.")
def check_(folder: Path, config: Path, digest: str | None, *, as_json: bool) -> None:
    """Read a backup back whole, and compute its logs anew.

    \b
    Example:
      cuvar backup check backups/monday --config cuvar.toml
    """
    settings = load_settings(config)
    report = check(folder, lambda origin: verifier(settings, origin), _progress)
    if digest not in (None, report.manifest.digest):
        raise KeepingError("this is another backup than the one of that digest, or one erased in")
    _tell(report, as_json=as_json)


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


def _is_short(log: Mapping[str, object]) -> bool:
    """Whether more details are missing than this backup's own entries account for."""
    return int(str(log["missing_details"])) > int(str(log["declared_erased"]))


def _tell(report: Report, *, as_json: bool) -> None:
    manifest = report.manifest
    logs = [
        {
            "origin": kept.head.origin,
            "size": seen.size,
            "root": seen.root.hex(),
            "missing_details": seen.missing,
            "declared_erased": seen.declared,
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
        if _is_short(log):
            click.echo(
                f"{log['origin']}: {log['missing_details']} sealed details are not there and"
                f" {log['declared_erased']} erasures stand in this backup: newer logs must declare"
                " the others (`cuvar backup erase`), or somebody took them out; hold the digest"
                " against the one that was kept (--digest)"
            )
    for name, tables in sorted(manifest.tables.items()):
        click.echo(f"{name}: {sum(tables.values())} rows")
    click.echo(f"made {manifest.made}, whole; digest {manifest.digest}")
