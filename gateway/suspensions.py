# SPDX-License-Identifier: EUPL-1.2
"""Every change of the list of suspended askers becomes an entry of the log.

A suspension restricts, so it counts as soon as the list is read (`RELOAD_S`), log or no log.
Lifting one gives something back, so it counts only when its entry is durable. The envelope says how
long the list is now; who was put on it or taken off stands in the detail, sealed to the
data-protection officers. What was recorded last is kept in the state database, so that a lift waits
for its entry also when the list was cut while no gateway ran; and every start records the list as
it finds it, so that a lift shows even when somebody cut both. `gateway.opening` starts the
recorder; `cuvar suspend` writes the list.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

import orjson
from sqlalchemy import Connection, delete, insert, select

from audit import (
    AuditError,
    Envelope,
    Journal,
    Kind,
    Operation,
    Pending,
    Sealer,
    Status,
    new_entry_id,
    read_public_key,
)
from audit.shards import HOUSE
from gateway.everywhere import everywhere
from gateway.identity import Revocations
from gateway.identity.revocation import RELOAD_S, Change
from gateway.settings import Settings
from gateway.state import SUSPENDED
from gateway.store import Store, StoreError

RULE: Final = "suspension list"


class SuspensionMemory:
    """The list that was recorded last."""

    def __init__(self, store: Store) -> None:
        """Use an opened store."""
        self._store = store

    async def load(self) -> frozenset[tuple[str, str, str]]:
        """Its rows.

        Raises:
            StoreError: the state database does not answer.
        """
        rows = await self._store.run(lambda connection: connection.execute(select(SUSPENDED)).all())
        return frozenset((row.kind, row.value, row.issuer) for row in rows)

    async def save(self, rows: frozenset[tuple[str, str, str]]) -> None:
        """Replace it.

        Raises:
            StoreError: the state database does not answer; the old one stands.
        """
        named = [dict(zip(("kind", "value", "issuer"), row, strict=True)) for row in sorted(rows)]

        def work(connection: Connection) -> None:
            connection.execute(delete(SUSPENDED))
            if named:
                connection.execute(insert(SUSPENDED), named)

        await self._store.run(work)


@dataclass(slots=True)
class Recorder:
    """Looks at the list once a reload and records what changed.

    `readers` are the countries whose data-protection officers may open who was meant.
    `_begun` is owned by `look`.
    """

    revocations: Revocations
    log: Journal
    sealer: Sealer
    readers: tuple[str, ...]
    policy: Callable[[], str]
    clock: Callable[[], datetime]
    memory: SuspensionMemory
    _begun: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def watch(self) -> None:
        """Record changes until cancelled; a log that is down is tried again."""
        while True:
            await self.look()
            await asyncio.sleep(RELOAD_S)

    async def look(self) -> None:
        """Record the change there is, if any; at the first look, the list as it is."""
        async with self._lock:
            await self._look()

    async def _look(self) -> None:
        revocations = self.revocations
        change = revocations.change() if self._begun else revocations.current()
        if change is None:
            return
        try:
            await self.log.append(self._entries(change))
            await self.memory.save(change.now)
        except (AuditError, StoreError):
            return  # suspensions count all the same; what is lifted waits
        self._begun = True
        revocations.recorded(change)

    def _entries(self, change: Change) -> list[Pending]:
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
            log=self.log.current(HOUSE),
            op=Operation.ADMINISTER,
            rules=(RULE,),
            policy=self.policy(),
            count=len(change.now),
            status=Status.DONE,
            detail=sealed.commitment.hex(),
            keys=tuple(sorted(self.readers)),
        )
        return everywhere(self.log, envelope, sealed)


async def open_recorder(
    settings: Settings,
    revocations: Revocations,
    log: Journal,
    policy: Callable[[], str],
    clock: Callable[[], datetime],
    state: Store,
) -> Recorder:
    """The recorder of a gateway; what was recorded before counts from here on.

    Who was meant is for the officers of every country: an asker may have asked them all.

    Raises:
        AuditError: an officer's key can't be read.
        StoreError: what was recorded before can't be read.
    """
    memory = SuspensionMemory(state)
    revocations.restore(await memory.load())
    dpos = {country: read_public_key(path) for country, path in settings.log.dpo_keys.items()}
    sealer, readers = Sealer(dpos, clock), tuple(sorted(dpos))
    return Recorder(revocations, log, sealer, readers, policy, clock, memory)
