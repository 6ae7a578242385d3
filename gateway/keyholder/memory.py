# SPDX-License-Identifier: EUPL-1.2
"""What a key holder remembers: which nations he admits, and how much each had blinded this hour.

One SQLite file. Of a nation's token only its SHA-256 is kept, and of what it sends only the number
of elements, in an hour; hours that are over are deleted. docs/formats/keyholder.md section 4.
"""

import hashlib
import hmac
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from anonymise.domain import COUNTRY
from gateway.keyholder.errors import KeyHolderError

HOUR_S: Final = 3_600
_TABLES: Final = """
CREATE TABLE client (country TEXT PRIMARY KEY, token BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE spent (
  country TEXT, hour INTEGER, elements INTEGER NOT NULL, PRIMARY KEY (country, hour)
) WITHOUT ROWID;
"""


class Memory:
    """The memory; may be used from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Use an existing file.

        Raises:
            KeyHolderError: there is none, or it is none of a key holder.
        """
        if not path.is_file():
            raise KeyHolderError(f"there is no {path.name}; make one with `cuvar keyholder init`")
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with self._told():
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("SELECT country, token FROM client LIMIT 1")
            self._connection.execute("SELECT country, hour, elements FROM spent LIMIT 1")

    @classmethod
    def create(cls, path: Path) -> None:
        """Make an empty memory.

        Raises:
            KeyHolderError: a file stands there, or can't be written.
        """
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise KeyHolderError(f"{path.name} can't be made: {error.strerror}") from None
        connection = sqlite3.connect(path)
        try:
            connection.executescript(_TABLES)
        finally:
            connection.close()

    def admit(self, country: str, token: bytes) -> None:
        """Admit a nation by a token; an earlier one of it counts no more.

        Raises:
            KeyHolderError: this is no country, or the memory can't be written.
        """
        if not COUNTRY.fullmatch(country):
            raise KeyHolderError("a nation is a code of two capital letters")
        with self._told() as connection:
            connection.execute("REPLACE INTO client VALUES (?, ?)", (country, _digest(token)))

    def dismiss(self, country: str) -> bool:
        """Admit a nation no more; whether it was admitted."""
        with self._told() as connection:
            gone = connection.execute("DELETE FROM client WHERE country = ?", (country,))
            return gone.rowcount > 0

    def nations(self) -> list[str]:
        """Who is admitted."""
        with self._told() as connection:
            rows = connection.execute("SELECT country FROM client ORDER BY country").fetchall()
        return [country for (country,) in rows]

    def who(self, token: bytes) -> str | None:
        """The nation of a token, None if it is nobody's."""
        asked, found = _digest(token), None
        with self._told() as connection:
            rows = connection.execute("SELECT country, token FROM client").fetchall()
        for country, known in rows:
            if hmac.compare_digest(known, asked):
                found = str(country)
        return found

    def spend(self, country: str, elements: int, most: int, now: int) -> int:
        """Count elements against a nation's hour.

        Gives 0 when they may be blinded, else the seconds until the next hour; then nothing counts.

        Raises:
            KeyHolderError: the memory can't be written; then nothing may be blinded.
        """
        hour = now // HOUR_S
        with self._told() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("DELETE FROM spent WHERE hour < ?", (hour,))
                done = connection.execute(
                    "INSERT INTO spent VALUES (?1, ?2, ?3) ON CONFLICT (country, hour)"
                    " DO UPDATE SET elements = elements + ?3 WHERE elements + ?3 <= ?4",
                    (country, hour, elements, most),
                )
                spent = done.rowcount > 0 and elements <= most
                connection.execute("COMMIT" if spent else "ROLLBACK")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        return 0 if spent else HOUR_S - now % HOUR_S

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._connection
        except sqlite3.Error:
            raise KeyHolderError(
                "the key holder's memory can't be used; look at its disk"
            ) from None


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(b"cuvar keyholder client 1" + token).digest()
