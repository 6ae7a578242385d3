# SPDX-License-Identifier: EUPL-1.2
"""Looking into the log's file, and damaging a copy of it, as a database administrator could."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from audit import Sealed
from audit.copies import open_copy
from audit.store import LOG_BITS
from gateway.demo.build import DemoError
from gateway.logfile import entry_address


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
    """A consistent copy of the log's file, as a backup tool would make."""
    copy.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{log.absolute()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


def change_one_byte(copy: Path, address: str) -> tuple[str, str]:
    """Change one letter of an entry; what it was and what it became."""
    origin, index = entry_address(address)
    with closing(sqlite3.connect(copy)) as connection:
        (log,) = connection.execute(
            "SELECT log FROM log_head WHERE origin = ?", (origin,)
        ).fetchone()
        place_of_row = (log << LOG_BITS) + index
        (envelope,) = connection.execute(
            "SELECT envelope FROM log_entry WHERE pos = ?", (place_of_row,)
        ).fetchone()
        place = envelope.index(b'"count":') + len(b'"count":')
        changed = bytearray(envelope)
        changed[place] = ord("0") if envelope[place] != ord("0") else ord("1")
        connection.execute(
            "UPDATE log_entry SET envelope = ? WHERE pos = ?", (bytes(changed), place_of_row)
        )
        connection.commit()
    return chr(envelope[place]), chr(changed[place])
