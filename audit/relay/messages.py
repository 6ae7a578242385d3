# SPDX-License-Identifier: EUPL-1.2
"""What stands in a frame: a request of a follower, an answer of the leader (relay.md, section 3).

Pure. A reader refuses what a writer would not write: unknown words, counts over their limits, and
bytes left over. The commitment of a detail does not travel; the leader makes it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import TypeVar

from audit import errors
from audit.entry import Pending, Position
from audit.envelope import EPOCH
from audit.errors import AuditError, LogUnavailableError
from audit.merkle import HASH_SIZE
from audit.relay.frames import MAX_BODY, RelayError
from audit.sealing import Sealed, commit_detail
from audit.store import Cosigned

MAX_ENTRIES = 4096
MAX_ERASED = 1 << 20
_MAX_MESSAGE = 1000
_SALT = 32
_MICROSECOND = timedelta(microseconds=1)
_T = TypeVar("_T")


class Op(IntEnum):
    """What a follower may ask."""

    APPEND = 1
    ERASE = 2
    COSIGNED = 3
    ROTATE = 4
    PING = 5


# Status of an answer; 0 is success. Numbers are added, never used again.
_ERRORS: Mapping[int, type[AuditError]] = {
    1: LogUnavailableError,
    2: errors.EnvelopeError,
    3: errors.LogCorruptError,
    4: errors.ProofError,
    5: errors.NoteError,
    6: AuditError,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was read: its number, its word and the reader of its payload."""

    number: int
    op: Op
    payload: "Reader"


class Reader:
    """Takes a body apart from left to right."""

    __slots__ = ("_data", "_place")

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            RelayError: there are fewer.
        """
        part = self._data[self._place : self._place + size]
        if len(part) != size:
            raise RelayError("a relay message is too short")
        self._place += size
        return part

    def number(self, size: int) -> int:
        """A big-endian number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> bytes:
        """Bytes with their length, of `size` bytes, before them."""
        return self.take(self.number(size))

    def text(self, size: int) -> str:
        """UTF-8 with its length before it."""
        try:
            return self.block(size).decode()
        except UnicodeDecodeError:
            raise RelayError("a relay message holds a text that is not UTF-8") from None

    def many(self, size: int, limit: int, one: Callable[[], _T]) -> list[_T]:
        """A list with its count, of `size` bytes, before it."""
        count = self.number(size)
        if count > limit:
            raise RelayError(f"a relay message with a list of {count}, over the limit of {limit}")
        return [one() for _ in range(count)]

    def end(self) -> None:
        """Make sure that nothing is left.

        Raises:
            RelayError: there is more.
        """
        if self._place != len(self._data):
            raise RelayError("a relay message is too long")


