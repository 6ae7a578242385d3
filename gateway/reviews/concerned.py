# SPDX-License-Identifier: EUPL-1.2
"""The entries that an alert is about: whether they are there, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit import Envelope, parse_envelope
from audit.alerts import ACCESSES
from audit.ranges import spans_of
from gateway.errors import GatewayError
from gateway.reviews.queue import Log

MOST_ENTRIES: Final = 10_000
_SHOWN: Final = 50
_CHUNK: Final = 1000


class NotConcernedError(GatewayError):
    """An alert about entries that are not there, are no accesses, or are too many."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """What the envelopes say.

    Attributes:
        parties: countries of owners and askers.
        shown: a few of them, for the officer asked: when, whose data, which purpose.
    """

    parties: frozenset[str]
    shown: tuple[dict[str, str], ...]


async def concerned(log: Log, about: Sequence[str]) -> Concerned:
    """Look at every entry.

    Raises:
        NotConcernedError: not there, no access, or more than 10,000.
        LogUnavailableError: the log can't be read.
    """
    spans = spans_of(about)
    if sum(map(len, spans)) > MOST_ENTRIES or any(span.stop > log.size for span in spans):
        raise NotConcernedError("an alert is about at most 10,000 entries of the log")
    found: list[Envelope] = []
    for span in spans:
        for start in range(span.start, span.stop, _CHUNK):
            rows = await log.read(start, min(start + _CHUNK, span.stop))
            found += [parse_envelope(row.envelope) for row in rows]
    if any(envelope.kind not in ACCESSES for envelope in found):
        raise NotConcernedError("an alert is about accesses, not about other entries")
    return Concerned(
        parties=frozenset(
            side.country for e in found for side in (e.owner, e.requester) if side is not None
        ),
        shown=tuple(_shown(envelope) for envelope in found[:_SHOWN]),
    )


def _shown(envelope: Envelope) -> dict[str, str]:
    owner = envelope.owner
    return {
        "at": envelope.t.isoformat(timespec="seconds"),
        "action": envelope.asked.action if envelope.asked else "",
        "owner": owner.country if owner else "",
        "dataset": (owner.dataset or "") if owner else "",
        "purpose": envelope.purpose or "",
    }
