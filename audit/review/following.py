# SPDX-License-Identifier: EUPL-1.2
"""Whether a copy goes on where the last one ended: the same log, grown and not rewritten.

Whatever is derived from a log remembers how many entries it took and the roots of the subtrees over
them, computed from the entries themselves. A newer copy must lead from there to the root that its
own head names; no tile of it is believed. RFC 6962, section 2.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from audit.errors import LogCorruptError, LogUnavailableError
from audit.merkle import HASH_SIZE, fold, leaf_hash, node_hash
from audit.review.opened import StoredRow
from audit.store import Head

_CHUNK: Final = 4096


class Source(Protocol):
    """What is needed of a copy of one log."""

    def head(self) -> Head | None:
        """Origin, size, root and checkpoint."""

    def rows(self, start: int, stop: int) -> Sequence[StoredRow]:
        """Entries from `start` up to and without `stop`, in order."""

    def envelopes(self, start: int, stop: int) -> Sequence[tuple[int, object]]:
        """Number and envelope of the same entries."""


@dataclass(slots=True)
class Frontier:
    """How far a log was taken. Changed by `push` only, by the one who follows the log."""

    size: int = 0
    subtrees: list[bytes] = field(default_factory=list)

    def push(self, envelope: bytes) -> None:
        """One more entry; the carries are those of a binary counter."""
        value, rest = leaf_hash(envelope), self.size
        while rest & 1:
            value = node_hash(self.subtrees.pop(), value)
            rest >>= 1
        self.subtrees.append(value)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the tree so far."""
        return fold(self.subtrees)

    def copy(self) -> "Frontier":
        """An independent one."""
        return Frontier(self.size, list(self.subtrees))

    @property
    def stored(self) -> bytes:
        """The subtree roots, one after the other."""
        return b"".join(self.subtrees)

    @classmethod
    def restored(cls, size: int, stored: bytes) -> "Frontier":
        """What `stored` wrote down.

        Raises:
            LogCorruptError: there are not as many roots as a log of this size has.
        """
        if len(stored) != size.bit_count() * HASH_SIZE:
            raise LogCorruptError("what was remembered of the log is damaged; build it anew")
        parts = range(0, len(stored), HASH_SIZE)
        return cls(size, [stored[i : i + HASH_SIZE] for i in parts])


def head_of(copy: Source) -> Head:
    """The head of a copy.

    Raises:
        LogCorruptError: it has none.
    """
    head = copy.head()
    if head is None:
        raise LogCorruptError("this copy has no head; run `cuvar audit verify` on it")
    return head


def holds_details(copy: object) -> bool:
    """Whether a copy was made with sealed details: one without shows all of them as gone."""
    return bool(getattr(copy, "has_details", True))


def check_details(copy: object) -> None:
    """Refuse a copy that was made without sealed details.

    Raises:
        LogUnavailableError: it was.
    """
    if not holds_details(copy):
        raise LogUnavailableError(
            "this copy holds no sealed details; ask for one with details"
            " (`cuvar audit publish … --details`)"
        )


def check_continues(known: Frontier, copy: Source) -> Head:
    """The head of a copy that leads on from what is known.

    Raises:
        LogCorruptError: it is older, or another history; nothing may be derived from it.
    """
    head = head_of(copy)
    if head.size < known.size:
        raise LogCorruptError(
            f"this copy has {head.size} entries where {known.size} are known already;"
            " take a newer copy, and if there is none ask the operator why the log shrank"
        )
    grown = known.copy()
    for start in range(known.size, head.size, _CHUNK):
        for _, envelope in copy.envelopes(start, min(start + _CHUNK, head.size)):
            grown.push(envelope if isinstance(envelope, bytes) else b"")
    check_arrived(grown, head)
    return head


def check_arrived(grown: Frontier, head: Head) -> None:
    """Refuse a log whose entries do not make up the root of its head.

    Raises:
        LogCorruptError: they do not.
    """
    if (grown.size, grown.root) != (head.size, head.root):
        raise LogCorruptError(
            "this copy does not continue the log that was read before, or its entries are not"
            " those of its head; run `cuvar audit verify` on it with an older checkpoint"
        )


def followed(copy: Source, known: Frontier, stop: int) -> Iterator[StoredRow]:
    """The next entries, each pushed onto the frontier before it is given out.

    Raises:
        LogCorruptError: an entry is missing or is no bytes.
    """
    while known.size < stop:
        rows = copy.rows(known.size, min(known.size + _CHUNK, stop))
        for row in rows:
            if row.index != known.size or not isinstance(row.envelope, bytes):
                break
            known.push(row.envelope)
            yield row
        else:
            if rows:
                continue
        raise LogCorruptError(
            f"entry {known.size} is not in this copy; run `cuvar audit verify` on it"
        )
