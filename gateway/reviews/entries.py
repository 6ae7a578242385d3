# SPDX-License-Identifier: EUPL-1.2
"""Makes the entries of reviews: the only place here that writes to the log.

The envelope says which country's reviewer did which step about which entries; who, about whom, why
and with what outcome is sealed to the data-protection officers of the countries concerned. Sealed
parts are kept for a year, like those of any entry without records (INT-10).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import orjson

from audit import (
    Envelope,
    Kind,
    Operation,
    Pending,
    Position,
    Requester,
    Sealer,
    SealError,
    Status,
    Verdict,
    encode_envelope,
    new_entry_id,
)
from audit.randomness import random_bytes
from audit.retention import year_after
from gateway.asker import Asker
from gateway.entries import Readers, who


class Appending(Protocol):
    """What is needed of a journal to write."""

    async def append(self, entries: Sequence[Pending]) -> list[Position]:
        """All are durable, or it raises."""


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One step of a review, or a reading of the log.

    Attributes:
        log: origin of the open log that takes it.
        about: entries of that log.
        correlation: the alert's id; of a reading, the request's.
        told: what is sealed, beside who did it.
        parties: countries whose officers may read it.
    """

    kind: Kind
    log: str
    about: tuple[str, ...]
    correlation: str
    policy: str
    parties: frozenset[str]
    told: Mapping[str, object] = field(default_factory=dict, repr=False)


class ReviewEntries:
    """Writes steps; knows whose officers a detail can be sealed to."""

    def __init__(
        self,
        journal: Appending,
        sealer: Sealer,
        readers: Readers,
        clock: Callable[[], datetime],
    ) -> None:
        """`readers` say whose keys the sealer has."""
        self._journal, self._sealer = journal, sealer
        self._readers, self._clock = readers, clock

    async def write(self, step: StepEntry, asker: Asker) -> Position:
        """Make the entry durable; only then is there a step.

        Raises:
            AuditError: no entry, so no step: nobody could read it, or the log does not take it.
        """
        readers = self._readers.of(*sorted(step.parties))
        if not readers:
            raise SealError("no data-protection officer concerned has a key to seal this step to")
        now = self._clock()
        detail = {"v": 2, **who(asker), **step.told}
        sealed = self._sealer.seal(orjson.dumps(detail), readers)
        envelope = Envelope(
            id=new_entry_id(now, random_bytes(10)),
            kind=step.kind,
            t=now,
            log=step.log,
            requester=Requester(asker.country, asker.org, asker.role or None),
            op=Operation.ADMINISTER,
            about=step.about,
            erase=year_after(now),
            decision=Verdict.ALLOW,
            policy=step.policy,
            status=Status.DONE,
            correlation=step.correlation,
            detail=sealed.commitment.hex(),
            keys=readers,
        )
        (position,) = await self._journal.append([Pending(encode_envelope(envelope), sealed)])
        return position
