# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: S608 - the names and numbers in these statements are this module's own
"""The tables of both store formats as a reader sees them (docs/formats/log.md, section 6); pure.

Format 1 holds one log and numbers its entries from 0. Format 2 holds many: a row's number is the
log's number times 2**40 plus the entry's. The copies of SQLite and PostgreSQL rely on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit.copies import Detail, Row
from audit.errors import LogCorruptError
from audit.store import Head

FIRST, SECOND = 1, 2
FORMATS = (FIRST, SECOND)
_STRIDE = 1 << 40
LOGS = {FIRST: "SELECT 0 FROM log_head", SECOND: "SELECT log FROM log_head"}
ORIGINS = {
    FIRST: "SELECT origin FROM log_head",
    SECOND: "SELECT origin FROM log_head ORDER BY log",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """SQL for one log of one database; `?1`, `?2` stand for the numbers of a range.

    Attributes:
        format: 1 or 2.
        log: the log's number in the database; 0 in format 1.
    """

    format: int
    log: int

    @property
    def base(self) -> int:
        """The row number of entry 0."""
        return self.log * _STRIDE

    @property
    def _key(self) -> str:
        return "idx" if self.format == FIRST else "pos"

    @property
    def head(self) -> str:
        """The head row of this log."""
        where = "one = 1" if self.format == FIRST else f"log = {self.log}"
        closed = "0" if self.format == FIRST else "closed"
        return f"SELECT origin, size, root, note, {closed} FROM log_head WHERE {where}"

    @property
    def rows(self) -> str:
        """Entries of a range with their details."""
        key = self._key
        return (
            f"SELECT e.{key}, e.envelope, d.blob, d.salt, d.header FROM log_entry e"
            f" LEFT JOIN log_detail d ON d.{key} = e.{key}"
            f" WHERE e.{key} >= ?1 AND e.{key} < ?2 ORDER BY e.{key}"
        )

    @property
    def envelopes(self) -> str:
        """Entries of a range."""
        key = self._key
        return f"SELECT {key}, envelope FROM log_entry WHERE {key} >= ?1 AND {key} < ?2 ORDER BY 1"

    @property
    def details(self) -> str:
        """Details of a range."""
        key = self._key
        columns = f"{key}, blob, salt, header"
        return f"SELECT {columns} FROM log_detail WHERE {key} >= ?1 AND {key} < ?2 ORDER BY 1"

    @property
    def tile(self) -> str:
        """A tile by level and number."""
        mine = "" if self.format == FIRST else f" AND log = {self.log}"
        return f"SELECT hashes FROM log_tile WHERE level = ?1 AND number = ?2{mine}"

    @property
    def cosigned(self) -> str | None:
        """The newest cosigned checkpoint."""
        if self.format == FIRST:
            return None
        return f"SELECT note FROM log_cosigned WHERE log = {self.log}"

    def last(self, table: str) -> str:
        """The highest row number of this log in a table, null if it has none."""
        key, stop = self._key, self.base + _STRIDE
        return f"SELECT max({key}) FROM {table} WHERE {key} >= {self.base} AND {key} < {stop}"

    def stray(self, table: str, logs: Sequence[int]) -> list[str]:
        """Whether rows of a table belong to none of these logs: a question for each gap."""
        if self.format == FIRST:
            return [f"SELECT count(*) FROM {table} WHERE idx < 0"]
        found = [f"SELECT count(*) FROM {table} WHERE pos < 0"]
        at = 0
        for log in sorted(logs):
            if log > at:
                gap = f"pos >= {at * _STRIDE} AND pos < {log * _STRIDE}"
                found.append(f"SELECT count(*) FROM {table} WHERE {gap}")
            at = log + 1
        return [*found, f"SELECT count(*) FROM {table} WHERE pos >= {at * _STRIDE}"]

    def as_head(self, row: Any) -> Head:
        """A head row of the right types.

        Raises:
            LogCorruptError: it is not.
        """
        match tuple(row):
            case (str(origin), int(size), bytes(root), str(note), int(closed)):
                return Head(origin, size, root, note, self.log, bool(closed))
        raise LogCorruptError("its values are not of the right types")

    def as_row(self, row: Any) -> Row:
        """A row of `rows`."""
        return Row(row[0] - self.base, *tuple(row)[1:])

    def as_detail(self, row: Any) -> Detail:
        """A row of `details`."""
        return Detail(row[0] - self.base, *tuple(row)[1:])
