# SPDX-License-Identifier: EUPL-1.2
"""Every change of the list of suspended askers becomes an entry of the log.

A suspension restricts, so it counts as soon as the list is read (`RELOAD_S`), log or no log.
Lifting one gives something back, so it counts only when its entry is durable. The envelope says how
long the list is now; who was put on it or taken off stands in the detail, sealed to the
data-protection officers. `gateway.opening` starts the recorder; `cuvar suspend` writes the list.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import orjson

from audit import (
    AuditError,
    AuditLog,
    Envelope,
    Kind,
    Operation,
    Pending,
    Sealer,
    Status,
    encode_envelope,
    new_entry_id,
    read_public_key,
)
from gateway.identity import Revocations
from gateway.identity.revocation import RELOAD_S, Change
from gateway.settings import Settings

RULE: Final = "suspension list"


@dataclass(frozen=True, slots=True)
class Recorder:
    """Looks at the list once a reload and records what changed.

    `readers` are the countries whose data-protection officers may open who was meant.
    """

    revocations: Revocations
    log: AuditLog
    sealer: Sealer
    readers: tuple[str, ...]
    policy: Callable[[], str]
    clock: Callable[[], datetime]

    async def watch(self) -> None:
        """Record changes until cancelled; a log that is down is tried again."""
        while True:
            await self.look()
            await asyncio.sleep(RELOAD_S)

    async def look(self) -> None:
        """Record the change there is, if any."""
        change = self.revocations.change()
        if change is None:
            return
        try:
            await self.log.append([self._entry(change)])
        except AuditError:
            return  # suspensions count all the same; what is lifted waits
        self.revocations.recorded(change)

    def _entry(self, change: Change) -> Pending:
        now = self.clock()
        detail = {
            "v": 1,
            "suspended": sorted(change.added),
            "lifted": sorted(change.lifted),
            "list": sha256(orjson.dumps(sorted(change.now))).hexdigest(),
        }
        sealed = self.sealer.seal(orjson.dumps(detail), self.readers)
        envelope = Envelope(
            id=new_entry_id(now, os.urandom(10)),
            kind=Kind.POLICY_CHANGE,
            t=now,
            log=self.log.origin,
            op=Operation.ADMINISTER,
            rules=(RULE,),
            policy=self.policy(),
            count=len(change.now),
            status=Status.DONE,
            detail=sealed.commitment.hex(),
            keys=tuple(sorted(self.readers)),
        )
        return Pending(envelope=encode_envelope(envelope), sealed=sealed)


def recorder_of(
    settings: Settings,
    revocations: Revocations,
    log: AuditLog,
    policy: Callable[[], str],
    clock: Callable[[], datetime],
) -> Recorder:
    """The recorder of a gateway.

    Who was meant is for the officers of every country: an asker may have asked them all.

    Raises:
        AuditError: an officer's key can't be read.
    """
    dpos = {country: read_public_key(path) for country, path in settings.log.dpo_keys.items()}
    return Recorder(revocations, log, Sealer(dpos, clock), tuple(sorted(dpos)), policy, clock)
