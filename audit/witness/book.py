# SPDX-License-Identifier: EUPL-1.2
"""A witness's memory: one SQLite file with what it cosigned last, and what it refused.

INVARIANT: the last checkpoint of an origin moves only from exactly the one that the submission was
compared with (compare-and-swap on its size, root and time), in a transaction that is on disk before
the cosignature leaves. Two submissions at once, or two processes on one file, can't roll it back.
Refused but validly signed checkpoints are kept with what they stood against, up to a bound per
origin and kind; nothing is pushed out. One lock owns the connection.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from audit.checkpoint import Checkpoint, read_checkpoint
from audit.errors import NoteError, WitnessError
from audit.note import split_note
from audit.witness.rules import Contradiction, Last, Submission

KEPT = 200
_BUSY_S = 10.0
_FORMAT = 1
_T = TypeVar("_T")
_COSIGNED = (
    "CREATE TABLE cosigned (origin TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE,"
    " size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, time INTEGER NOT NULL)"
)
_REFUSED = (
    "CREATE TABLE refused (number INTEGER PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL,"
    " size INTEGER NOT NULL, root BLOB NOT NULL, body BLOB NOT NULL, note TEXT NOT NULL,"
    " against TEXT NOT NULL, time INTEGER NOT NULL, UNIQUE (origin, kind, size, root))"
)
_SCHEMA = (_COSIGNED, _REFUSED, f"PRAGMA user_version = {_FORMAT}")
_LAST = "SELECT note, time FROM cosigned WHERE origin = ?"
_BY_DIGEST = "SELECT note FROM cosigned WHERE digest = ?"
_FIRST = "INSERT INTO cosigned VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_UNDER = "SELECT count(*) FROM cosigned WHERE origin >= ? AND origin < ?"
_NEXT = (
    "UPDATE cosigned SET size = ?, root = ?, note = ?, time = ?"
    " WHERE origin = ? AND size = ? AND root = ? AND time = ?"
)
_KEEP = (
    "INSERT INTO refused (origin, kind, size, root, body, note, against, time)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
    " WHERE (SELECT count(*) FROM refused WHERE origin = ?1 AND kind = ?2) < ?9"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused checkpoint that a trusted key signed.

    Attributes:
        number: to ask for it.
        kind: what it may be evidence of.
        checkpoint: origin, size, root.
        note: it, with the log's signature.
        body: the submission as it came, with its proof.
        against: the checkpoint cosigned last at that moment; empty if none.
        time: POSIX second.
    """

    number: int
    kind: Contradiction
    checkpoint: Checkpoint
    note: str
    body: bytes
    against: str
    time: int


def origin_digest(origin: str) -> str:
    """Lower-case hex SHA-256 of an origin: how the monitoring endpoint names a log."""
    return hashlib.sha256(origin.encode()).hexdigest()


