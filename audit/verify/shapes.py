# SPDX-License-Identifier: EUPL-1.2
"""Checking a million envelopes without parsing each: refuses exactly what `parse_envelope` does.

A canonical envelope is a frame of bytes around the few values that differ from entry to entry:
correlation, count to detail, id, time. The values are cut out at their marks, and those of a whole
tile are matched against their patterns at once. The pieces of frame between them are parsed as part
of a whole envelope the first time, and remembered with the version that they came in. Envelopes of
one length are mostly cut at the same places: a row of them is cut at once, and where the pieces are
not all known, each is cut at its own marks. It is sound
because marks hold quotes, which no value can hold, and because no rule of the format joins members
of different pieces but that all are of one version. A test holds both paths against each other, on
envelopes of every kind and on broken ones.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from struct import Struct
from typing import NamedTuple

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
_TIME_FORM = b"0000-00-00T00:00:00.000000Z"
_MINUTE_AT, _SECOND_AT = 14, 17
_HOURS = Struct("14s13x").iter_unpack
_CLOCK = "00:00.000000Z"
_MOMENT = re.compile(PATTERNS["t"], re.ASCII).fullmatch
_TIME_SIZE = len(_TIME_FORM)
_DIGEST = slice(-65, -1)


@dataclass(slots=True)
class Batch:
    """What a row of entries says; lists go along with the entries.

    Attributes:
        times: as written, which compare as the times do; empty where the entry was refused.
        middles: ends with the detail's commitment; see `commitment`.
        parsed: those that had to be parsed, among them every weighty one; in order.
        refused: why an entry is none; in order.
    """

    times: list[bytes] = field(default_factory=list)
    middles: list[bytes] = field(default_factory=list)
    parsed: dict[int, Envelope] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


def commitment(middle: bytes) -> bytes | None:
    """The hex digits of the detail's commitment."""
    return middle[_DIGEST] if middle.endswith(b'"') else None


class _Pieces:
    """Pieces of frames of one version, each with the marks beside it."""

    __slots__ = ("behind", "first", "second")

    def __init__(self) -> None:
        self.first: set[bytes] = set()
        self.second: set[bytes] = set()
        self.behind: set[bytes] = set()


def _batch(entries: Sequence[bytes]) -> Batch:
    return Batch([b""] * len(entries), [b""] * len(entries))


class _Cut(NamedTuple):
    """An envelope between its marks, which stay with the frame. Joined, it is the envelope."""

    first: bytes
    code: bytes
    mark: bytes
    middle: bytes
    second: bytes
    id: bytes
    behind: bytes
    time: bytes
    tail: bytes


class _Values(NamedTuple):
    """Values of envelopes whose frames are known, in no order; their forms are yet to be seen."""

    codes: list[bytes]
    ids: list[bytes]
    moments: list[bytes]


def _cut(data: bytes) -> _Cut:
    """Cut at the marks; where one is missing, the pieces are none that is known."""
    first, mark, rest = data.partition(_CORRELATION)
    code, count, rest = rest.partition(_COUNT)
    middle, duties, rest = rest.partition(_DUTIES)
    second, start, rest = rest.partition(_ID)
    behind, moment, rest = rest.partition(_TIME)
    # An id has 36 bytes, a time 27.
    return _Cut(
        first + mark,
        code,
        count,
        middle,
        duties + second + start,
        behind[:36],
        behind[36:] + moment,
        rest[:27],
        rest[27:],
    )


