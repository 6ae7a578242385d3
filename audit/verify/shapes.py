# SPDX-License-Identifier: EUPL-1.2
"""Checking a million envelopes without parsing each: refuses exactly what `parse_envelope` does.

A canonical envelope is a frame of bytes around the few values that differ from entry to entry:
correlation, count to detail, id, time. The values are cut out at their marks, and those of a whole
tile are matched against their patterns at once. The pieces of frame between them are parsed as part
of a whole envelope the first time, and remembered with the version that they came in. It is sound
because marks hold quotes, which no value can hold, and because no rule of the format joins members
of different pieces but that all are of one version. A test holds both paths against each other, on
envelopes of every kind and on broken ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.envelope import MAX_BYTES, format_time, parse_envelope
from audit.errors import EnvelopeError
from audit.event import Envelope
from audit.forms import PATTERNS
from audit.vocabulary import Kind

_CORRELATION, _COUNT, _DUTIES = b',"correlation":', b',"count":', b',"duties":'
_ID, _TIME = b',"id":"', b',"t":"'
_REMEMBERED = 20_000
_LONGEST = 4096
# Entries whose members matter beyond their form: first and last ones, erasures, holds.
WEIGHTY = frozenset(
    {Kind.OPENING, Kind.CLOSING, Kind.CHECKPOINT_GAP, Kind.ERASURE}
    | {Kind.LEGAL_HOLD, Kind.HOLD_LIFTED}
)

_CODES = re.compile(rf'(?:(?:null|"{PATTERNS["code"]}")\n)*'.encode()).fullmatch
# Up to 15 digits: what is longer may exceed 2**53 - 1 and is parsed.
_MIDDLES = re.compile(
    b'(?:(?:null|0|[1-9][0-9]{0,14}),"decision":"(?:allow|partial|deny|none)"'
    b',"detail":(?:null|"[0-9a-f]{64}")\n)*'
).fullmatch
_HEX = bytes(
    ord("h") if sign in b"0123456789abcdef" else sign if sign == ord("-") else ord("!")
    for sign in range(256)
)
_DIGITS = bytes.maketrans(b"0123456789", b"0000000000")
_ID_FORM = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
_ID_SIZE, _VERSION_AT, _VARIANT_AT = len(_ID_FORM), 14, 19
_CLOCK_FORM = b"00:00.000000Z"
_SECONDS_AT = 3
_MOMENT = re.compile(PATTERNS["t"], re.ASCII).fullmatch
_HOUR_SIZE = len("2026-11-24T00:")
_TIME_SIZE = _HOUR_SIZE + len(_CLOCK_FORM)
_DIGEST = slice(-65, -1)


@dataclass(slots=True)
class Batch:
    """What a row of entries says; lists go along with the entries.

    Attributes:
        times: as written, which compare as the times do; empty where the entry was refused.
        middles: ends with the detail's commitment; see `commitment`.
        parsed: those that had to be parsed, among them every weighty one.
        refused: why an entry is none.
    """

    times: list[bytes] = field(default_factory=list)
    middles: list[bytes] = field(default_factory=list)
    parsed: dict[int, Envelope] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


def commitment(middle: bytes) -> bytes | None:
    """The hex digits of the detail's commitment."""
    return middle[_DIGEST] if middle.endswith(b'"') else None


class _Pieces:
    """Pieces of frames of one version."""

    __slots__ = ("behind", "first", "second")

    def __init__(self) -> None:
        self.first: set[bytes] = set()
        self.second: set[bytes] = set()
        self.behind: set[bytes] = set()


