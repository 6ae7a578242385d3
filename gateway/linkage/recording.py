# SPDX-License-Identifier: EUPL-1.2
"""Every change of the index is an entry: of the country's log, or of all where it concerns all.

The envelope says what was done to whose index, and by `correlation` which file. Counts stand in the
detail, sealed to the data-protection officers. An entry is durable before what it tells counts.
`gateway.commands.index` calls it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from audit import Envelope, Kind, Operation, Owner, Pending, Status, encode_envelope, new_entry_id
from audit.randomness import random_bytes
from audit.retention import year_after
from gateway.errors import GatewayError
from gateway.everywhere import everywhere
from gateway.opening import open_journal
from gateway.readers import open_sealer
from gateway.settings import Settings


class UnkeptLogError(GatewayError):
    """A country whose log is kept elsewhere."""


@dataclass(frozen=True, slots=True)
class IndexRecorder:
    """Writes the entries of one command."""

    settings: Settings
    clock: Callable[[], datetime]

    async def of_country(
        self, act: str, country: str, detail: Mapping[str, object], *, erased: bool, digest: str
    ) -> None:
        """One entry of a country's log.

        Raises:
            AuditError: it can't be made durable.
            UnkeptLogError: the country keeps no log here.
        """
        now = self.clock()
        journal = await open_journal(self.settings)
        try:
            if country not in journal.countries:
                raise UnkeptLogError(f"{country} keeps no log here; load its index where it does")
            sealer, readers = open_sealer(self.settings, self.clock)
            keys = readers.of(country) or readers.everybody()
            sealed = sealer.seal(orjson.dumps({"v": 1, "act": act, **detail}), keys)
            envelope = Envelope(
                id=new_entry_id(now, random_bytes(10)),
                kind=Kind.LINKAGE_INDEX,
                t=now,
                log=journal.current(country),
                owner=Owner(country, None),
                op=Operation.ERASE if erased else Operation.ADMINISTER,
                rules=(f"linkage index {act}",),
                status=Status.DONE,
                correlation=digest[:32] or None,
                erase=year_after(now),
                detail=sealed.commitment.hex(),
                keys=tuple(keys),
            )
            await journal.append([Pending(encode_envelope(envelope), sealed)])
        finally:
            await journal.close()

    async def of_all(self, act: str, epoch: str, *, erased: bool) -> None:
        """An entry of every log.

        Raises:
            AuditError: they can't be made durable.
        """
        now = self.clock()
        journal = await open_journal(self.settings)
        try:
            envelope = Envelope(
                id=new_entry_id(now, random_bytes(10)),
                kind=Kind.LINKAGE_INDEX,
                t=now,
                log="",
                op=Operation.ERASE if erased else Operation.ADMINISTER,
                rules=(f"linkage index {act}",),
                status=Status.DONE,
                correlation=epoch,
            )
            await journal.append(everywhere(journal, envelope, None))
        finally:
            await journal.close()
