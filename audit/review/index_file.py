# SPDX-License-Identifier: EUPL-1.2
"""The index as an SQLite file: tables, how it is made and opened, and what is written at once.

One file may cover several logs, each in parts of 65,536 entries. `word` holds terms of envelopes in
clear, `token` those of details as tokens; both say where in a part the term occurs. Deleted bytes
are overwritten. docs/formats/review-index.md; only `audit.review` writes it.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.errors import LogCorruptError, LogExistsError, LogUnavailableError, SealError
from audit.review.following import Frontier
from audit.review.postings import pack, unpack
from audit.review.searchkey import SearchKey

FORMAT: Final = 1
LOG_BITS: Final = 20  # parts that one log may have
_CHECK: Final = "cuvar review index"
_SCHEMA: Final = """
CREATE TABLE about (format INTEGER NOT NULL, mark BLOB NOT NULL);
CREATE TABLE log (number INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL, subtrees BLOB NOT NULL);
CREATE TABLE part (number INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,
  times BLOB NOT NULL);
CREATE TABLE word (part INTEGER NOT NULL, term TEXT NOT NULL, offsets BLOB NOT NULL,
  PRIMARY KEY (part, term)) WITHOUT ROWID;
CREATE TABLE token (part INTEGER NOT NULL, term BLOB NOT NULL, offsets BLOB NOT NULL,
  PRIMARY KEY (part, term)) WITHOUT ROWID;
CREATE TABLE awaited (log INTEGER NOT NULL, first INTEGER NOT NULL, stop INTEGER NOT NULL);
CREATE TABLE saved (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
"""

Terms = Mapping[str, Sequence[int]]
Tokens = Mapping[bytes, Sequence[int]]


@dataclass(frozen=True, slots=True)
class LogState:
    """How far one log is indexed."""

    number: int
    origin: str
    frontier: Frontier


@contextmanager
def guarded() -> Iterator[None]:
    """Turn SQLite's errors into this package's.

    Raises:
        LogUnavailableError: the file cannot be used now.
        LogCorruptError: it is damaged.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        name = getattr(error, "sqlite_errorname", "unknown")
        raise LogUnavailableError(
            f"the index cannot be used now ({name}); is another command writing it?"
        ) from None
    except sqlite3.Error:
        raise LogCorruptError("the index is damaged; delete the file and build it anew") from None


def create_index(path: Path, key: SearchKey) -> None:
    """Make an empty index for one officer's key.

    Raises:
        LogExistsError: a file stands there.
        LogUnavailableError: it cannot be written.
    """
    if path.exists():
        raise LogExistsError(f"{path.name} exists; use `cuvar review index sync`, or delete it")
    try:
        path.touch(mode=0o600)
    except OSError:
        raise LogUnavailableError(
            f"{path.name} cannot be written; check its folder and permissions"
        ) from None
    with guarded(), closing(_connected(path)) as con:
        con.execute("PRAGMA page_size = 8192")
        con.executescript(f"BEGIN;{_SCHEMA}")
        mark = key.seal(_CHECK, b"")
        con.execute("INSERT INTO about VALUES (?, ?)", (FORMAT, mark))
        con.execute("COMMIT")


@contextmanager
def open_index(path: Path, key: SearchKey | None = None) -> Iterator[sqlite3.Connection]:
    """Open an index; with a key, only if the key made it.

    Raises:
        LogUnavailableError: there is none, or it is no index.
        LogCorruptError: it is damaged.
        SealError: another key made it.
    """
    if not path.is_file():
        raise LogUnavailableError(f"there is no index {path.name}; run `cuvar review index build`")
    with guarded(), closing(_connected(path)) as con:
        try:
            known, mark = con.execute("SELECT format, mark FROM about").fetchone()
        except (sqlite3.Error, TypeError):
            raise LogUnavailableError(f"{path.name} is no index of a log") from None
        if known != FORMAT:
            raise LogUnavailableError(f"{path.name} is an index of another version; build it anew")
        if key is not None:
            try:
                key.open(_CHECK, mark)
            except SealError:
                raise SealError(
                    f"{path.name} was made with another key; give that officer's private key"
                ) from None
        yield con


def _connected(path: Path) -> sqlite3.Connection:
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("PRAGMA secure_delete = ON")
    con.execute("PRAGMA trusted_schema = OFF")
    con.execute("PRAGMA cache_size = -65536")
    return con


def logs(con: sqlite3.Connection) -> list[LogState]:
    """The logs that the index covers, in the order in which they came."""
    rows = con.execute("SELECT number, origin, size, subtrees FROM log ORDER BY number").fetchall()
    return [LogState(n, origin, Frontier.restored(size, roots)) for n, origin, size, roots in rows]


def log_state(con: sqlite3.Connection, origin: str) -> LogState:
    """One log of the index.

    Raises:
        LogUnavailableError: the index does not cover it.
    """
    for state in logs(con):
        if state.origin == origin:
            return state
    raise LogUnavailableError(
        f"the index does not cover {origin}; run `cuvar review index sync` with a copy of it"
    )


def part_of(log: int, part: int) -> int:
    """The number of a log's part in the tables."""
    return log << LOG_BITS | part


def read_part(
    con: sqlite3.Connection, number: int
) -> tuple[dict[str, list[int]], dict[bytes, list[int]], bytes]:
    """Words, tokens and times of one part, empty where it is new."""
    words, tokens = (
        {term: unpack(data).tolist() for term, data in con.execute(sql, (number,))}
        for sql in (
            "SELECT term, offsets FROM word WHERE part = ?",
            "SELECT term, offsets FROM token WHERE part = ?",
        )
    )
    row = con.execute("SELECT times FROM part WHERE number = ?", (number,)).fetchone()
    return words, tokens, b"" if row is None else row[0]


def write_part(
    con: sqlite3.Connection, number: int, words: Terms, tokens: Tokens, times: bytes
) -> None:
    """Put a part in the place of what stands there. Called within a transaction."""
    con.execute("DELETE FROM word WHERE part = ?", (number,))
    con.execute("DELETE FROM token WHERE part = ?", (number,))
    con.executemany(
        "INSERT INTO word VALUES (?, ?, ?)",
        ((number, term, pack(words[term])) for term in sorted(words)),
    )
    con.executemany(
        "INSERT INTO token VALUES (?, ?, ?)",
        ((number, term, pack(tokens[term])) for term in sorted(tokens)),
    )
    first, last = (int.from_bytes(t, "little", signed=True) for t in (times[:8], times[-8:]))
    con.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?)", (number, first, last, times))
