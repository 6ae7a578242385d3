# SPDX-License-Identifier: EUPL-1.2
"""What a pass over millions of envelopes needs of each, without parsing it.

Written members stand in a fixed order and no text holds a quotation mark, so one pattern reads them
off the bytes at a tenth of the price. It judges nothing: whether the bytes are those of the log is
for the tree to say, and whether they have the form for the parser.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from audit.envelope import format_time, parse_envelope
from audit.event import Envelope

_TEXT = rb'(null|"[^"]*")'
_ANY = rb'(?:null|"[^"]*")'
_LIST = rb"\[[^\]]*\]"
_PARTY = rb'(?:null|\{"country":"([^"]*)"[^}]*\})'
_SHAPE: Final = re.compile(
    rb'"correlation":' + _TEXT + rb',"count":(null|[0-9]+),"decision":"[^"]*","detail":' + _TEXT
    + rb',"duties":' + _LIST + rb'(,"erase":' + _TEXT + rb'),"fields":' + _LIST
    + rb',"id":"([^"]*)","keys":' + _LIST + rb',"kind":"([^"]*)","link":(?:null|\{[^}]*\})'
    + rb'(,"log":"[^"]*"),"op":' + _ANY + rb',"owner":' + _PARTY + rb',"policy":' + _ANY
    + rb',"purpose":' + _TEXT + rb',"requester":' + _PARTY + rb',"rules":' + _LIST
    + rb',"status":"[^"]*"(,"t":"([^"]*)"),"v":3,"view":' + _ANY + rb"\}",
    re.ASCII,
)  # fmt: skip
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Glance:
    """A few members of one envelope.

    Attributes:
        id: identity of the event.
        kind: its kind.
        t: when, as written.
        owner: country whose data, None if nobody's.
        requester: country that asked.
        correlation: joins the entries of one question.
        count: records released.
        erase: the month, None for none.
        purpose: stated purpose.
        sealed: whether it commits to a detail.
        same: hash of all that two logs write alike of one event: not log, time and month.
    """

    id: str
    kind: str
    t: str
    owner: str | None
    requester: str | None
    correlation: str | None
    count: int | None
    erase: str | None
    purpose: str | None
    sealed: bool
    same: bytes

    @property
    def parties(self) -> frozenset[str]:
        """The countries concerned."""
        return frozenset({c for c in (self.owner, self.requester) if c is not None})


def glance(data: bytes) -> Glance:
    """Read the members off an envelope.

    Raises:
        EnvelopeError: it is not one.
    """
    found = _SHAPE.search(data)
    if found is None or found.end() != len(data):
        return _parsed(data)
    text = found.group
    return Glance(
        id=text(6).decode("ascii"),
        kind=text(7).decode("ascii"),
        t=text(13).decode("ascii"),
        owner=None if text(9) is None else text(9).decode("ascii"),
        requester=None if text(11) is None else text(11).decode("ascii"),
        correlation=_value(text(1)),
        count=None if text(2) == b"null" else int(text(2)),
        erase=_value(text(5)),
        purpose=_value(text(10)),
        sealed=text(3) != b"null",
        same=_same(data, (found.span(4), found.span(8), found.span(12))),
    )


def _value(text: bytes) -> str | None:
    return None if text == b"null" else text[1:-1].decode("ascii")


def _same(data: bytes, left_out: tuple[tuple[int, int], ...]) -> bytes:
    told = hashlib.sha256()
    at = 0
    for start, stop in left_out:
        told.update(data[at:start])
        at = stop
    told.update(data[at:])
    return told.digest()[:_DIGEST]


def _parsed(data: bytes) -> Glance:
    e: Envelope = parse_envelope(data)
    log, when = f',"log":"{e.log}"'.encode(), f',"t":"{format_time(e.t)}"'.encode()
    cut = data.rindex(log, 0, data.rindex(when)), data.rindex(when)
    return Glance(
        id=e.id,
        kind=e.kind.value,
        t=format_time(e.t),
        owner=None if e.owner is None else e.owner.country,
        requester=None if e.requester is None else e.requester.country,
        correlation=e.correlation,
        count=e.count,
        erase=e.erase,
        purpose=e.purpose,
        sealed=e.detail is not None,
        same=_same(data, ((cut[0], cut[0] + len(log)), (cut[1], cut[1] + len(when)))),
    )
