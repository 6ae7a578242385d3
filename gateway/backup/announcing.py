# SPDX-License-Identifier: EUPL-1.2
"""A backup is an entry in every log that it copied, so that authorities know of the copy.

The entry names the size and root that were kept in `link`, and by `correlation` the digest of the
backup. It comes after the backup: a log that takes no entries, its disk being full perhaps, must
not keep anybody from saving it.
"""

from datetime import datetime

from audit import (
    Envelope,
    Journal,
    Kind,
    Link,
    Operation,
    Pending,
    Status,
    encode_envelope,
    new_entry_id,
)
from audit.randomness import random_bytes
from audit.store import Head
from gateway.backup.manifest import Manifest
from gateway.opening import open_journal, utc_now
from gateway.settings import Settings


async def announce(settings: Settings, manifest: Manifest) -> int:
    """Write the entries into the logs that are still open; how many.

    Raises:
        AuditError: the logs take no entries now.
    """
    journal = await open_journal(settings)
    try:
        entries = _entries(journal, manifest, utc_now())
        await journal.append(entries)
    finally:
        await journal.close()
    return len(entries)


def _entries(journal: Journal, manifest: Manifest, now: datetime) -> list[Pending]:
    is_open = {journal.current(country) for country in journal.countries}
    return [
        _entry(log.head, manifest.digest, now)
        for log in manifest.logs
        if log.head.origin in is_open
    ]


def _entry(head: Head, digest: str, now: datetime) -> Pending:
    envelope = Envelope(
        id=new_entry_id(now, random_bytes(10)),
        kind=Kind.BACKUP,
        t=now,
        log=head.origin,
        op=Operation.ADMINISTER,
        link=Link(head.origin, head.size, head.root.hex()),
        correlation=digest,
        status=Status.DONE,
    )
    return Pending(encode_envelope(envelope))
