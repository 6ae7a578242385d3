# SPDX-License-Identifier: EUPL-1.2
"""What the logs ask of a database, and which database an address names.

A store keeps rows of many logs and knows nothing of trees, keys or envelopes. Its one duty beyond
that: `commit` returns only when all its batches are on disk, and writes nothing unless each head is
still the one that its batch was built on. What fails is one of three errors: unavailable, moved,
corrupt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.entry import EntryRow, StoredEntry
from audit.errors import LogUnavailableError
from audit.sealing import Sealed, commit_detail
from audit.tiles import Tile, TileId

FORMAT = 2
LOG_BITS = 40  # a row's number is its log's number times 2**40 plus the entry's index
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest state of one log.

    Attributes:
        origin: its name.
        size, root: of its tree.
        note: the signed checkpoint over them.
        number: its number in the store, from 0.
        closed: whether it takes no more entries; a convenience, the entries prove it.
    """

    origin: str
    size: int
    root: bytes
    note: str
    number: int = 0
    closed: bool = False

    @property
    def base(self) -> int:
        """The row number of its entry 0."""
        return self.number << LOG_BITS


@dataclass(frozen=True, slots=True)
class Batch:
    """What a commit adds to one log: from which head to which, with the new rows and tiles.

    `old` is None where the commit makes the log.
    """

    old: Head | None
    new: Head
    rows: Sequence[EntryRow]
    tiles: Sequence[Tile]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint of `size` entries with the lines of the witnesses."""

    size: int
    note: str


class Store(Protocol):
    """A database that holds logs.

    Every method raises LogUnavailableError when the database does not answer, and LogCorruptError
    when it answers that its own file is damaged. A log is meant by its head, whatever its size.
    """

    async def reopen(self, *, wait: bool = True) -> None:
        """Connect, or connect again, and take the writer's lease.

        Args:
            wait: some seconds for a lease that another session is about to give up.

        Raises:
            LeaseHeldError: another process has the lease.
        """

    async def look(self) -> None:
        """Connect for reading alone; a lease that is held is given up."""

    async def check(self) -> None:
        """Make sure that the database is there and still the one that was opened."""

    async def rehearse(self) -> None:
        """Write the head rows as they are, durably: a commit would succeed now."""

    async def heads(self) -> list[Head]:
        """All logs, in the order of their numbers."""

    async def count(self, log: Head) -> int:
        """One more than the highest entry number; 0 if there is none."""

    async def tiles(self, log: Head, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
        """Those of the wanted tiles that are stored."""

    async def entries(self, log: Head, start: int, stop: int) -> list[StoredEntry]:
        """Entries from `start` up to and without `stop`, in order."""

    async def commit(self, batches: Sequence[Batch]) -> None:
        """Write batches of different logs durably, all or none.

        Raises:
            HeadMovedError: a head is not its batch's `old`; nothing was written.
        """

    async def erase(self, log: Head, indices: Sequence[int]) -> int:
        """Delete the details of these entries; how many there were."""

    async def cosigned(self, log: Head) -> Cosigned | None:
        """The newest checkpoint with witnesses' lines, None if there is none."""

    async def save_cosigned(self, log: Head, cosigned: Cosigned) -> None:
        """Keep it, unless a newer one is kept."""

    async def close(self) -> None:
        """Give up connection and lease."""


def stored_entry(
    index: int, envelope: bytes, blob: bytes | None, salt: bytes | None, header: bytes | None
) -> StoredEntry:
    """A row as an entry; its detail is there only if all three parts are.

    The commitment is that of the stored parts: compare it with the envelope before trusting them.
    """
    if blob is None or salt is None or header is None:
        return StoredEntry(index, envelope, None)
    return StoredEntry(
        index, envelope, Sealed(blob, salt, commit_detail(salt, header, blob), header)
    )


def sqlite_path(url: str) -> str | None:
    """The file that an address names, None if it names no SQLite file."""
    if url.startswith(SQLITE):
        return url.removeprefix(SQLITE)
    return None if "://" in url else url


def store_for(url: str) -> Store:
    """A store, not yet opened, for `sqlite:///PATH` or `postgresql://...`.

    Raises:
        LogUnavailableError: the address names no store that the log knows.
    """
    path = sqlite_path(url)
    if path is not None:
        from audit.sqlite_store import SqliteStore

        return SqliteStore(path)
    if url.startswith(POSTGRES):
        from audit.postgres_store import PostgresStore

        return PostgresStore(url)
    raise LogUnavailableError("a log's address starts with sqlite:/// or postgresql://")


async def require_durable(url: str) -> None:
    """Make sure that a store's server flushes what it confirms; a SQLite file always does.

    Raises:
        LogUnavailableError: it does not, or does not answer.
    """
    if url.startswith(POSTGRES):
        from audit import postgres_store

        await postgres_store.require_durable(url)


async def create_store(url: str, births: Sequence[Batch]) -> None:
    """Create tables and these logs in one transaction.

    Raises:
        LogExistsError: something stands there already.
        LogUnavailableError: the place cannot be written, or the address is not understood.
    """
    path = sqlite_path(url)
    if path is not None:
        from audit.sqlite_store import create_file

        create_file(path, births)
        return
    if not url.startswith(POSTGRES):
        raise LogUnavailableError("a log's address starts with sqlite:/// or postgresql://")
    from audit.postgres_store import create_tables

    await create_tables(url, births)
