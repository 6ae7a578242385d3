# SPDX-License-Identifier: EUPL-1.2
"""Entries with the details that one key opens: what reports, alerts and look-ups read.

A detail has one of four states. `none`: the entry never had one. `erased`: it had one, which is
gone as the law demands (Eurodac Art. 41(4)). `sealed`: it is there and this key is of none of its
recipients, or no key was given. `open`: here it is. What a detail holds is for its writer to say
(docs/formats/log.md, section 3). A copy is proved by the verifier and not here, but a detail that
its envelope does not commit to is never handed on.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import orjson

from audit.envelope import parse_envelope
from audit.errors import EnvelopeError, LogCorruptError, SealError
from audit.event import Envelope
from audit.sealing import Sealed, Unsealer, commit_detail

State = Literal["open", "sealed", "erased", "none"]
_CHUNK: Final = 1024
_STRANGE: Final = 1024  # windows of others that are remembered


class StoredRow(Protocol):
    """An entry as a copy holds it; nothing in it is trusted, not even the types."""

    @property
    def index(self) -> int:
        """Its number."""

    @property
    def envelope(self) -> object:
        """The bytes that are hashed."""

    @property
    def blob(self) -> object:
        """Ciphertext of the detail."""

    @property
    def salt(self) -> object:
        """The detail's salt."""

    @property
    def header(self) -> object:
        """The window header that holds the wrapped keys."""


class Rows(Protocol):
    """What is needed of a copy of one log."""

    def rows(self, start: int, stop: int) -> Sequence[StoredRow]:
        """Entries from `start` up to and without `stop`, in order."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One entry.

    Attributes:
        origin: the log in which it stands.
        index: its number there.
        envelope: its part without persons.
        detail: who, about whom and why; None unless `state` is open.
        state: whether there is a detail and whether it is open.
    """

    origin: str
    index: int
    envelope: Envelope
    detail: Mapping[str, Any] | None = field(repr=False)
    state: State


class Opener:
    """Opens details with one key, or none; remembers whose windows are somebody else's."""

    def __init__(self, unsealer: Unsealer | None, *, kept: bool = True) -> None:
        """Without an unsealer, or of a copy that keeps no details, every detail stays sealed."""
        self._unsealer = unsealer
        self._kept = kept
        # Owned by `_open`: trying a foreign window costs an exchange for each of its recipients.
        self._strange: set[bytes] = set()

    def detail(self, row: StoredRow, commitment: str | None) -> tuple[State, dict[str, Any] | None]:
        """The state of an entry's detail, and the detail where it is open.

        Args:
            row: the entry as stored.
            commitment: `detail` of its envelope.

        Raises:
            LogCorruptError: the stored detail is not the one that the envelope commits to.
        """
        if commitment is None:
            return "none", None
        blob, salt, header = row.blob, row.salt, row.header
        if blob is None and salt is None and header is None:
            return ("erased" if self._kept else "sealed"), None
        if not (isinstance(blob, bytes) and isinstance(salt, bytes) and isinstance(header, bytes)):
            raise _corrupt(row.index)
        committed = commit_detail(salt, header, blob)
        if committed.hex() != commitment:
            raise _corrupt(row.index)
        return self._open(Sealed(blob, salt, committed, header))

    def _open(self, sealed: Sealed) -> tuple[State, dict[str, Any] | None]:
        if self._unsealer is None or not self._ours(sealed.window):
            return "sealed", None
        try:
            content = orjson.loads(self._unsealer.open(sealed))
        except (SealError, orjson.JSONDecodeError):
            return "sealed", None
        return ("open", content) if isinstance(content, dict) else ("sealed", None)

    def _ours(self, window: bytes) -> bool:
        digest = hashlib.sha256(window).digest()
        if digest in self._strange or self._unsealer is None:
            return False
        if self._unsealer.knows(window):
            return True
        if len(self._strange) >= _STRANGE:
            self._strange.clear()
        self._strange.add(digest)
        return False


def _corrupt(index: int) -> LogCorruptError:
    return LogCorruptError(
        f"the detail of entry {index} is not the one that its envelope commits to;"
        " run `cuvar audit verify` on this copy"
    )


def open_entries(copy: Rows, unsealer: Unsealer | None, start: int, stop: int) -> Iterator[Opened]:
    """Entries from `start` up to and without `stop`, with what the key opens of their details.

    Raises:
        LogCorruptError: an entry is missing, is no entry, or its detail is another one.
        LogUnavailableError: the database does not answer.
    """
    opener = Opener(unsealer, kept=getattr(copy, "has_details", True))
    expected = start
    for first in range(start, stop, _CHUNK):
        for row in copy.rows(first, min(first + _CHUNK, stop)):
            yield _opened(row, expected, opener)
            expected += 1
    if expected < stop:
        raise LogCorruptError(
            f"entry {expected} is not in this copy; run `cuvar audit verify` on it"
        )


def _opened(row: StoredRow, expected: int, opener: Opener) -> Opened:
    if row.index != expected:
        raise LogCorruptError(
            f"entry {expected} is not in this copy; run `cuvar audit verify` on it"
        )
    try:
        envelope = parse_envelope(row.envelope if isinstance(row.envelope, bytes) else b"")
    except EnvelopeError:
        raise LogCorruptError(
            f"entry {expected} is not readable as an entry; run `cuvar audit verify` on this copy"
        ) from None
    state, detail = opener.detail(row, envelope.detail)
    return Opened(envelope.log, expected, envelope, detail, state)
