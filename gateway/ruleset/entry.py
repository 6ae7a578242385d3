# SPDX-License-Identifier: EUPL-1.2
"""The log entry of a rule change: which digest came into force, and, sealed, what it replaced.

The envelope carries the new digest in `policy`, as every entry after it will. The detail, sealed
to all data-protection officers, names the digest before, the mode, and every part with version,
validity and the digest of its manifest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import orjson

from audit import (
    Envelope,
    Journal,
    Kind,
    Operation,
    Sealer,
    Status,
    new_entry_id,
)
from audit.randomness import random_bytes
from audit.shards import HOUSE
from gateway.everywhere import everywhere
from gateway.ruleset.folders import Chosen


@dataclass(frozen=True, slots=True)
class ChangeEntries:
    """Writes the entry of a rule change; returns only when it is durable."""

    log: Journal
    sealer: Sealer
    readers: tuple[str, ...]
    clock: Callable[[], datetime]

    async def record(self, chosen: Chosen, before: str | None) -> None:
        """One change.

        Raises:
            AuditError: it can't be made durable; the rules may not change.
        """
        now = self.clock()
        sealed = self.sealer.seal(orjson.dumps(_detail(chosen, before)), self.readers)
        envelope = Envelope(
            id=new_entry_id(now, random_bytes(10)),
            kind=Kind.POLICY_CHANGE,
            t=now,
            log=self.log.current(HOUSE),
            op=Operation.POLICY_CHANGE,
            policy=chosen.snapshot.digest,
            status=Status.DONE,
            detail=sealed.commitment.hex(),
            keys=self.readers,
        )
        await self.log.append(everywhere(self.log, envelope, sealed))


def _detail(chosen: Chosen, before: str | None) -> dict[str, object]:
    return {
        "v": 1,
        "before": before,
        "after": chosen.snapshot.digest,
        "mode": "signed" if chosen.parts else "development",
        "parts": [
            {
                "part": part.part,
                "version": part.manifest.version,
                "from": part.manifest.start.isoformat(),
                "to": None if part.manifest.end is None else part.manifest.end.isoformat(),
                "manifest": part.digest,
            }
            for part in chosen.parts
        ],
    }
