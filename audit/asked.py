# SPDX-License-Identifier: EUPL-1.2
"""What an entry says of its question, cut out of the bytes for who looks at a million of them.

Canonical bytes have their members in one order, and no value holds a quote, so the members that
make the question stand between fixed marks. Equal parts mean equal questions of equal askers to
equal owners under equal rules. Nothing is proved by it: who needs the entry itself parses it.
`gateway.policy.history` relies on it.
"""

from enum import StrEnum

_FIRST_VERSION = b'{"basis":'
_MEMBER = b'"asked":'
_LATER_VERSIONS = (b'{"asked":', b'{"about":')
_ASKED = (b'{"about":[],"asked":{', b'{"asked":{')
_NOT_ASKED = b'"asked":null,'
_BEHIND = b',"correlation":'
_AGAIN = b',"owner":'
_END = b',"rules":'


class Unasked(StrEnum):
    """Why an entry holds no question that could be decided again."""

    OLD = "written before entries held their question"
    NONE = "no question that reached the rules"
    DAMAGED = "not readable as an entry"


def question_part(envelope: object) -> bytes | Unasked:
    """The bytes of an envelope that make its question, or why there are none."""
    if not isinstance(envelope, bytes):
        return Unasked.DAMAGED
    if not envelope.startswith(_ASKED):
        return _unasked(envelope)
    cut = envelope.find(_BEHIND)
    start = envelope.find(_AGAIN, cut)
    stop = envelope.find(_END, start)
    if cut < 0 or start < 0 or stop < 0:
        return Unasked.DAMAGED
    return envelope[envelope.index(_MEMBER) : cut] + envelope[start:stop]


def _unasked(envelope: bytes) -> Unasked:
    if envelope.startswith(_FIRST_VERSION):
        return Unasked.OLD
    if envelope.startswith(_LATER_VERSIONS) and _NOT_ASKED in envelope:
        return Unasked.NONE
    return Unasked.DAMAGED
