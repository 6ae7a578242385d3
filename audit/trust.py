# SPDX-License-Identifier: EUPL-1.2
"""Trust policies (C2SP tlog-policy): which witnesses together make a checkpoint believable.

`log` lines name the logs, `witness` lines the cosigners, `group` lines say how many of which, one
`quorum` line says which of them it takes. A checkpoint counts when a listed log signed it and the
quorum cosigned it; that check needs nothing but the file and the note. An authority is the key name
of its cosigning keys: one that holds an Ed25519 and an ML-DSA-44 key is still one.
`audit.policyfile` reads and writes the file. Receipts, feed and verifiers rely on it.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

from audit.checkpoint import Checkpoint, parse_checkpoint
from audit.errors import NoteError, PolicyFileError, QuorumError
from audit.note import NoteVerifier, OpenedNote, open_note
from audit.signatures import COSIGNATURES

NONE = "none"
_MOST_SETS = 200_000


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """A log whose checkpoints count; its key's name is its origin."""

    verifier: NoteVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class TrustedWitness:
    """A witness: its name in the policy, its cosignature key, and its submission prefix."""

    name: str
    verifier: NoteVerifier
    url: str | None = None

    @property
    def authority(self) -> str:
        """Who holds the key: the name in the key, not the one in the policy."""
        return self.verifier.name


@dataclass(frozen=True, slots=True)
class Group:
    """Counts as a witness once `needed` of its members do."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that fulfils a policy.

    Attributes:
        checkpoint: origin, size and root.
        times: by policy name of each witness that cosigned, the POSIX second that it stated.
        since: the second by which the quorum stood.
    """

    checkpoint: Checkpoint
    times: Mapping[str, int]
    since: int | None


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses, groups in the order of the file, and the name that decides."""

    logs: tuple[TrustedLog, ...]
    witnesses: tuple[TrustedWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def authorities(self) -> tuple[str, ...]:
        """The key names of the witnesses, sorted, each once."""
        return tuple(sorted({witness.authority for witness in self.witnesses}))

    def satisfied_by(self, names: Collection[str]) -> bool:
        """Whether these witnesses, by their names in the policy, are enough."""
        if self.quorum == NONE:
            return True
        known = {witness.name for witness in self.witnesses}
        stand = known.intersection(names)
        for group in self.groups:  # INVARIANT: members stand above their group
            if len(stand.intersection(group.members)) >= group.needed:
                stand.add(group.name)
        return self.quorum in stand

    def check(self, note: bytes, origin: str, log: NoteVerifier | None = None) -> Cosigned:
        """Verify a checkpoint of `origin`: the log's signature, then the quorum.

        Args:
            note: the checkpoint with its lines.
            origin: the log that is meant.
            log: its key, where the policy lists no logs.

        Raises:
            NoteError: malformed, of another log, or a known key's signature fails.
            PolicyFileError: neither the policy nor the caller names a key of this log.
            QuorumError: too few witnesses cosigned it.
        """
        keys = self._log_keys(origin, log)
        opened = open_note(note, [*keys, *(witness.verifier for witness in self.witnesses)])
        if not any(signed.verifier in keys for signed in opened.signed):
            raise NoteError(f"the log {origin} did not sign this checkpoint")
        checkpoint = parse_checkpoint(opened.text)
        if checkpoint.origin != origin:
            raise NoteError(f"the checkpoint is of the log {checkpoint.origin}, not of {origin}")
        times = self._times(opened)
        if not self.satisfied_by(times):
            told = ", ".join(sorted(times)) or "nobody"
            raise QuorumError(f"cosigned by {told}; the trust policy asks for {self.quorum}")
        return Cosigned(checkpoint, MappingProxyType(times), self._since(times))

    def _log_keys(self, origin: str, log: NoteVerifier | None) -> list[NoteVerifier]:
        listed = [known.verifier for known in self.logs if known.verifier.name == origin]
        keys = listed if self.logs or log is None else [log]
        if log is not None:
            keys = [key for key in keys if key == log]
        if not keys or any(key.name != origin or key.kind in COSIGNATURES for key in keys):
            raise PolicyFileError(
                f"no key of the log {origin} is given; put a log line into the trust policy"
                " or name the log's verifier key"
            )
        return keys

    def _times(self, opened: OpenedNote) -> dict[str, int]:
        """The latest time of each witness; a cosignature at second 0 makes no statement."""
        names = {witness.verifier: witness.name for witness in self.witnesses}
        times: dict[str, int] = {}
        for signed in opened.signed:
            name = names.get(signed.verifier)
            if name is not None and signed.time:
                times[name] = max(signed.time, times.get(name, 0))
        return times

    def _since(self, times: Mapping[str, int]) -> int | None:
        if self.quorum == NONE:
            return None
        for moment in sorted(times.values()):
            if self.satisfied_by([name for name, time in times.items() if time <= moment]):
                return moment
        return None


def requires(policy: Policy, least: int, owner: str) -> bool:
    """Whether every set of witnesses that satisfies the policy has `least` authorities and `owner`.

    Adding a cosignature never makes a policy fail, so it is enough to try the largest set without
    the owner, and every set of `least` - 1 authorities.

    Args:
        policy: The policy.
        least: How many different authorities it must take.
        owner: Key name of the owner's witness.

    Raises:
        PolicyFileError: there are too many sets to try; use fewer witnesses.
    """
    names: dict[str, list[str]] = {}
    for witness in policy.witnesses:
        names.setdefault(witness.authority, []).append(witness.name)

    def enough(authorities: Iterable[str]) -> bool:
        return policy.satisfied_by([name for found in authorities for name in names[found]])

    others = [authority for authority in names if authority != owner]
    if owner not in names or enough(others) or not enough(names):
        return False
    return not any(enough((owner, *some)) for some in _small_sets(others, least - 2))


def _small_sets(others: list[str], size: int) -> Iterator[tuple[str, ...]]:
    """All sets of `size` others, or all of them where they are fewer; none below zero."""
    if size < 0:
        return iter(())
    wanted = min(size, len(others))
    if math.comb(len(others), wanted) > _MOST_SETS:
        raise PolicyFileError("the trust policy has too many witnesses to be decided")
    return combinations(others, wanted)
