# SPDX-License-Identifier: EUPL-1.2
"""Whether a log contradicts what a witness saw of it: restored, behind, or forked.

A witness's word alone stops nothing: it shows a checkpoint with the log's own signature, and that
either follows from the log as it stands here or it does not. The feed asks when a witness refuses;
the start of a gateway asks before it writes a first entry, because a restored backup must close its
log and open a new one (docs/formats/log.md).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit import NoteError, NoteVerifier, ProofError
from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from audit.merkle import EMPTY_ROOT, Span, verify_consistency
from audit.note import split_note
from gateway.witness.client import WitnessClient, WitnessUnreachableError
from gateway.witness.journal import FedJournal, FedLog


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A checkpoint signed by the log that does not follow from the log as it stands here.

    Attributes:
        origin: the log.
        seen: what the witness cosigned.
        note: it, with signatures; keep it, it is evidence.
        witness: address of the witness.
    """

    origin: str
    seen: Checkpoint
    note: bytes
    witness: str

    def __str__(self) -> str:
        return (
            f"the log {self.origin} contradicts what {self.witness} cosigned at size"
            f" {self.seen.size}: it was restored from a backup or forked; close it and open its"
            " successor, and keep the witness's checkpoint as evidence"
        )


async def contradiction(
    note: bytes | None, log: FedLog, verifier: NoteVerifier, witness: str
) -> Contradiction | None:
    """Hold a witness's last checkpoint against the log; None if it follows or proves nothing.

    Raises:
        LogUnavailableError: the log's store does not answer.
        LogCorruptError: a tile is missing.
    """
    if note is None:
        return None
    try:
        seen = open_checkpoint(note, verifier, verifier.name)
    except NoteError:
        return None  # not of this log or not signed by it: no proof of anything
    head = parse_checkpoint(split_note((await log.checkpoint()).encode())[0])
    found = Contradiction(seen.origin, seen, note, witness)
    # No proof leads from a larger size to a smaller one: a log that is behind fails here too.
    root = seen.root if seen.size else EMPTY_ROOT
    try:
        path = await log.consistency(seen.size, head.size)
        verify_consistency(Span(seen.size, head.size), root, head.root, path)
    except ProofError:
        return found
    return None


@dataclass(frozen=True, slots=True)
class Survey:
    """What all witnesses of all logs say at the start."""

    contradictions: tuple[Contradiction, ...]
    unreachable: tuple[str, ...]


async def survey(journal: FedJournal, witnesses: Mapping[str, Sequence[WitnessClient]]) -> Survey:
    """Ask every witness what it cosigned last, before anything is written.

    Args:
        journal: The logs, opened.
        witnesses: By origin, whom to ask.

    Raises:
        LogUnavailableError: the logs' store does not answer.
        LogCorruptError: a tile is missing.
    """
    asked = [(origin, client) for origin, clients in witnesses.items() for client in clients]
    answers = await asyncio.gather(*(_asked(journal, origin, client) for origin, client in asked))
    silent = {
        client.url for (_, client), (heard, _) in zip(asked, answers, strict=True) if not heard
    }
    proven = (found for _, found in answers if found is not None)
    return Survey(tuple(proven), tuple(sorted(silent)))


async def _asked(
    journal: FedJournal, origin: str, client: WitnessClient
) -> tuple[bool, Contradiction | None]:
    """Whether a witness answered, and what that proves."""
    try:
        note = await last_cosigned(client, origin)
    except WitnessUnreachableError:
        return False, None
    verifier = journal.signer(origin).verifier
    return True, await contradiction(note, journal.log(origin), verifier, client.url)


async def last_cosigned(client: WitnessClient, origin: str) -> bytes | None:
    """What a witness cosigned last for a log; nothing about it is verified.

    Raises:
        WitnessUnreachableError: it does not answer.
    """
    return await client.last(origin)
