# SPDX-License-Identifier: EUPL-1.2
"""The one checkpoint of a log for which cosignatures are being gathered.

A quorum needs several witnesses under the same checkpoint, and each of them grows at its own pace:
so a target stands until its quorum is there, or it has waited long enough, and only then the newest
head takes its place. Pure but for the clock that is passed in; owned by the feed's event loop.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from audit import NoteVerifier
from audit.checkpoint import Checkpoint, parse_checkpoint
from audit.errors import NoteError, QuorumError
from audit.note import merge_lines, open_note, signature_lines, split_note
from audit.trust import Cosigned, Policy


@dataclass(slots=True)
class Target:
    """A signed checkpoint, the lines gathered under it, and who gave one.

    Attributes:
        note: the checkpoint as the log signed it.
        since: monotonic second at which it became the target.
        merged: with the lines of witnesses so far.
        given: addresses of the witnesses that cosigned it.
        cosigned: what the policy says of `merged`, None until its quorum is there.
    """

    note: str
    since: float
    checkpoint: Checkpoint = field(init=False)
    merged: str = field(init=False)
    given: set[str] = field(default_factory=set)
    cosigned: Cosigned | None = None

    def __post_init__(self) -> None:
        self.checkpoint = parse_checkpoint(split_note(self.note.encode())[0])
        self.merged = self.note

    def take(self, url: str, lines: bytes, verifiers: Collection[NoteVerifier]) -> int | None:
        """Merge a witness's answer: lines of unknown keys are ignored, a false one spoils all.

        Returns:
            The latest POSIX second of its cosignatures, None if they state none.

        Raises:
            NoteError: malformed, a false signature, or no line of this witness.
        """
        known = {(v.name, v.key_id) for v in verifiers}
        given = [line for line in signature_lines(lines) if (line.name, line.key_id) in known]
        if not given:
            raise NoteError("the witness answers without a line of its own")
        text = split_note(self.note.encode())[0].decode()
        alone = f"{text}\n" + "".join(line.text for line in given)
        opened = open_note(alone.encode(), list(verifiers))
        self.merged = merge_lines(self.merged, [signed.line for signed in opened.signed])
        self.given.add(url)
        return max((signed.time for signed in opened.signed if signed.time), default=None)

    def judge(self, policy: Policy, log: NoteVerifier) -> bool:
        """Whether the quorum is there; keeps what the policy says.

        Raises:
            AuditError: the policy does not fit this log.
        """
        try:
            self.cosigned = policy.check(self.merged.encode(), log.name, log)
        except QuorumError:
            return False
        return True
