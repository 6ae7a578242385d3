# SPDX-License-Identifier: EUPL-1.2
"""Verifying one log or several neighbours: keys, kept checkpoints, witnesses, then the walk."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.copies import Copy, open_copy
from audit.envelope import parse_envelope
from audit.errors import EnvelopeError, LogCorruptError, NoteError
from audit.event import Envelope
from audit.note import NoteVerifier, split_note
from audit.shards import parse_origin
from audit.verify.ahead import Lookahead
from audit.verify.chain import Mark, joined, marks_of
from audit.verify.custody import pass_on
from audit.verify.entries import NOTHING
from audit.verify.report import Fault, Finding, Report
from audit.verify.walk import Progress, Walk
from audit.verify.witnesses import Witnessed, witnessed
from audit.vocabulary import Kind

_UNSEEN_S = 90_000  # how long the newest entries may wait for witnesses
_AHEAD_S = 3600  # how far an entry's time may be ahead of the witnesses', whose clocks differ


@dataclass(frozen=True, slots=True)
class Job:
    """A log to verify.

    Attributes:
        place: folder, file, sqlite:///PATH or postgresql://...
        vkey: the log's verifier key.
        origin: the log's name; the key's where it is None.
        checkpoints: signed checkpoints of this log kept from earlier.
        policy: text of a trust policy (C2SP tlog-policy), None to ask no witnesses.
    """

    place: str
    vkey: str
    origin: str | None = None
    checkpoints: tuple[str, ...] = ()
    policy: bytes | None = None


def verify_log(
    url: str,
    *,
    vkey: str,
    origin: str | None = None,
    checkpoint: str | None = None,
    policy: bytes | None = None,
    on_progress: Progress | None = None,
    lookahead: Lookahead | None = None,
) -> Report:
    """Check a log from its bytes up. Not to be called in a running event loop.

    Args:
        url: a published folder, a file, `sqlite:///PATH` or `postgresql://...`.
        vkey: the log's verifier key.
        origin: the log's name, if not that of the key.
        checkpoint: a signed checkpoint of this log kept from earlier.
        policy: text of a trust policy; its quorum must have cosigned.
        on_progress: is told entries done and entries to do.
        lookahead: how many processes look ahead, if not as many as there are cores.

    Raises:
        LogUnavailableError: there is nothing to read.
        NoteError: `vkey` or `checkpoint` is not what it should be.
        PolicyFileError: `policy` is not.
    """
    kept = (checkpoint,) if checkpoint else ()
    job = Job(url, vkey, origin, kept, policy)
    with contextlib.ExitStack() as stack:
        return _verified(job, _opened(job, stack, {}), (), {}, _Manner(on_progress, lookahead))


def verify_logs(
    jobs: Sequence[Job],
    on_progress: Progress | None = None,
    lookahead: Lookahead | None = None,
    copies: Mapping[str, Copy] | None = None,
) -> list[Report]:
    """Check several logs, and that neighbours among them join.

    Args:
        jobs: the logs.
        on_progress: is told entries done and entries to do.
        lookahead: how many processes look ahead, if not as many as there are cores.
        copies: open copies by origin, for a caller who goes on to use the very snapshots that were
            verified; other logs are opened here.

    Raises:
        LogUnavailableError: one of them can't be read.
        NoteError: a key or checkpoint is not what it should be.
        PolicyFileError: a policy is not.
    """
    manner = _Manner(on_progress, lookahead)
    with contextlib.ExitStack() as stack:
        # Each is opened once: what is seen of it first and what is walked is one snapshot.
        seen = [_opened(job, stack, copies or {}) for job in jobs]
        firsts = {_name(job): _first(copy) for job, copy in zip(jobs, seen, strict=True)}
        wanted = marks_of(firsts)
        # Newest first: what a closed log may lack is said in the country's later ones.
        claims: dict[str, list[Envelope]] = {}
        found = {
            number: _verified(job, seen[number], wanted.get(_name(job), ()), claims, manner)
            for number, job in sorted(enumerate(jobs), key=lambda one: _age(one[1]), reverse=True)
        }
    reports = [found[number] for number in range(len(jobs))]
    gaps = [name for name, one in firsts.items() if one and one.kind is Kind.CHECKPOINT_GAP]
    return joined(reports, frozenset(gaps))


@dataclass(frozen=True, slots=True)
class _Manner:
    """How to go about it; nothing in it changes what is found."""

    on_progress: Progress | None
    lookahead: Lookahead | None


def _name(job: Job) -> str:
    return job.origin or NoteVerifier.parse(job.vkey).name


def _age(job: Job) -> tuple[str, int]:
    with contextlib.suppress(NoteError):
        return parse_origin(_name(job)).age
    return "", 0


def _opened(
    job: Job, stack: contextlib.ExitStack, copies: Mapping[str, Copy]
) -> Copy | LogCorruptError:
    """The job's copy, or why nothing in it can be read."""
    try:
        return copies.get(_name(job)) or stack.enter_context(open_copy(job.place, _name(job)))
    except LogCorruptError as error:
        return error


