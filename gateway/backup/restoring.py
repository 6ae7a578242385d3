# SPDX-License-Identifier: EUPL-1.2
"""Putting a backup in place, and erasing in one what was erased in the logs since.

A backup goes into an empty place only. It is checked first; the logs come last, because no gateway
starts without them, and all of them closed: `cuvar audit succeed` opens what comes after. A restore
that was stopped is run again: what it has put in place already is recognised and left.
"""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from audit import LogExistsError, LogUnavailableError
from audit.backup import KeptLog, erase_details, open_snapshot, restore_logs
from audit.backup.files import read_file, replace_file, translated, wipe, write_file
from audit.backup.records import unpack_details
from gateway.backup.creating import Report, check
from gateway.backup.manifest import NAME, KeepingError, Listed, Manifest, present, read_manifest
from gateway.backup.places import databases, kept_verifier, key_files
from gateway.backup.tables import Database, holds_already, is_empty, restore_tables
from gateway.settings import Settings

Erased = Mapping[str, Collection[int]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place: the backup's report, and a line for each part."""

    report: Report
    lines: tuple[str, ...]


def restore(
    settings: Settings,
    folder: Path,
    *,
    erased: Erased | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Restored:
    """Put a backup where the settings say.

    Not to be called in a running event loop.

    Args:
        settings: of the gateway to be; its places are empty.
        folder: of the backup.
        erased: by log, entries whose details were erased after the backup was made.
        on_progress: is told a log's origin, entries done, entries to do.

    Raises:
        KeepingError: a place holds something else, or the backup is damaged.
        GatewayError: a database does not answer.
        AuditError: a log is damaged, or its place can't be written.
    """
    manifest = read_manifest(folder)
    _require_empty(settings, folder, manifest)
    report = check(folder, lambda origin: kept_verifier(settings, folder, origin), on_progress)
    lines = _restore_keys(settings, folder, manifest)
    for database in databases(settings):
        lines.append(_restore_database(database, folder))
    url = settings.log.url.get_secret_value()
    if _holds_logs(url, manifest):
        lines.append("logs: were there from an earlier try")
    else:
        restore_logs(folder, manifest.logs, url, erased or {})
        lines.append(f"logs: {len(manifest.logs)} restored, closed; see `cuvar audit succeed`")
    return Restored(report, tuple(lines))


def _require_empty(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Look at every place before anything is written."""
    for name, path in key_files(settings, log_keys=manifest.log_keys).items():
        if path.exists() and path.read_bytes() != read_file(folder / name):
            raise KeepingError(f"{path.name} exists and is another one; move it away first")
    for database in databases(settings):
        if not is_empty(database) and not holds_already(database, folder):
            raise KeepingError(
                f"the {database.name} database holds other rows; a backup is restored into an"
                " empty place only"
            )
    _holds_logs(settings.log.url.get_secret_value(), manifest)


def _holds_logs(url: str, manifest: Manifest) -> bool:
    """Whether the logs of the backup stand there already, closed.

    Raises:
        LogExistsError: other logs stand there.
    """
    try:
        with open_snapshot(url) as snapshot:
            found = [replace(head, note="") for head in snapshot.heads()]
    except LogUnavailableError:
        return False  # nothing is there; if the server does not answer, the restore will say so
    if found != [replace(log.head, note="", closed=True) for log in manifest.logs]:
        raise LogExistsError(
            "other logs stand there, or logs that are open; a backup is restored into an empty"
            " place only: move them away and keep them"
        )
    return True


def _restore_keys(settings: Settings, folder: Path, manifest: Manifest) -> list[str]:
    lines = []
    for name, path in key_files(settings, log_keys=manifest.log_keys).items():
        present_already = path.exists()
        if not present_already:
            new = path.with_name(f".{path.name}.restoring-{os.getpid()}")
            write_file(new, read_file(folder / name))
            with translated(path):
                new.rename(path)
        lines.append(f"{name}: {'was there' if present_already else 'restored'}")
    return lines


def _restore_database(database: Database, folder: Path) -> str:
    if not is_empty(database):
        return f"{database.name}: was there from an earlier try"
    restore_tables(database, folder)
    if not holds_already(database, folder):
        raise KeepingError(
            f"the {database.name} database reads back otherwise; empty it, try again"
        )
    return f"{database.name}: restored"


def erase(folder: Path, erased: Erased) -> int:
    """Erase sealed details in a backup: whoever erases in the logs does it here too.

    New files first, then the manifest, then the old files are overwritten and removed. Run again,
    it removes what a run that was stopped left.

    Args:
        folder: of the backup.
        erased: by log, the entries; those that the backup does not have are passed over.

    Returns:
        How many details went.

    Raises:
        KeepingError: there is no backup, or it is damaged.
        AuditError: a file is damaged or can't be written.
    """
    manifest = read_manifest(folder)
    for name in set(present(folder)) - manifest.files.keys():
        if not name.startswith("logs/"):
            raise KeepingError(f"{name} is not of this backup; look what it is")
        wipe(folder / name)
    logs: list[KeptLog] = []
    old: list[str] = []
    gone = 0
    for log in manifest.logs:
        after, left = erase_details(folder, log, erased.get(log.head.origin, ()))
        gone += sum(
            _details(folder, before) - _details(folder, now)
            for before, now in zip(log.details, after.details, strict=True)
            if before != now
        )
        logs.append(after)
        old += left
    if old:
        after_all = replace(manifest, logs=tuple(logs)).listing(folder)
        kept: dict[str, Listed] = {n: f for n, f in after_all.files.items() if n not in old}
        replace_file(folder / NAME, replace(after_all, files=kept).data())
    for name in old:
        wipe(folder / name)
    return gone


def _details(folder: Path, name: str) -> int:
    return len(unpack_details(read_file(folder / name)))
