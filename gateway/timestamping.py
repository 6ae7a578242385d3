# SPDX-License-Identifier: EUPL-1.2
"""One RFC 3161 token a day over each log's newest checkpoint, kept beside the log.

Under `<folder>/<origin with / as +>/<day>.tsr` with the checkpoint beside it as `<day>.checkpoint`,
so that both verify without us (`openssl ts -verify`), and as an entry of kind `timestamp` that
names size and root, and by `correlation` the SHA-256 of the token. Optional: an authority that is
down costs a day's token and never an answer.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp

from audit import (
    AuditError,
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
from audit.backup.files import replace_file
from audit.checkpoint import parse_checkpoint
from audit.note import split_note
from audit.randomness import random_bytes
from audit.shards import parse_origin
from audit.timestamps import MAX_TOKEN, QUERY_TYPE, timestamp_query, verify_timestamp
from gateway.errors import GatewayError
from gateway.logs import Event, EventLog
from gateway.settings.log import TimestampSettings

EVERY_S: Final = 900.0
_SECONDS: Final = 20.0
_OK: Final = 200


class AuthorityError(GatewayError):
    """The timestamping authority gave no token; the next round asks again."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A timestamping authority.

    Attributes:
        url: where requests go.
        roots: PEM certificates under which its answers must be signed.
        folder: where tokens are kept.
    """

    url: str
    roots: bytes
    folder: Path

    def place(self, origin: str, day: str, kind: str) -> Path:
        """The file of a day."""
        return self.folder / origin.replace("/", "+") / f"{day}.{kind}"


async def ask(session: aiohttp.ClientSession, authority: Authority, checkpoint: bytes) -> bytes:
    """A token over a checkpoint, verified.

    Raises:
        AuthorityError: no answer, or none that is a token.
        TimestampError: the token does not hold.
    """
    query = timestamp_query(checkpoint)
    try:
        async with (
            asyncio.timeout(_SECONDS),
            session.post(
                authority.url,
                data=query.data,
                headers={"Content-Type": QUERY_TYPE},
                allow_redirects=False,
            ) as answer,
        ):
            token = await answer.content.read(MAX_TOKEN + 1)
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise AuthorityError("the timestamping authority does not answer") from None
    if status != _OK:
        raise AuthorityError(f"the timestamping authority answers with status {status}")
    verify_timestamp(token, checkpoint, authority.roots, nonce=query.nonce)
    return token


async def stamp_logs(
    journal: Journal,
    session: aiohttp.ClientSession,
    authority: Authority,
    clock: Callable[[], datetime],
) -> list[str]:
    """Fetch today's token for every open log that has none yet; the origins that got one.

    The files come first, then the entry: a file without an entry is harmless.

    Raises:
        AuthorityError: the authority gives no token.
        TimestampError: a token does not hold.
        AuditError: the log takes no entry, or the folder can't be written.
    """
    day = f"{clock():%Y-%m-%d}"
    done = []
    for country in sorted(journal.countries):
        origin = journal.current(country)
        if authority.place(origin, day, "tsr").exists():
            continue
        cosigned = await journal.cosigned(origin)
        note = cosigned.note if cosigned else await journal.log(origin).checkpoint()
        token = await ask(session, authority, note.encode())
        folder = authority.place(origin, day, "tsr").parent
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(authority.place(origin, day, "checkpoint"), note.encode())
        replace_file(authority.place(origin, day, "tsr"), token)
        await journal.append([_entry(origin, note, token, clock())])
        done.append(origin)
    return done


async def keep_stamping(
    journal: Journal,
    settings: TimestampSettings | None,
    events: EventLog,
    clock: Callable[[], datetime],
    every_s: float = EVERY_S,
) -> None:
    """Fetch each day's tokens, in the process that leads, until cancelled.

    What fails is told and tried again in the next round; a day's token more or less stops nothing.
    """
    if settings is None:
        return
    async with aiohttp.ClientSession() as session:
        while True:
            if journal.leads:
                await _round(journal, session, settings, events, clock)
            await asyncio.sleep(every_s)


async def _round(
    journal: Journal,
    session: aiohttp.ClientSession,
    settings: TimestampSettings,
    events: EventLog,
    clock: Callable[[], datetime],
) -> None:
    try:
        roots = await asyncio.to_thread(settings.roots.read_bytes)
        authority = Authority(settings.url, roots, settings.folder)
        done = await stamp_logs(journal, session, authority, clock)
    except (AuditError, GatewayError, OSError) as error:
        events.error(Event.NOT_TIMESTAMPED, error=error)
        return
    for origin in done:
        events.info(Event.TIMESTAMPED, owner=parse_origin(origin).country)


def _entry(origin: str, note: str, token: bytes, now: datetime) -> Pending:
    stamped = parse_checkpoint(split_note(note.encode())[0])
    envelope = Envelope(
        id=new_entry_id(now, random_bytes(10)),
        kind=Kind.TIMESTAMP,
        t=now,
        log=origin,
        op=Operation.ADMINISTER,
        link=Link(origin, stamped.size, stamped.root.hex()),
        correlation=hashlib.sha256(token).hexdigest(),
        status=Status.DONE,
    )
    return Pending(encode_envelope(envelope))
