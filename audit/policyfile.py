# SPDX-License-Identifier: EUPL-1.2
"""The file of a trust policy (C2SP tlog-policy), read strictly and written in one form.

Lines of `log`, `witness`, `group` and `quorum`; items are divided by spaces and tabs; empty lines
and lines that start with `#` are skipped. A name is defined above its use and is a member once; no
key stands twice. Refused beyond the specification: a key that is both a log's and a witness's, a
key of the wrong type, and more than 64 of anything.
docs/formats/witness.md describes it; the gateway's settings and `cuvar audit` rely on it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from audit.errors import NoteError, PolicyFileError
from audit.note import COSIGNATURES, SIGNATURE, NoteVerifier
from audit.trust import NONE, Group, Policy, TrustedLog, TrustedWitness

MOST = 64
LARGEST = 1 << 20
_NUMBER = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_MANY, _SINGLE = "all", "any"


def parse_policy(data: bytes) -> Policy:
    """Read a policy file.

    Raises:
        PolicyFileError: not in the form of the specification; the message names the line.
    """
    if len(data) > LARGEST:
        raise PolicyFileError(f"a trust policy has at most {LARGEST} bytes")
    if data and not data.endswith(b"\n"):
        raise PolicyFileError("the last line of a trust policy ends in a line feed too")
    # Names are opaque octets: what is not UTF-8 survives as surrogates and equals only itself.
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    reader = _Reader()
    for number, line in enumerate(lines[:-1], start=1):
        try:
            reader.take(line)
        except (PolicyFileError, NoteError) as error:
            raise PolicyFileError(f"trust policy, line {number}: {error}") from None
    return reader.policy()


@dataclass(slots=True)
class _Reader:
    """What was read so far; owned by one call of `parse_policy`."""

    logs: list[TrustedLog] = field(default_factory=list)
    witnesses: list[TrustedWitness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    _names: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)
    _keys: set[bytes] = field(default_factory=set)

    def take(self, line: str) -> None:
        if any((c < " " and c != "\t") or c == "\x7f" for c in line):
            raise PolicyFileError("a control character other than tab and line feed")
        items = [item for item in re.split("[ \t]+", line) if item]
        if not items or items[0].startswith("#"):
            return
        verbs: Mapping[str, Callable[[Sequence[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        verb = verbs.get(items[0])
        if verb is None:
            raise PolicyFileError("a line starts with log, witness, group or quorum")
        verb(items[1:])

    def _log(self, items: Sequence[str]) -> None:
        _count(items, (1, 2), "log <vkey> [<url>]")
        verifier = self._key(items[0], frozenset({SIGNATURE}), "a log's key is of type 0x01")
        self.logs.append(TrustedLog(verifier, _at(items, 1)))
        _few(self.logs)

    def _witness(self, items: Sequence[str]) -> None:
        _count(items, (2, 3), "witness <name> <vkey> [<url>]")
        name = self._define(items[0])
        verifier = self._key(items[1], COSIGNATURES, "a witness's key is of type 0x04 or 0x06")
        self.witnesses.append(TrustedWitness(name, verifier, _at(items, 2)))
        _few(self.witnesses)

    def _group(self, items: Sequence[str]) -> None:
        if len(items) < 3:  # noqa: PLR2004 - name, number, one member
            raise PolicyFileError("the form is: group <name> <k|any|all> <member>...")
        members = tuple(items[2:])
        for member in members:
            if member not in self._names:
                raise PolicyFileError("a member is a witness or group defined above")
            if member in self._used:
                raise PolicyFileError("each name is a member of one group, and once")
            self._used.add(member)
        needed = _needed(items[1], len(members))
        self.groups.append(Group(self._define(items[0]), needed, members))
        _few(self.groups)

    def _quorum(self, items: Sequence[str]) -> None:
        _count(items, (1,), "quorum <name|none>")
        if self.quorum is not None:
            raise PolicyFileError("there is one quorum line")
        if items[0] != NONE and items[0] not in self._names:
            raise PolicyFileError("the quorum is a witness or group defined above, or none")
        self.quorum = items[0]

    def _define(self, name: str) -> str:
        if name == NONE or name in self._names:
            raise PolicyFileError("a name is defined once, and none is no name")
        self._names.add(name)
        return name

    def _key(self, vkey: str, kinds: frozenset[int], told: str) -> NoteVerifier:
        verifier = NoteVerifier.parse(vkey)
        if verifier.kind not in kinds:
            raise PolicyFileError(told)
        if verifier.public in self._keys:
            raise PolicyFileError("this public key stands in another line already")
        self._keys.add(verifier.public)
        return verifier

    def policy(self) -> Policy:
        if self.quorum is None:
            raise PolicyFileError("a trust policy has one quorum line; put `quorum <name>` last")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)


def _count(items: Sequence[str], allowed: tuple[int, ...], form: str) -> None:
    if len(items) not in allowed:
        raise PolicyFileError(f"the form is: {form}")


def _few(found: Sequence[object]) -> None:
    if len(found) > MOST:
        raise PolicyFileError(f"more than {MOST} logs, witnesses or groups")


def _at(items: Sequence[str], place: int) -> str | None:
    return items[place] if len(items) > place else None


def _needed(text: str, members: int) -> int:
    if text == _MANY:
        return members
    if text == _SINGLE:
        return 1
    if not _NUMBER.fullmatch(text) or int(text) > members:
        raise PolicyFileError("a group needs any, all, or 1 to all of its members")
    return int(text)


def write_policy(policy: Policy) -> str:
    """The file of a policy: logs, witnesses, groups, quorum; one space, one line feed."""
    lines = [_line("log", log.verifier.vkey, log.url) for log in policy.logs]
    lines += [_line("witness", w.name, w.verifier.vkey, w.url) for w in policy.witnesses]
    for group in policy.groups:
        needed = _MANY if group.needed == len(group.members) else str(group.needed)
        lines.append(_line("group", group.name, needed, *group.members))
    lines.append(_line("quorum", policy.quorum))
    return "".join(lines)


def _line(*items: str | None) -> str:
    return " ".join(item for item in items if item is not None) + "\n"


@dataclass(frozen=True, slots=True)
class Authority:
    """One data protection authority: its name in the policy, its keys, its witness's address."""

    name: str
    verifiers: tuple[NoteVerifier, ...]
    url: str | None = None


