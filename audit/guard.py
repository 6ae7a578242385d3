# SPDX-License-Identifier: EUPL-1.2
"""No receipt, no data: what the node of an owner asks before its records leave.

A tree proves that nothing in it was changed; it cannot prove that what was done stands in it. Only
whoever holds the records can: it hands them over against a receipt for an entry that says just
this handing over, and against no other. So nobody alone, neither the asking gateway nor its
operator, can look without leaving the entry (Eurodac Reg. 2024/1358 Art. 41; LED Art. 25).

One receipt serves once. The guard also remembers the newest checkpoint of each log, so that a log
that shows two roots of one size is found here too. It cannot tell whether all that left in an
earlier answer was named; the count and the fields of this one must fit.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from audit.checkpoint import Checkpoint
from audit.envelope import parse_envelope
from audit.errors import EnvelopeError, NoteError, ProofError, UnrecordedError
from audit.event import Envelope, Owner, Requester
from audit.merkle import leaf_hash
from audit.note import NoteVerifier
from audit.receipt import verify_receipt
from audit.vocabulary import Kind, Verdict

FRESH: Final = timedelta(minutes=5)
MOST_KEPT: Final = 1_000_000
_GRANTED = frozenset({Verdict.ALLOW, Verdict.PARTIAL})


@dataclass(frozen=True, slots=True)
class Handover:
    """What is about to leave.

    Attributes:
        owner: whose records, of which dataset.
        requester: who gets them.
        correlation: of the question that is answered.
        fields: `category.field` of every value.
        count: records.
    """

    owner: Owner
    requester: Requester
    correlation: str
    fields: Collection[str]
    count: int


class Guard:
    """Lets records go once each handing over is proven to be recorded.

    Args:
        key: the verifier of a log that is trusted to record, None for any other.
        clock: aware UTC time.
    """

    def __init__(
        self, key: Callable[[str], NoteVerifier | None], clock: Callable[[], datetime]
    ) -> None:
        self._key, self._clock = key, clock
        self._used: dict[str, datetime] = {}  # entry ids in the order of use
        self._newest: dict[str, Checkpoint] = {}

    def require(self, handover: Handover, envelope: bytes, receipt: bytes) -> Checkpoint:
        """Make sure that this handing over stands in a log, before anything of it leaves.

        Returns:
            The checkpoint under which it stands; keep it.

        Raises:
            UnrecordedError: nothing may leave.
        """
        try:
            told = parse_envelope(envelope)
            verifier = self._key(told.log)
            if verifier is None:
                raise UnrecordedError(f"the log {told.log} is not trusted to record here")
            _, checkpoint = verify_receipt(receipt, leaf_hash(envelope), verifier, told.log)
        except (EnvelopeError, ProofError, NoteError) as error:
            raise UnrecordedError(f"no receipt, no data: {error}") from None
        _require_same(told, handover)
        self._require_one_past(checkpoint)
        self._use(told)
        return checkpoint

    def _require_one_past(self, checkpoint: Checkpoint) -> None:
        """One root for one size, as far as this node saw."""
        newest = self._newest.get(checkpoint.origin)
        if newest is not None and newest.size == checkpoint.size and newest != checkpoint:
            raise UnrecordedError(
                f"{checkpoint.origin} showed two roots of size {checkpoint.size}; keep both"
                " receipts, they prove it, and tell the data protection authority"
            )
        if newest is None or newest.size < checkpoint.size:
            self._newest[checkpoint.origin] = checkpoint

    def _use(self, told: Envelope) -> None:
        """Each entry lets records go once, and only while it is fresh."""
        now = self._clock()
        if not now - FRESH <= told.t <= now + FRESH:
            raise UnrecordedError("the entry is of another time; ask again")
        # An entry that was used is forgotten only when it could not be fresh any more.
        for entry in list(self._used):
            if self._used[entry] >= now - 2 * FRESH:
                break
            del self._used[entry]
        if told.id in self._used:
            raise UnrecordedError("the entry was used before; each answer needs its own")
        if len(self._used) >= MOST_KEPT:
            raise UnrecordedError("too many answers in a short time; ask again in some minutes")
        self._used[told.id] = now


def _require_same(told: Envelope, handover: Handover) -> None:
    """The entry says this handing over and no smaller one."""
    pairs: dict[str, tuple[object, object]] = {
        "sort": (told.kind, Kind.ACCESS),
        "owner": (told.owner, handover.owner),
        "requester": (told.requester, handover.requester),
        "question": (told.correlation, handover.correlation),
        "number of records": (told.count, handover.count),
        "decision": (told.decision in _GRANTED, True),
    }
    for name, (said, done) in pairs.items():
        if said != done:
            raise UnrecordedError(f"the entry says another {name} than what would leave")
    named = set(told.fields)
    for field in handover.fields:
        category = field.partition(".")[0]
        if not named & {field, category, f"{category}.*"}:
            raise UnrecordedError("the entry does not name every field that would leave")