def _first(copy: Copy | LogCorruptError) -> Envelope | None:
    """The first entry, as far as it can be read; the walk says what is wrong with it."""
    if isinstance(copy, LogCorruptError):
        return None
    with contextlib.suppress(EnvelopeError, LogCorruptError):
        for _, data in copy.envelopes(0, 1):
            return parse_envelope(data) if isinstance(data, bytes) else None
    return None


def _verified(
    job: Job,
    copy: Copy | LogCorruptError,
    links: Iterable[Mark],
    claims: dict[str, list[Envelope]],
    manner: _Manner,
) -> Report:
    verifier, origin = NoteVerifier.parse(job.vkey), _name(job)
    kept = [(note, open_checkpoint(note.encode(), verifier, origin)) for note in job.checkpoints]
    marks = [Mark(one.size, one.root, "the earlier checkpoint") for _, one in kept]
    if isinstance(copy, LogCorruptError):
        return Report(0, NOTHING, (Finding(None, str(copy)),), origin=origin)
    try:
        cosigned, fault = _cosigned(copy, verifier, origin)
        if cosigned is not None:
            marks.append(Mark(cosigned[1].size, cosigned[1].root, _who(cosigned[0], verifier)))
            kept.append(cosigned)
        ahead = manner.lookahead or Lookahead()
        marks += links
        walk = Walk(copy, job.place, origin, marks, claims.get(origin, ()), ahead)
        if fault:
            walk.findings.log(fault)
        walk.check(verifier, manner.on_progress or (lambda _done, _all: None))
        report = walk.report()
        pass_on(claims, origin, walk.custody.elsewhere)
    except LogCorruptError as error:
        return Report(0, NOTHING, (Finding(None, str(error)),), origin=origin)
    if job.policy is None:
        return report
    found = witnessed(job.policy, [note for note, _ in kept], origin, verifier)
    return _with(report, found, _ahead(copy, found, report.size))


def _ahead(copy: Copy, found: Witnessed, size: int) -> tuple[Finding, ...]:
    """Whether entries bear times that had not come for the witnesses, or that none of them saw.

    Times never fall, so a clock that was set ahead shows in the last entry. It would make details
    due before their time.
    """
    seen = _time(copy, found.size - 1)
    if found.latest and seen is not None and seen > found.latest + _AHEAD_S:
        told = "its time is ahead of the clocks of the witnesses that cosigned it"
        return (Finding(found.size - 1, told),)
    last = _time(copy, size - 1)
    if found.latest and last is not None and last > found.latest + _UNSEEN_S:
        told = "its time is more than a day after the last cosignature: no witness vouches for it"
        return (Finding(size - 1, told, Fault.WITNESS),)
    return ()


def _time(copy: Copy, index: int) -> float | None:
    """When an entry says that it was made, POSIX seconds; None where it can't be read."""
    with contextlib.suppress(EnvelopeError, LogCorruptError):
        for _, data in copy.envelopes(index, index + 1) if index >= 0 else ():
            return parse_envelope(data).t.timestamp() if isinstance(data, bytes) else None
    return None


def _cosigned(
    copy: Copy, verifier: NoteVerifier, origin: str
) -> tuple[tuple[str, Checkpoint] | None, str | None]:
    """The cosigned checkpoint that the copy keeps, else its newest, and what is wrong with it."""
    note = None
    try:
        head, note = copy.head(), copy.cosigned()
        if note is None and head is not None:
            note = head.note
        if note is None:
            return None, None
        return (note, open_checkpoint(note.encode(), verifier, origin)), None
    except LogCorruptError:
        return None, None  # the walk meets it again and says where
    except NoteError as error:
        told = head is None or note != head.note  # the walk checks the head's own
        return None, f"the cosigned checkpoint: {error}" if told else None


def _who(note: str, log: NoteVerifier) -> str:
    """What to call a checkpoint that a copy keeps: only some bear lines of others than the log."""
    names = {line.name for line in split_note(note.encode())[1]}
    return "the cosigned checkpoint" if names - {log.name} else "the copy's checkpoint"


def _with(report: Report, found: Witnessed, more: tuple[Finding, ...]) -> Report:
    findings = (*more, *report.findings)
    if found.fault is not None:
        findings = (*findings, Finding(None, found.fault, Fault.WITNESS))
    return replace(report, findings=findings, witnesses=found.names, witnessed=found.size)
