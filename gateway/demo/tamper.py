# SPDX-License-Identifier: EUPL-1.2
"""Looking into the log's file, and damaging a copy of it, as a database administrator could."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from audit import Sealed, parse_envelope
from gateway.demo.build import DemoError

_ENTRY = (
    "SELECT e.idx, e.envelope, d.blob, d.salt, d.header FROM log_entry e"
    " LEFT JOIN log_detail d ON d.idx = e.idx WHERE e.idx = ?"
)


class LoggedEntry(NamedTuple):
    """An entry as it stands in the file."""

    number: int
    envelope: bytes
    sealed: Sealed | None


def read_entries(log: Path, indices: Sequence[int]) -> list[LoggedEntry]:
    """The entries of these numbers.

    Raises:
        DemoError: one of them is not there.
    """
    with closing(sqlite3.connect(f"file:{log.absolute()}?mode=ro", uri=True)) as connection:
        found = [connection.execute(_ENTRY, (index,)).fetchone() for index in indices]
    if None in found:
        raise DemoError("an entry named by an answer is not in the log")
    return [_entry(*row) for row in found]


def _entry(
    index: int, envelope: bytes, blob: bytes | None, salt: bytes | None, header: bytes | None
) -> LoggedEntry:
    commitment = parse_envelope(envelope).detail
    if blob is None or salt is None or header is None or commitment is None:
        return LoggedEntry(index, envelope, None)
    return LoggedEntry(index, envelope, Sealed(blob, salt, bytes.fromhex(commitment), header))


def copy_log(log: Path, copy: Path) -> None:
    """A consistent copy of the log's file, as a backup tool would make."""
    copy.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{log.absolute()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


def change_one_byte(copy: Path, index: int) -> tuple[str, str]:
    """Change one letter of an entry; what it was and what it became."""
    with closing(sqlite3.connect(copy)) as connection:
        (envelope,) = connection.execute(
            "SELECT envelope FROM log_entry WHERE idx = ?", (index,)
        ).fetchone()
        place = envelope.index(b'"count":') + len(b'"count":')
        changed = bytearray(envelope)
        changed[place] = ord("0") if envelope[place] != ord("0") else ord("1")
        connection.execute(
            "UPDATE log_entry SET envelope = ? WHERE idx = ?", (bytes(changed), index)
        )
        connection.commit()
    return chr(envelope[place]), chr(changed[place])
