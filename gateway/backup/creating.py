# SPDX-License-Identifier: EUPL-1.2
"""Making a backup and checking one.

Everything is written into a folder of another name, read back and checked there, and only then
given its name: what bears the name of a backup is one.
"""

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit import Envelope, NoteVerifier
from audit.backup import Checked, Said, check_log, keep_logs
from audit.backup.files import digest_of, read_file, sync_folder, translated, write_file
from audit.concern import age_of
from audit.verify.custody import pass_on
from gateway.backup.manifest import NAME, KeepingError, Manifest, present, read_manifest
from gateway.backup.places import (
    SETTINGS,
    databases,
    key_files,
    rule_digests,
    verifier,
)
from gateway.backup.tables import keep_tables
from gateway.settings import Settings

Progress = Callable[[str, int, int], None]
Verifiers = Callable[[str], NoteVerifier | None]
Erased = Mapping[str, Collection[int]]


@dataclass(frozen=True, slots=True)
class Report:
    """A backup that was read back whole: its manifest, and what each log showed."""

    manifest: Manifest
    logs: tuple[Checked, ...]


def create(
    settings: Settings,
    config: Path,
    folder: Path,
    *,
    log_keys: bool = False,
    on_progress: Progress | None = None,
) -> Report:
    """Write a backup of everything that a gateway keeps, while it runs.

    Not to be called in a running event loop.

    Args:
        settings: of the gateway.
        config: the file they were read from.
        folder: where the backup goes; must not exist.
        log_keys: whether the private keys of the logs go with it.
        on_progress: is told a log's origin, entries done, entries to do.

    Raises:
        KeepingError: the folder exists.
        GatewayError: a database does not answer.
        AuditError: the logs can't be read, are damaged, or the folder can't be written.
    """
    if folder.exists():
        raise KeepingError(f"{folder.name} exists; a backup is never written over another")
    new = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    try:
        with translated(new):
            new.mkdir(parents=True, mode=0o700)
        _write(settings, config, new, (log_keys, on_progress))
        report = check(new, lambda origin: verifier(settings, origin), on_progress)
        with translated(folder):
            new.rename(folder)
        sync_folder(folder.absolute().parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return report


def _write(
    settings: Settings, config: Path, folder: Path, how: tuple[bool, Progress | None]
) -> None:
    log_keys, on_progress = how
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, path in key_files(settings, log_keys=log_keys).items():
        write_file(folder / name, read_file(path))
    write_file(folder / SETTINGS, read_file(config))
    tables = {database.name: keep_tables(database, folder) for database in databases(settings)}
    logs = keep_logs(settings.log.url.get_secret_value(), folder, on_progress)
    manifest = Manifest(
        made=made,
        gateway=settings.gateway.name,
        logs=logs,
        tables=tables,
        rules=rule_digests(settings),
        log_keys=log_keys,
    )
    write_file(folder / NAME, manifest.listing(folder).data())
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(place)


def check(
    folder: Path,
    verifiers: Verifiers = lambda _origin: None,
    on_progress: Progress | None = None,
    erased: Erased | None = None,
) -> Report:
    """Read a backup back whole: each file's digest, and each log computed anew.

    Args:
        folder: of the backup.
        verifiers: gives the key of a log, from outside the backup; None leaves signatures unproven.
        on_progress: is told a log's origin, entries done, entries to do.
        erased: by log, details that logs outside the backup say were erased; see `erasures_of`.

    Raises:
        KeepingError: a file is missing, changed or too many.
        BackupError: a log does not fit its checkpoint.
    """
    manifest = read_manifest(folder)
    for name, listed in manifest.files.items():
        if digest_of(folder / name) != (listed.sha256, listed.size):
            raise KeepingError(f"{name} was changed since the backup was made; take another one")
    extra = sorted(set(present(folder)) - manifest.files.keys())
    if extra:
        raise KeepingError(
            f"{extra[0]} is not of this backup; if an erasure was stopped, run `cuvar backup"
            " erase` again"
        )
    claims: dict[str, list[Envelope]] = {}
    found: dict[str, Checked] = {}
    # Newest first: what a closed log may lack is said in the country's later ones.
    for log in sorted(manifest.logs, key=lambda log: age_of(log.head.origin), reverse=True):
        origin = log.head.origin
        gone = [range(index, index + 1) for index in sorted((erased or {}).get(origin, ()))]
        said = Said(claims.get(origin, ()), gone)
        found[origin] = check_log(folder, log, verifiers(origin), on_progress, said)
        pass_on(claims, origin, found[origin].elsewhere)
    return Report(manifest, tuple(found[log.head.origin] for log in manifest.logs))
