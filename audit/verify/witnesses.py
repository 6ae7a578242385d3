# SPDX-License-Identifier: EUPL-1.2
"""Whether enough witnesses vouch for a log (C2SP tlog-policy; audit.trust has the rules)."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.errors import NoteError, QuorumError
from audit.note import NoteVerifier


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The largest checkpoint that fulfils a policy, or why none does.

    Attributes:
        size: entries that it covers; 0 if there is none.
        names: the witnesses that cosigned it.
        fault: what to tell, None where the policy is fulfilled.
        latest: the newest time that one of them stated with it, POSIX seconds; 0 if there is none.
    """

    size: int
    names: tuple[str, ...]
    fault: str | None
    latest: int = 0


def witnessed(policy: bytes, notes: Iterable[str], origin: str, log: NoteVerifier) -> Witnessed:
    """Hold checkpoints against a policy.

    Raises:
        PolicyFileError: the text is no policy, or not one for this log.
    """
    from audit.policyfile import parse_policy
    from audit.trust import NONE

    rules = parse_policy(policy)
    if rules.quorum == NONE:
        return Witnessed(0, (), "not witnessed enough: the trust policy asks for no witness at all")
    best: Witnessed | None = None
    why = "the copy holds no checkpoint"
    for note in notes:
        try:
            found = rules.check(note.encode(), origin, log)
        except (QuorumError, NoteError) as error:
            why = str(error)
            continue
        if best is None or found.checkpoint.size > best.size:
            names, latest = tuple(sorted(found.times)), max(found.times.values(), default=0)
            best = Witnessed(found.checkpoint.size, names, None, latest)
    return best or Witnessed(0, (), f"not witnessed enough: {why}")
