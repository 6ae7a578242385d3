# SPDX-License-Identifier: EUPL-1.2
"""A backup's copy of the logs: what is written, and reading it back with nothing trusted.

The copy holds envelopes, sealed details and checkpoints, and nothing that can be computed from
them: tiles are made anew when it is put in place, so that a damaged tile cannot survive a backup.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from audit.backup.files import read_file, write_file
from audit.backup.records import (
    CHUNK,
    chunks,
    pack_details,
    pack_entries,
    unpack_details,
    unpack_entries,
)
from audit.backup.snapshot import Snapshot, open_snapshot
from audit.entry import StoredEntry
from audit.errors import BackupError
from audit.store import Cosigned, Head

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class KeptLog:
    """One log of a backup; the manifest holds these values.

    Attributes:
        head: as it stood, with the number that it had in its store.
        cosigned: newest checkpoint with witnesses' lines.
        entries, details: names of the chunk files within the backup, in order.
    """

    head: Head
    cosigned: Cosigned | None = None
    entries: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


def keep_logs(url: str, folder: Path, on_progress: Progress | None = None) -> tuple[KeptLog, ...]:
    """Copy every log of a store, as of one moment, into `folder/logs`.

    Not to be called in a running event loop. May run while a gateway writes.

    Raises:
        LogUnavailableError: the store does not answer.
        LogCorruptError: it is damaged.
        BackupError: the folder cannot be written.
    """
    told = on_progress or (lambda _origin, _done, _all: None)
    with open_snapshot(url) as snapshot:
        return tuple(_keep(snapshot, head, folder, told) for head in snapshot.heads())


def _keep(snapshot: Snapshot, head: Head, folder: Path, told: Progress) -> KeptLog:
    entries: list[str] = []
    details: list[str] = []
    place = f"logs/{head.number:04}"
    for number, chunk in enumerate(chunks(head.size)):
        rows = snapshot.entries(head, chunk.start, chunk.stop)
        if [row.index for row in rows] != list(chunk):
            raise BackupError(f"entries of {head.origin} are missing; run `cuvar audit verify`")
        entries.append(f"{place}/entries/{number:06}")
        details.append(f"{place}/details/{number:06}")
        write_file(folder / entries[-1], pack_entries(row.envelope for row in rows))
        held = {row.index - chunk.start: row.sealed for row in rows if row.sealed is not None}
        write_file(folder / details[-1], pack_details(held))
        told(head.origin, chunk.stop, head.size)
    return KeptLog(head, snapshot.cosigned(head), tuple(entries), tuple(details))


def read_entries(folder: Path, kept: KeptLog) -> Iterator[list[StoredEntry]]:
    """The entries of a kept log, chunk by chunk.

    Raises:
        BackupError: a file is missing, cut off, or the chunks are not those of the log.
    """
    spans = chunks(kept.head.size)
    if not len(spans) == len(kept.entries) == len(kept.details):
        raise BackupError(f"the manifest does not list all chunks of {kept.head.origin}")
    for span, entries, details in zip(spans, kept.entries, kept.details, strict=True):
        envelopes = unpack_entries(read_file(folder / entries))
        held = unpack_details(read_file(folder / details))
        if len(envelopes) != len(span) or not held.keys() <= set(range(len(span))):
            raise BackupError(f"{entries} holds other entries than the manifest says")
        yield [
            StoredEntry(index, envelope, held.get(index - span.start))
            for index, envelope in zip(span, envelopes, strict=True)
        ]


def erase_details(
    folder: Path, kept: KeptLog, indices: Collection[int]
) -> tuple[KeptLog, tuple[str, ...]]:
    """Write the chunks that hold these details anew without them.

    The new chunks stand beside the old ones under other names; the caller makes the manifest name
    them and only then calls `wipe` with the old names.

    Returns:
        The log as it is now, and the files that it no longer names.

    Raises:
        BackupError: a file is damaged or cannot be written.
    """
    wanted: dict[int, set[int]] = {}
    for index in indices:
        if 0 <= index < kept.head.size:
            number = index // CHUNK
            wanted.setdefault(number, set()).add(index % CHUNK)
    names, old = list(kept.details), list[str]()
    for number, places in sorted(wanted.items()):
        held = unpack_details(read_file(folder / names[number]))
        left = {place: sealed for place, sealed in held.items() if place not in places}
        if len(left) == len(held):
            continue
        stem, _, turn = names[number].partition(".")
        old.append(names[number])
        names[number] = f"{stem}.{int(turn or 0) + 1}"
        write_file(folder / names[number], pack_details(left))
    return replace(kept, details=tuple(names)), tuple(old)
