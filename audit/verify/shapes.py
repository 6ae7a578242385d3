# SPDX-License-Identifier: EUPL-1.2
"""Checking a million envelopes without parsing each: refuses exactly what `parse_envelope` does.

A canonical envelope is a frame of bytes around the few values that differ from entry to entry:
correlation, count, decision and detail (one stretch), id, time. The values are cut out at their
marks and matched against their patterns; the frame around them is parsed once, as part of a whole
envelope, and then remembered. It is sound because marks hold quotes, which no value can hold, and
because no rule of the format joins one of these values to another member. A test compares both
paths on envelopes of every kind and on broken ones.
"""

import re
from dataclasses import dataclass

from audit.envelope import MAX_BYTES, parse_envelope
from audit.event import Envelope
from audit.forms import PATTERNS
from audit.vocabulary import Kind

_FROM = b',"correlation":'
_TO = b',"duties":'
_ID = b',"id":"'
_TIME = b',"t":"'
_LONGEST_COUNT = 15  # digits that can't exceed 2**53 - 1; longer ones are parsed
_REMEMBERED = 20_000
_LONGEST_FRAME = 4096
_VALUES = re.compile(
    rf'(?:null|"{PATTERNS["code"]}"),"count":(?:null|0|[1-9][0-9]{{0,{_LONGEST_COUNT - 1}}})'
    rf',"decision":"(?:allow|partial|deny|none)","detail":(?:null|"([0-9a-f]{{64}})")'.encode()
).fullmatch
_ID_FORM = re.compile(PATTERNS["id"].encode()).fullmatch
_SECONDS = re.compile(rb"[0-5][0-9]\.[0-9]{6}Z").fullmatch
# Entries whose members matter beyond their form: erasures, holds, first and last ones.
WEIGHTY = frozenset(
    {Kind.OPENING, Kind.CLOSING, Kind.CHECKPOINT_GAP, Kind.ERASURE, Kind.LEGAL_HOLD}
    | {Kind.HOLD_LIFTED}
)

_Frame = tuple[bytes, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Known:
    """What a frame says, the same for every entry that has it."""

    log: str
    version: int


class Shapes:
    """Frames seen so far; bounded. One verification has one, and nobody else changes it."""

    __slots__ = ("_frames", "_minutes")

    def __init__(self) -> None:
        self._frames: dict[_Frame, Known] = {}
        self._minutes: set[bytes] = set()

    def read(self, data: bytes) -> tuple[Known, bytes, bytes | None, Envelope | None]:
        """What the verifier needs of an entry.

        Returns:
            What its frame says; its time, which compares as the bytes do; the hex digits of its
            detail's commitment, None without one; the envelope itself if it had to be parsed.

        Raises:
            EnvelopeError: as `parse_envelope`.
        """
        # Sizes as numbers: mark and value of 15, 7 and 6 bytes, an id of 36, a time of 27.
        start = data.find(_FROM) + 15
        stop = data.find(_TO, start)
        number = data.find(_ID, stop) + 7
        time = data.find(_TIME, number) + 6
        minute = data[time : time + 17]
        known = self._frames.get(
            (data[:start], data[stop:number], data[number + 36 : time], data[time + 27 :])
        )
        if known is not None and minute in self._minutes:
            values = _VALUES(data, start, stop)
            if (
                values is not None
                and _ID_FORM(data, number, number + 36)
                and _SECONDS(data, time + 17, time + 27)
                and len(data) <= MAX_BYTES
            ):
                return known, data[time : time + 27], values[1], None
        return self._parsed(data, (start, stop, number, time))

    def _parsed(
        self, data: bytes, marks: tuple[int, int, int, int]
    ) -> tuple[Known, bytes, bytes | None, Envelope]:
        envelope = parse_envelope(data)
        start, stop, number, time = marks
        detail = envelope.detail.encode() if envelope.detail is not None else None
        known = Known(envelope.log, envelope.v)
        frame = (data[:start], data[stop:number], data[number + 36 : time], data[time + 27 :])
        if envelope.kind not in WEIGHTY and sum(map(len, frame)) <= _LONGEST_FRAME:
            if len(self._frames) >= _REMEMBERED:
                self._frames.clear()
            if len(self._minutes) >= _REMEMBERED:
                self._minutes.clear()
            self._frames[frame] = known
            self._minutes.add(data[time : time + 17])
        return known, data[time : time + 27], detail, envelope
