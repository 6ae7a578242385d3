# SPDX-License-Identifier: EUPL-1.2
"""What goes into the log, what stands in it, and what the caller gets back."""

from dataclasses import dataclass, field
from datetime import datetime

from audit.sealing import Sealed


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry to append: canonical envelope bytes and the detail that they commit to."""

    envelope: bytes
    sealed: Sealed | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry stands once it is durable.

    Attributes:
        log: origin of the log that took it.
        index: its number, from 0.
        leaf_hash: 32-byte hash of its bytes as stored.
        size: entries in the log after the commit that wrote it.
        root: 32-byte root at that size.
        t: the time that the log gave it.
    """

    log: str
    index: int
    leaf_hash: bytes
    size: int
    root: bytes
    t: datetime


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry read back; `sealed` is None where there was no detail or it was erased."""

    index: int
    envelope: bytes
    sealed: Sealed | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry on its way into a store."""

    index: int
    envelope: bytes
    leaf: bytes
    sealed: Sealed | None = field(repr=False)
