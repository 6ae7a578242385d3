# SPDX-License-Identifier: EUPL-1.2
"""What the log asks of a database, and which database an address names.

A store keeps rows and knows nothing of trees, keys or envelopes. Its one duty beyond that: `commit`
returns only when the batch is on disk, and writes nothing unless the head is still the one that the
batch was built on. Everything that fails is one of three errors: unavailable, moved, corrupt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.entry import EntryRow, StoredEntry
from audit.errors import LogUnavailableError
from audit.sealing import Sealed, commit_detail
from audit.tiles import Tile, TileId

FORMAT = 1
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class Head:
    """Origin, size, root and the signed checkpoint over them."""

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One commit: from which head to which, with the new rows and tiles."""

    old: Head
    new: Head
    rows: Sequence[EntryRow]
    tiles: Sequence[Tile]


@dataclass(frozen=True, slots=True)
class Query:
    """A look-up, newest first: None does not restrict; `before` is exclusive."""

    owner: str | None
    requester: str | None
    kind: str | None
    before: int
    limit: int

    def where(self, mark: str) -> tuple[str, list[str | int]]:
        """The SQL condition and its values; `mark` is the placeholder with {} for its number."""
        terms = [f"idx < {mark.format(1)}"]
        found: list[str | int] = [self.before]
        for column, value in (
            ("owner", self.owner),
            ("requester", self.requester),
            ("kind", self.kind),
        ):
            if value is not None:
                found.append(value)
                terms.append(f"{column} = {mark.format(len(found))}")
        found.append(self.limit)
        return f"{' AND '.join(terms)} ORDER BY idx DESC LIMIT {mark.format(len(found))}", found


class Store(Protocol):
    """A database that holds one log.

    Every method raises LogUnavailableError when the database does not answer, and LogCorruptError
    when it answers that its own file is damaged.
    """

    async def reopen(self) -> None:
        """Connect, or connect again, and take the writer's lease."""

    async def check(self) -> None:
        """Make sure that the database is there and still the one that was opened."""

    async def rehearse(self) -> None:
        """Write the head row as it is, durably: a commit would succeed now."""

    async def head(self) -> Head:
        """The head row."""

    async def count(self) -> int:
        """One more than the highest entry number; 0 if there is none."""

    async def leaves(self, start: int, stop: int) -> bytes:
        """Stored leaf hashes of these entries, one after the other."""

    async def tiles(self, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
        """Those of the wanted tiles that are stored."""

    async def entries(self, start: int, stop: int) -> list[StoredEntry]:
        """Entries from `start` up to and without `stop`, in order."""

    async def search(self, query: Query) -> list[StoredEntry]:
        """Entries that a query fits, newest first."""

    async def commit(self, batch: Batch) -> None:
        """Write a batch durably.

        Raises:
            HeadMovedError: the head is not `batch.old`; nothing was written.
        """

    async def erase(self, indices: Sequence[int]) -> int:
        """Delete the details of these entries; how many there were."""

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


async def create_store(url: str, head: Head) -> None:
    """Create tables and first head in one transaction.

    Raises:
        LogExistsError: something stands there already.
        LogUnavailableError: the place cannot be written, or the address is not understood.
    """
    path = sqlite_path(url)
    if path is not None:
        from audit.sqlite_store import create_file

        create_file(path, head)
        return
    if not url.startswith(POSTGRES):
        raise LogUnavailableError("a log's address starts with sqlite:/// or postgresql://")
    from audit.postgres_store import create_tables

    await create_tables(url, head)
