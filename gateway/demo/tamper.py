# SPDX-License-Identifier: EUPL-1.2
"""Looking into the logs' file, and forging copies: with the files alone, and with every key."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from audit import NoteSigner, Sealed
from audit.checkpoint import Checkpoint
from audit.copies import open_copy
from audit.layout import ENTRIES, Resource
from audit.merkle import consistency_spans, leaf_hash
from audit.store import LOG_BITS
from audit.tiles import TILE_WIDTH, Edge, TileId, span_hash
from gateway.demo.build import DemoError
from gateway.logfile import entry_address

_COUNT = b'"count":'


class LoggedEntry(NamedTuple):
    """An entry as it stands in the file, with its address."""

    address: str
    envelope: bytes
    sealed: Sealed | None


def read_entries(log: Path, addresses: Sequence[str]) -> list[LoggedEntry]:
    """The entries of these addresses, `<log>/<index>`.

    Raises:
        DemoError: one of them is not there.
    """
    return [_read(log, address) for address in addresses]


def _read(log: Path, address: str) -> LoggedEntry:
    origin, index = entry_address(address)
    with open_copy(str(log), origin) as copy:
        rows = copy.rows(index, index + 1)
    entry = rows[0].entry() if rows else None
    if entry is None:
        raise DemoError(f"{address}, which an answer names, is not in the log")
    return LoggedEntry(address, entry.envelope, entry.sealed)


def copy_log(log: Path, copy: Path) -> None:
    """A consistent copy of the logs' file, as a backup tool would make."""
    copy.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{log.absolute()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


class Edited(NamedTuple):
    """The count that an entry told, and the one that it tells now."""

    before: str
    after: str


def _edit(envelope: bytes) -> tuple[bytes, Edited]:
    """One letter of an entry changed: it found something, or nothing."""
    place = envelope.index(_COUNT) + len(_COUNT)
    changed = bytearray(envelope)
    changed[place] = ord("0") if envelope[place] != ord("0") else ord("1")
    return bytes(changed), Edited(chr(envelope[place]), chr(changed[place]))


def edit_published(folder: Path, entry: LoggedEntry) -> Edited:
    """Change one byte of an entry in a published folder.

    Raises:
        DemoError: the folder does not hold it.
    """
    _, index = entry_address(entry.address)
    with open_copy(str(folder)) as copy:
        size = copy.count()
    number = index // TILE_WIDTH
    width = min(TILE_WIDTH, size - number * TILE_WIDTH)
    if width <= 0:
        raise DemoError(f"{folder} ends before {entry.address}")
    file = folder / Resource(ENTRIES, number, width).path
    bundle = file.read_bytes()
    changed, edited = _edit(entry.envelope)
    if bundle.count(entry.envelope) != 1:
        raise DemoError(f"{folder} does not hold {entry.address} as the log does")
    file.write_bytes(bundle.replace(entry.envelope, changed))
    return edited


@dataclass(frozen=True, slots=True)
class Forged:
    """A log that was written anew around one changed entry.

    Attributes:
        entry: the changed one.
        edited: what was changed in it.
        note: the checkpoint over everything, signed with the log's own key.
        leaves: hashes of all entries.
    """

    entry: bytes
    edited: Edited
    note: str
    leaves: Sequence[bytes]

    def continuing(self, size: int) -> tuple[bytes, ...]:
        """The best proof that this log has of continuing its first `size` entries."""
        edge, tiles = Edge(), dict[TileId, bytes]()
        tiles.update(edge.extend(self.leaves))
        tiles |= edge.partial()
        return tuple(span_hash(span, tiles) for span in consistency_spans(size, edge.size))


def write_anew(copy: Path, address: str, signer: NoteSigner) -> Forged:
    """Change an entry in a copy of the logs' file and make all that hangs on it anew.

    Hashes, tiles, head, and a signature with the log's own key; what witnesses signed is beyond
    the forger, so it is taken away.
    """
    origin, index = entry_address(address)
    with open_copy(str(copy), origin) as log:
        stored = log.envelopes(0, log.count())
    entries = [data for _, data in stored if isinstance(data, bytes)]
    entries[index], edited = _edit(entries[index])
    leaves = [leaf_hash(entry) for entry in entries]
    edge = Edge()
    tiles = {tile.id: tile.hashes for tile in edge.extend(leaves)}
    note = Checkpoint(origin, edge.size, edge.root()).sign(signer)
    with closing(sqlite3.connect(copy)) as connection:
        _store(connection, origin, (index, entries[index]), tiles, (edge.root(), note))
        connection.commit()
    return Forged(entries[index], edited, note, leaves)


def _store(
    connection: sqlite3.Connection,
    origin: str,
    entry: tuple[int, bytes],
    tiles: Mapping[TileId, bytes],
    head: tuple[bytes, str],
) -> None:
    (log,) = connection.execute("SELECT log FROM log_head WHERE origin = ?", (origin,)).fetchone()
    connection.execute(
        "UPDATE log_entry SET envelope = ? WHERE pos = ?", (entry[1], (log << LOG_BITS) + entry[0])
    )
    connection.executemany(
        "INSERT OR REPLACE INTO log_tile VALUES (?, ?, ?, ?)",
        [(log, *tile, hashes) for tile, hashes in tiles.items()],
    )
    connection.execute("UPDATE log_head SET root = ?, note = ? WHERE log = ?", (*head, log))
    connection.execute("DELETE FROM log_cosigned WHERE log = ?", (log,))