class Shapes:
    """Frames of one log seen so far; bounded. One verification has one, nobody else changes it."""

    __slots__ = ("_hours", "_layouts", "_origin", "_remembered", "_tails", "_versions")

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._hours: set[bytes] = set()
        self._forget()

    def _forget(self) -> None:
        self._versions: dict[int, _Pieces] = {}
        self._tails: dict[bytes, _Pieces] = {}
        self._layouts: dict[int, Struct] = {}  # by an envelope's length, where it was cut last
        self._remembered = 0

    def read(self, entries: Sequence[bytes]) -> Batch:
        """Check entries; those of another log or with values off their form are parsed."""
        batch = _batch(entries)
        lengths: dict[int, list[int]] = {}
        for place, data in enumerate(entries):
            found = lengths.get(len(data))
            if found is None:
                lengths[len(data)] = [place]
            else:
                found.append(place)
        values = _Values([], [], [])
        for length, places in lengths.items():
            row = [entries[place] for place in places]
            layout = self._layouts.get(length)
            cuts = layout.iter_unpack(b"".join(row)) if layout else ()
            if not self._take(batch, values, places, cuts):
                self._apart(batch, values, places, row)
        if self._fit(values, batch.middles) and max(lengths, default=0) <= MAX_BYTES:
            # Lengths took turns; whoever reads on wants the entries' own order.
            batch.parsed = dict(sorted(batch.parsed.items()))
            batch.refused = dict(sorted(batch.refused.items()))
            return batch
        batch = _batch(entries)
        for place, data in enumerate(entries):
            self._parse(batch, place, data)
        return batch

    def _apart(self, batch: Batch, values: _Values, places: list[int], row: list[bytes]) -> None:
        """Check envelopes of one length that were not all cut at the places known for it."""
        layout = None
        for place, data in zip(places, row, strict=True):
            cut = _cut(data)
            if not self._take(batch, values, [place], [cut]):
                self._parse(batch, place, data)
            elif layout is None and len(data) <= _LONGEST:
                layout = self._layouts[len(data)] = Struct("".join(f"{len(one)}s" for one in cut))

    def _take(
        self,
        batch: Batch,
        values: _Values,
        places: list[int],
        cuts: Iterable[tuple[bytes, ...]],
    ) -> bool:
        """Take over what envelopes hold, if every piece of their frames is known."""
        columns = tuple(zip(*cuts, strict=True))
        if not columns:
            return False
        first, code, mark, middle, second, one, behind, time, tail = columns
        tails = set(tail)
        pieces = self._tails.get(tail[0])
        if (
            pieces is None
            or set(mark) != {_COUNT}
            or not pieces.behind.issuperset(behind)
            or not pieces.first.issuperset(first)
            or not pieces.second.issuperset(second)
            or (len(tails) > 1 and any(self._tails.get(end) is not pieces for end in tails))
        ):
            return False
        values.codes.extend(code)
        values.ids.extend(one)
        values.moments.extend(time)
        if len(places) == len(batch.times):
            batch.times[:], batch.middles[:] = time, middle
        else:
            for place, when, what in zip(places, time, middle, strict=True):
                batch.times[place], batch.middles[place] = when, what
        return True

    def _fit(self, values: _Values, middles: list[bytes]) -> bool:
        """Whether all values have their forms."""
        codes, ids, moments = values
        count = len(ids)
        # Line feeds keep the values apart: one too many, and a value holds one itself.
        code, middle = b"\n".join([*codes, b""]), b"\n".join([*middles, b""])
        found, moment = b"".join(ids), b"".join(moments)
        if len(found) != count * _ID_SIZE or len(moment) != count * _TIME_SIZE:
            return False
        return (
            (code.count(b"\n"), middle.count(b"\n")) == (count, len(middles))
            and _CODES(code) is not None
            and _MIDDLES(middle) is not None
            and found.translate(_HEX) == _ID_FORM * count
            and found[_VERSION_AT::_ID_SIZE] == b"7" * count
            and not found[_VARIANT_AT::_ID_SIZE].strip(b"89ab")
            and moment.translate(_DIGITS) == _TIME_FORM * count
            and not moment[_MINUTE_AT::_TIME_SIZE].strip(b"012345")
            and not moment[_SECOND_AT::_TIME_SIZE].strip(b"012345")
            and all(self._hour(hour) for (hour,) in set(_HOURS(moment)))
        )

    def _hour(self, hour: bytes) -> bool:
        """Whether an hour is one of the calendar, in the only way to write it."""
        if hour not in self._hours:
            text = hour.decode("ascii", "replace") + _CLOCK
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
            batch.middles[place] = b'null,"decision":"none","detail":null'
            return
        middle = data.partition(_COUNT)[2].partition(_DUTIES)[0]
        time = data.partition(_TIME)[2][:_TIME_SIZE]
        batch.parsed[place] = envelope
        batch.times[place] = time
        # A count that the pattern above leaves to the parser was parsed now.
        batch.middles[place] = b"0" + middle[middle.index(b",") :]
        if envelope.log == self._origin and envelope.kind not in WEIGHTY:
            self._remember(envelope, data)

    def _remember(self, envelope: Envelope, data: bytes) -> None:
        if len(data) > _LONGEST:
            return
        if self._remembered >= _REMEMBERED:
            self._forget()
        self._remembered += 1
        cut = _cut(data)
        pieces = self._versions.setdefault(envelope.v, _Pieces())
        pieces.first.add(cut.first)
        pieces.second.add(cut.second)
        pieces.behind.add(cut.behind)
        self._tails[cut.tail] = pieces
