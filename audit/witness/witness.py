# SPDX-License-Identifier: EUPL-1.2
"""The witness itself: rules, memory and key together; knows no HTTP.

Order for every submission: examine, compare with memory, sign, persist, and only then hand out the
lines. If another submission was quicker the lines are thrown away and the caller hears 409.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from audit.cosigner import Cosigner
from audit.errors import WitnessError
from audit.note import merge_lines
from audit.witness.book import Book
from audit.witness.rules import Last, Refusal, Status, Submission, compare, examine
from audit.witness.trusted import Trusted, country_of

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
MOST_LOGS = 1_000  # of one country: five hundred years of half-years, or very many restores
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP.

    Attributes:
        status: of the specification's table.
        body: signature lines, a size, or why not.
        content_type: of the body.
        alarm: what the witness's own operator has to hear, once; never sent.
    """

    status: int
    body: str
    content_type: str = TEXT_TYPE
    alarm: str | None = None


class Witness:
    """Answers add-checkpoint.

    Args:
        cosigner: its name and keys.
        trusted: gives the list of trusted logs as it stands now.
        book: its memory.
        clock: aware UTC time.
    """

    def __init__(
        self,
        cosigner: Cosigner,
        trusted: Callable[[], Trusted],
        book: Book,
        clock: Callable[[], datetime],
    ) -> None:
        self.cosigner = cosigner
        self._trusted, self._book, self._clock = trusted, book, clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """Judge a submission; the cosignature is on disk before this returns.

        Raises:
            WitnessError: the memory can't be used; nothing was cosigned.
        """
        found = examine(body, self._trusted())
        if isinstance(found, Refusal):
            return _refused(found)
        for _ in range(_TRIES):
            last = self._book.last(found.checkpoint.origin)
            refusal = compare(found, last) or self._too_many(found, last)
            if refusal is not None:
                return _refused(refusal, self._keep(found, refusal, last))
            answer = self._cosign(found, last)
            if answer is not None:
                return answer
        raise WitnessError("many submissions at once; send this one again")

    def _too_many(self, found: Submission, last: Last | None) -> Refusal | None:
        """A country's key can name as many logs as it likes; the memory has room for so many."""
        country = country_of(found.checkpoint.origin)
        if last is not None or country is None or self._book.logs_under(country) < MOST_LOGS:
            return None
        return Refusal(
            Status.UNKNOWN,
            f"this witness follows {MOST_LOGS} logs of that country already; ask its operator",
        )

    def _keep(self, found: Submission, refusal: Refusal, last: Last | None) -> str | None:
        """Keep what a refused checkpoint may be evidence of; what to tell if it is news."""
        if refusal.kept is None or not self._book.keep(found, refusal.kept, last, self._now()):
            return None
        checkpoint = found.checkpoint
        return (
            f"refused a signed checkpoint of {checkpoint.origin}, size {checkpoint.size}:"
            f" {refusal.kept.value}; see `cuvar witness evidence`"
        )

    def _cosign(self, submission: Submission, last: Last | None) -> Answer | None:
        """The answer, or None if the memory moved meanwhile."""
        # INVARIANT: times of one origin never fall, or an earlier statement would be untrue.
        stamp = max(self._now(), last.time if last else 0)
        lines = self.cosigner.cosign(submission.checkpoint, stamp)
        to = Last(submission.checkpoint, merge_lines(submission.note, lines), stamp)
        if not self._book.advance(last, to):
            return None
        return Answer(Status.OK, "".join(line.text for line in lines))

    def cosigned(self, digest: str) -> str | None:
        """The checkpoint cosigned last, by the lower-case hex SHA-256 of its origin.

        Raises:
            WitnessError: the memory can't be used.
        """
        return self._book.note(digest)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _refused(refusal: Refusal, alarm: str | None = None) -> Answer:
    if refusal.size is not None:
        return Answer(refusal.status, f"{refusal.size}\n", SIZE_TYPE, alarm)
    return Answer(refusal.status, f"{refusal.reason}\n", alarm=alarm)