def build_policy(
    authorities: Sequence[Authority],
    *,
    least: int,
    owner: str,
    logs: Sequence[NoteVerifier] = (),
) -> Policy:
    """The policy "at least `least` authorities, and always the owner's".

    Args:
        authorities: All that may cosign; of one with two keys, either counts.
        least: How many it takes, the owner's among them.
        owner: The owner's name among them.
        logs: Keys of the logs, or none where the logs are known otherwise.

    Raises:
        PolicyFileError: fewer authorities than asked for, or the owner is not one of them.
    """
    if owner not in {authority.name for authority in authorities} or least < 1:
        raise PolicyFileError(
            "the owner's authority is one of those named, and at least one counts"
        )
    witnesses: list[TrustedWitness] = []
    groups: list[Group] = []
    for authority in authorities:
        names = _key_names(authority)
        witnesses += [
            TrustedWitness(name, verifier, authority.url)
            for name, verifier in zip(names, authority.verifiers, strict=True)
        ]
        if len(names) != 1:
            groups.append(Group(authority.name, 1, names))
    others = tuple(authority.name for authority in authorities if authority.name != owner)
    quorum = owner
    if least > 1:
        groups.append(Group("others", least - 1, others))
        groups.append(Group("owner-and-others", 2, (owner, "others")))
        quorum = "owner-and-others"
    policy = Policy(
        tuple(TrustedLog(verifier) for verifier in logs), tuple(witnesses), tuple(groups), quorum
    )
    # What was built is held to what is read: names, keys, numbers.
    return parse_policy(write_policy(policy).encode("utf-8", "surrogateescape"))


def _key_names(authority: Authority) -> tuple[str, ...]:
    if len(authority.verifiers) == 1:
        return (authority.name,)
    return tuple(f"{authority.name}-{number}" for number in range(1, len(authority.verifiers) + 1))