class Shapes:
    """Frames of one log seen so far; bounded. One verification has one, nobody else changes it."""

    __slots__ = ("_hours", "_origin", "_remembered", "_tails", "_versions")

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._hours: set[bytes] = set()
        self._forget()

    def _forget(self) -> None:
        self._versions: dict[int, _Pieces] = {}
        self._tails: dict[bytes, _Pieces] = {}
        self._remembered = 0

    def read(self, entries: Sequence[bytes]) -> Batch:
        """Check entries; those of another log or with values off their form are parsed."""
        batch = Batch()
        codes: list[bytes] = []
        ids: list[bytes] = []
        moments: list[bytes] = []
        times, middles = batch.times, batch.middles
        known = self._tails.get
        add_code, add_id, add_moment = codes.append, ids.append, moments.append
        add_time, add_middle = times.append, middles.append
        for place, data in enumerate(entries):
            first, _, rest = data.partition(_CORRELATION)
            code, _, rest = rest.partition(_COUNT)
            middle, _, rest = rest.partition(_DUTIES)
            second, _, rest = rest.partition(_ID)
            behind, _, rest = rest.partition(_TIME)
            # An id has 36 bytes, a time 27: numbers, as names cost in a loop of millions.
            pieces = known(rest[27:])
            if (
                pieces is not None
                and behind[36:] in pieces.behind
                and first in pieces.first
                and second in pieces.second
            ):
                time = rest[:27]
                add_code(code)
                add_id(behind[:36])
                add_moment(time)
                add_time(time)
                add_middle(middle)
            else:
                self._parse(batch, place, data)
        if (
            self._fit(codes, middles, ids, moments)
            and max(map(len, entries), default=0) <= MAX_BYTES
        ):
            return batch
        batch = Batch()
        for place, data in enumerate(entries):
            self._parse(batch, place, data)
        return batch

    def _fit(
        self, codes: list[bytes], middles: list[bytes], ids: list[bytes], moments: list[bytes]
    ) -> bool:
        """Whether all values have their forms."""
        count = len(ids)
        # Line feeds keep the values apart: one too many, and a value holds one itself.
        code, middle = b"\n".join([*codes, b""]), b"\n".join([*middles, b""])
        found, moment = b"".join(ids), b"".join(moments)
        if len(found) != count * _ID_SIZE or len(moment) != count * _TIME_SIZE:
            return False
        clocks = b"".join([one[_HOUR_SIZE:] for one in moments])
        size = len(_CLOCK_FORM)
        return (
            (code.count(b"\n"), middle.count(b"\n")) == (count, len(middles))
            and _CODES(code) is not None
            and _MIDDLES(middle) is not None
            and found.translate(_HEX) == _ID_FORM * count
            and found[_VERSION_AT::_ID_SIZE] == b"7" * count
            and not found[_VARIANT_AT::_ID_SIZE].strip(b"89ab")
            and clocks.translate(_DIGITS) == _CLOCK_FORM * count
            and not clocks[::size].strip(b"012345")
            and not clocks[_SECONDS_AT::size].strip(b"012345")
            and all(map(self._hour, {one[:_HOUR_SIZE] for one in moments}))
        )

    def _hour(self, hour: bytes) -> bool:
        """Whether an hour is one of the calendar, in the only way to write it."""
        if hour not in self._hours:
            text = (hour + _CLOCK_FORM).decode("ascii", "replace")
            try:
                if not _MOMENT(text) or format_time(datetime.fromisoformat(text)) != text:
                    return False
            except ValueError:
                return False
            if len(self._hours) >= _REMEMBERED:
                self._hours.clear()
            self._hours.add(hour)
        return True

    def _parse(self, batch: Batch, place: int, data: bytes) -> None:
        try:
            envelope = parse_envelope(data)
        except EnvelopeError as error:
            batch.refused[place] = str(error)
            batch.times.append(b"")
            batch.middles.append(b'null,"decision":"none","detail":null')
            return
        middle = data.partition(_COUNT)[2].partition(_DUTIES)[0]
        time = data.partition(_TIME)[2][:_TIME_SIZE]
        batch.parsed[place] = envelope
        batch.times.append(time)
        # A count that the pattern above leaves to the parser was parsed now.
        batch.middles.append(b"0" + middle[middle.index(b",") :])
        if envelope.log == self._origin and envelope.kind not in WEIGHTY:
            self._remember(envelope, data)

    def _remember(self, envelope: Envelope, data: bytes) -> None:
        if len(data) > _LONGEST:
            return
        if self._remembered >= _REMEMBERED:
            self._forget()
        self._remembered += 1
        first, _, rest = data.partition(_CORRELATION)
        second, _, rest = rest.partition(_DUTIES)[2].partition(_ID)
        behind, _, rest = rest.partition(_TIME)
        pieces = self._versions.setdefault(envelope.v, _Pieces())
        pieces.first.add(first)
        pieces.second.add(second)
        pieces.behind.add(behind[_ID_SIZE:])
        self._tails[rest[_TIME_SIZE:]] = pieces