def _block(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def request(number: int, op: Op, payload: bytes = b"") -> bytes:
    """A request's body.

    Raises:
        AuditError: it is over 16 MiB.
    """
    if len(payload) > MAX_BODY - 9:
        raise AuditError("an append over 16 MiB cannot be handed on; append fewer entries at once")
    return number.to_bytes(8, "big") + bytes([op]) + payload


def parse_request(body: bytes) -> Request:
    """Read a request's number and word.

    Raises:
        RelayError: malformed, or an unknown word.
    """
    reader = Reader(body)
    number, word = reader.number(8), reader.number(1)
    if word not in Op._value2member_map_:
        raise RelayError(f"a relay request with the unknown word {word}")
    return Request(number, Op(word), reader)


def write_entries(entries: Sequence[Pending]) -> bytes:
    """The payload of an append.

    Raises:
        AuditError: more than 4,096 entries.
    """
    if len(entries) > MAX_ENTRIES:
        raise AuditError(f"one append takes at most {MAX_ENTRIES} entries; make several")
    parts = [len(entries).to_bytes(2, "big")]
    for entry in entries:
        parts += [len(entry.envelope).to_bytes(2, "big"), entry.envelope]
        if entry.sealed is None:
            parts.append(b"\x00")
        else:
            salt, window, blob = entry.sealed.salt, entry.sealed.window, entry.sealed.blob
            parts += [b"\x01", salt, _block(window, 2), _block(blob, 4)]
    return b"".join(parts)


def read_entries(reader: Reader) -> list[Pending]:
    """Entries of an append; the envelopes are not yet checked.

    Raises:
        RelayError: malformed.
    """

    def one() -> Pending:
        envelope = reader.block(2)
        flag = reader.number(1)
        if flag > 1:
            raise RelayError("a relay entry that neither has nor lacks a detail")
        if not flag:
            return Pending(envelope)
        salt, window, blob = reader.take(_SALT), reader.block(2), reader.block(4)
        return Pending(envelope, Sealed(blob, salt, commit_detail(salt, window, blob), window))

    entries = reader.many(2, MAX_ENTRIES, one)
    reader.end()
    return entries


def write_positions(positions: Sequence[Position]) -> bytes:
    """The answer to an append."""
    parts = [len(positions).to_bytes(2, "big")]
    for p in positions:
        parts += [
            _block(p.log.encode(), 1),
            p.index.to_bytes(8, "big"),
            p.leaf_hash,
            p.size.to_bytes(8, "big"),
            p.root,
            ((p.t - EPOCH) // _MICROSECOND).to_bytes(8, "big"),
        ]
    return b"".join(parts)


def read_positions(reader: Reader) -> list[Position]:
    """Positions, in the order of the entries.

    Raises:
        RelayError: malformed.
    """

    def one() -> Position:
        log, index, leaf = reader.text(1), reader.number(8), reader.take(HASH_SIZE)
        size, root = reader.number(8), reader.take(HASH_SIZE)
        t = EPOCH + reader.number(8) * _MICROSECOND
        return Position(index=index, leaf_hash=leaf, size=size, root=root, t=t, log=log)

    positions = reader.many(2, MAX_ENTRIES, one)
    reader.end()
    return positions


def write_erasure(origin: str, indices: Sequence[int]) -> bytes:
    """The payload of an erasure: sorted, no number twice.

    Raises:
        AuditError: more than a million numbers at once.
    """
    wanted = sorted(set(indices))
    if len(wanted) > MAX_ERASED:
        raise AuditError(f"one erasure takes at most {MAX_ERASED} entries; make several")
    numbers = b"".join(index.to_bytes(8, "big") for index in wanted)
    return _block(origin.encode(), 1) + len(wanted).to_bytes(4, "big") + numbers


def read_erasure(reader: Reader) -> tuple[str, list[int]]:
    """Origin and entry numbers.

    Raises:
        RelayError: malformed.
    """
    origin = reader.text(1)
    indices = reader.many(4, MAX_ERASED, lambda: reader.number(8))
    reader.end()
    return origin, indices


def write_cosigned(origin: str, cosigned: Cosigned) -> bytes:
    """The payload that keeps a cosigned checkpoint."""
    size, note = cosigned.size.to_bytes(8, "big"), cosigned.note.encode()
    return _block(origin.encode(), 1) + size + _block(note, 4)


def read_cosigned(reader: Reader) -> tuple[str, Cosigned]:
    """Origin and checkpoint.

    Raises:
        RelayError: malformed.
    """
    found = reader.text(1), Cosigned(reader.number(8), reader.text(4))
    reader.end()
    return found


def write_count(count: int) -> bytes:
    """The answer to an erasure."""
    return count.to_bytes(8, "big")


def read_count(reader: Reader) -> int:
    """How many details there were.

    Raises:
        RelayError: malformed.
    """
    count = reader.number(8)
    reader.end()
    return count


def read_nothing(reader: Reader) -> None:
    """An answer without content.

    Raises:
        RelayError: it has content.
    """
    reader.end()


def write_names(names: Sequence[str]) -> bytes:
    """The answer that tells origins."""
    return len(names).to_bytes(2, "big") + b"".join(_block(name.encode(), 1) for name in names)


def read_names(reader: Reader) -> list[str]:
    """Origins.

    Raises:
        RelayError: malformed.
    """
    names = reader.many(2, MAX_ENTRIES, lambda: reader.text(1))
    reader.end()
    return names


def success(number: int, payload: bytes = b"") -> bytes:
    """An answer that grants the request."""
    return number.to_bytes(8, "big") + b"\x00" + payload


def failure(number: int, error: AuditError) -> bytes:
    """An answer that carries an error of this package: its sort, its message, when to try again."""
    status = next((code for code, kind in _ERRORS.items() if type(error) is kind), None)
    if status is None:  # an error of no sort of its own, or a subclass
        status = 1 if isinstance(error, LogUnavailableError) else 6
    wait = round(getattr(error, "retry_after", 0) * 1000)
    message = str(error)[:_MAX_MESSAGE].encode("ascii", "replace")
    return (
        number.to_bytes(8, "big") + bytes([status]) + _block(message, 2) + wait.to_bytes(4, "big")
    )


def parse_answer(body: bytes) -> tuple[int, "Reader | AuditError"]:
    """The request's number, and the payload or the error.

    Raises:
        RelayError: malformed, or an unknown status.
    """
    reader = Reader(body)
    number, status = reader.number(8), reader.number(1)
    if status == 0:
        return number, reader
    kind = _ERRORS.get(status)
    message, wait = reader.text(2), reader.number(4) / 1000
    reader.end()
    if kind is None:
        raise RelayError(f"a relay answer with the unknown status {status}")
    if kind is LogUnavailableError:
        return number, LogUnavailableError(message, retry_after=wait)
    return number, kind(message)