class Book:
    """The file of one witness; safe to use from several threads."""

    def __init__(self, con: sqlite3.Connection, name: str) -> None:
        self._con, self._name, self._lock = con, name, threading.Lock()

    @staticmethod
    def create(path: Path) -> None:
        """Make an empty file.

        Raises:
            WitnessError: it exists or can't be written.
        """
        if path.exists():
            raise WitnessError(f"{path.name} exists; a witness's memory is never overwritten")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path, isolation_level=None)) as con:
                con.execute("PRAGMA journal_mode = WAL")
                con.execute("BEGIN IMMEDIATE")
                for statement in _SCHEMA:
                    con.execute(statement)
                con.execute("COMMIT")
        except (OSError, sqlite3.Error):
            raise WitnessError(f"{path.name} can't be written; check its folder") from None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing file: a lost memory must be noticed, not silently begun anew.

        Raises:
            WitnessError: missing, or not of a witness.
        """
        if not path.is_file():
            raise WitnessError(f"{path.name} is missing; `cuvar witness keygen` makes it")
        try:
            con = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S
            )
            con.execute("PRAGMA synchronous = FULL")
            con.execute("PRAGMA trusted_schema = OFF")
            version = con.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error:
            raise WitnessError(f"{path.name} is no SQLite file; restore it") from None
        if version != _FORMAT:
            con.close()
            raise WitnessError(f"{path.name} is no memory of a witness of this version")
        return cls(con, path.name)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._con.close()

    def last(self, origin: str) -> Last | None:
        """What was cosigned last for this origin.

        Raises:
            WitnessError: the file can't be read.
        """
        rows = self._run(lambda con: con.execute(_LAST, (origin,)).fetchall())
        return self._last(*rows[0]) if rows else None

    def note(self, digest: str) -> str | None:
        """The checkpoint cosigned last, with its lines, by `origin_digest`.

        Raises:
            WitnessError: the file can't be read.
        """
        rows = self._run(lambda con: con.execute(_BY_DIGEST, (digest,)).fetchall())
        return str(rows[0][0]) if rows else None

    def advance(self, last: Last | None, to: Last) -> bool:
        """Move an origin from exactly `last` to `to`; False if it has moved meanwhile.

        Returns once it is on disk.

        Raises:
            WitnessError: the file can't be written; nothing may be cosigned.
        """
        new = to.checkpoint

        def write(con: sqlite3.Connection) -> int:
            moved = (new.size, new.root, to.note, to.time)
            if last is None:
                first = (new.origin, origin_digest(new.origin), *moved)
                return con.execute(_FIRST, first).rowcount
            old = last.checkpoint
            return con.execute(_NEXT, (*moved, old.origin, old.size, old.root, last.time)).rowcount

        return self._run(write) == 1

    def keep(
        self, submission: Submission, kind: Contradiction, last: Last | None, now: int
    ) -> bool:
        """Keep a refused checkpoint; once per origin, kind, size and root, and up to a bound.

        True if it is kept now and was not before.

        Raises:
            WitnessError: the file can't be written.
        """
        found = submission.checkpoint
        row = (
            found.origin, kind.value, found.size, found.root, submission.request.body,
            submission.note, last.note if last else "", now, KEPT,
        )  # fmt: skip
        return self._run(lambda con: con.execute(_KEEP, row).rowcount) == 1

    def logs_under(self, name: str) -> int:
        """How many logs were cosigned whose names begin with this one and a slash.

        Raises:
            WitnessError: the memory can't be used.
        """
        # "0" is the character after "/".
        found = self._run(lambda con: con.execute(_UNDER, (f"{name}/", f"{name}0")).fetchone())
        return int(found[0])

    def origins(self) -> list[tuple[str, Last]]:
        """Every origin with what was cosigned last.

        Raises:
            WitnessError: the file can't be read.
        """
        sql = "SELECT origin, note, time FROM cosigned ORDER BY origin"
        rows = self._run(lambda con: con.execute(sql).fetchall())
        return [(row[0], self._last(row[1], row[2])) for row in rows]

    def refused(self) -> list[Refused]:
        """What was kept, oldest first.

        Raises:
            WitnessError: the file can't be read.
        """
        sql = "SELECT number, kind, note, body, against, time FROM refused ORDER BY number"
        rows = self._run(lambda con: con.execute(sql).fetchall())
        return [
            Refused(row[0], Contradiction(row[1]), self._checkpoint(row[2]), *row[2:])
            for row in rows
        ]

    def counts(self) -> dict[Contradiction, int]:
        """How many refused checkpoints are kept of each kind.

        Raises:
            WitnessError: the file can't be read.
        """
        sql = "SELECT kind, count(*) FROM refused GROUP BY kind"
        rows = dict(self._run(lambda con: con.execute(sql).fetchall()))
        return {kind: rows.get(kind.value, 0) for kind in Contradiction}

    def _last(self, note: str, time: int) -> Last:
        return Last(self._checkpoint(note), note, time)

    def _checkpoint(self, note: str) -> Checkpoint:
        try:
            return read_checkpoint(split_note(note.encode())[0])
        except NoteError:
            raise WitnessError(
                f"{self._name} holds something else than checkpoints; restore it"
            ) from None

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """One statement is one transaction: the connection commits by itself."""
        with self._lock:
            try:
                return work(self._con)
            except sqlite3.Error as error:
                reason = getattr(error, "sqlite_errorname", "unknown")
                raise WitnessError(
                    f"{self._name} can't be used ({reason}); check its disk and its permissions"
                ) from None
