# SPDX-License-Identifier: EUPL-1.2
"""The publisher's feed: asks witnesses to cosign every log whose head moved (C2SP tlog-witness).

One task sets the pace: for each log it picks the checkpoint to be cosigned and looks how old the
oldest unwitnessed entry is. One task for each witness submits that checkpoint with a consistency
proof, learns from a 409 where the witness stands, and backs off when it does not answer: a slow
witness holds up no other one, and none of them holds up an answer. Once a log's trust policy is
fulfilled, the checkpoint with its lines is saved; receipts are made under it from then on.

A witness that says that the log is behind or forked is asked for the log's own signature under
what it saw. With that proof the log is fed to nobody any more (`Witnessed.contradiction`).
Runs only in the process that writes the logs: another one's head may be behind.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from audit import AuditError, NoteError, NoteVerifier, ProofError, parse_envelope
from audit.clock import ClockWatch, Reading
from audit.errors import PolicyFileError, QuorumError
from audit.journal import utc_now
from audit.store import Cosigned
from audit.trust import Policy
from audit.witness import AddCheckpoint
from gateway.errors import GatewayError
from gateway.witness.client import WitnessClient, WitnessUnreachableError
from gateway.witness.contradiction import Contradiction, contradiction
from gateway.witness.journal import FedJournal, FedLog
from gateway.witness.standing import Witnessed, WitnessState
from gateway.witness.target import Target

_OK, _CONFLICT, _INCONSISTENT = 200, 409, 422
_TRIES = 4
_SLOWER = 2.0


class FeedError(GatewayError):
    """A trust policy that the feed can't work with."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds.

    Attributes:
        every_s: between two looks at the logs' heads.
        timeout_s: for one call to a witness.
        patience_s: until a checkpoint without a quorum gives way to a newer one.
        longest_s: the longest pause after calls that failed.
    """

    every_s: float = 5.0
    timeout_s: float = 10.0
    patience_s: float = 30.0
    longest_s: float = 60.0


@dataclass(slots=True)
class _Link:
    """What the feed knows of one witness and one log; owned by that witness's task."""

    client: WitnessClient
    verifiers: Mapping[str, NoteVerifier]
    known: int = 0
    state: WitnessState = WitnessState.WAITING
    failures: int = 0
    retry_at: float = 0.0


@dataclass(slots=True)
class _Followed:
    """One log; `target` is set by the pace, its lines by the witnesses' tasks (one event loop)."""

    origin: str
    log: FedLog
    verifier: NoteVerifier
    policy: Policy
    links: dict[str, _Link]
    size: int = 0
    since: int | None = None
    oldest: datetime | None = None
    looked_at: int = -1
    target: Target | None = None
    contradiction: Contradiction | None = None


@dataclass(slots=True)
class Feed:
    """Feeds all logs of a journal to the witnesses of their policies.

    Args:
        journal: the logs, in the process that writes them.
        policy: gives an origin's trust policy, None for a log that no witness follows.
        session: HTTP client; closed by whoever made it.
        clock: monotonic seconds.
        tell: takes a line for the operator.
        monitoring: monitoring prefix of a witness by its submission prefix, where they differ.
        now: aware UTC time, held against the witnesses' own.
        clocks: takes what each cosignature says of the clocks.
    """

    journal: FedJournal
    policy: Callable[[str], Policy | None]
    session: aiohttp.ClientSession
    clock: Callable[[], float]
    tell: Callable[[str], None]
    pace: Pace = field(default_factory=Pace)
    monitoring: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], datetime] = utc_now
    clocks: ClockWatch = field(default_factory=ClockWatch)
    _followed: dict[str, _Followed] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _moved: dict[str, asyncio.Event] = field(default_factory=dict)

    async def run(self) -> None:
        """Feed until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self.look()
                for url in {url for log in self._followed.values() for url in log.links}:
                    if url not in self._tasks:
                        self._moved[url] = asyncio.Event()
                        self._tasks[url] = group.create_task(self._witness(url))
                    self._moved[url].set()
                await asyncio.sleep(self.pace.every_s)

    async def look(self) -> None:
        """Look once at every log: its newest head and its oldest unwitnessed entry."""
        for origin in self.journal.origins:
            try:
                followed = self._followed.get(origin) or await self._follow(origin)
                if followed is not None:
                    await self._aim(followed)
                    await self._age(followed)
            except AuditError as error:
                self.tell(f"{origin} can't be fed to witnesses now: {error}")

    def clients(self) -> dict[str, list[WitnessClient]]:
        """Whom to ask about each log, for `contradiction.survey` at the start.

        Raises:
            FeedError: a witness of a policy has no address.
        """
        found = {}
        for origin in self.journal.origins:
            policy = self.policy(origin)
            if policy is not None:
                found[origin] = [link.client for link in self._links(policy).values()]
        return found

    def witnessed(self) -> dict[str, Witnessed]:
        """How every fed log stands, by origin."""
        return {origin: _told(followed) for origin, followed in self._followed.items()}

    # --- the pace

    async def _follow(self, origin: str) -> _Followed | None:
        policy = self.policy(origin)
        if policy is None:
            return None
        log, verifier = self.journal.log(origin), self.journal.signer(origin).verifier
        followed = _Followed(origin, log, verifier, policy, self._links(policy))
        saved = await self.journal.cosigned(origin)
        if saved is not None:
            try:
                found = policy.check(saved.note.encode(), origin, verifier)
            except (NoteError, QuorumError, PolicyFileError) as error:
                self.tell(f"{origin}: the saved checkpoint does not fulfil the policy: {error}")
            else:
                followed.size, followed.since = found.checkpoint.size, found.since
        self._followed[origin] = followed
        return followed

    def _links(self, policy: Policy) -> dict[str, _Link]:
        keys: dict[str, dict[str, NoteVerifier]] = {}
        for witness in policy.witnesses:
            if witness.url is None or not witness.url.startswith(("https://", "http://")):
                raise FeedError(
                    f"the witness {witness.name} has no address; put its https:// submission"
                    " prefix behind its key in the trust policy"
                )
            keys.setdefault(witness.url.rstrip("/"), {})[witness.name] = witness.verifier
        return {
            url: _Link(
                WitnessClient(
                    self.session, url, self.monitoring.get(url, url), self.pace.timeout_s
                ),
                found,
            )
            for url, found in keys.items()
        }

    async def _aim(self, followed: _Followed) -> None:
        """Take the newest head as target where the old one has its quorum or waited too long."""
        target = followed.target
        if target is not None:
            waited = self.clock() - target.since
            if target.cosigned is None and waited < self.pace.patience_s:
                return
            if target.checkpoint.size == followed.log.size:
                return
        followed.target = Target(await followed.log.checkpoint(), self.clock())

    async def _age(self, followed: _Followed) -> None:
        """Look up the time of the oldest entry that is not under a quorum."""
        first = followed.size
        if first >= followed.log.size:
            followed.oldest, followed.looked_at = None, -1
        elif followed.looked_at != first:
            (entry,) = await followed.log.read(first, first + 1)
            followed.oldest, followed.looked_at = parse_envelope(entry.envelope).t, first

    # --- one witness

    async def _witness(self, url: str) -> None:
        moved = self._moved[url]
        while True:
            await moved.wait()
            moved.clear()
            for followed in list(self._followed.values()):
                link = followed.links.get(url)
                if link is not None and link.retry_at <= self.clock():
                    await self._guarded(followed, link)

    async def _guarded(self, followed: _Followed, link: _Link) -> None:
        """One submission; whatever goes wrong with it is a state and a pause, never an end."""
        target = followed.target
        if target is None or followed.contradiction or link.client.url in target.given:
            return
        try:
            state = await self._submit(followed, link, target)
        except WitnessUnreachableError:
            state = WitnessState.UNREACHABLE
        except (NoteError, ProofError) as error:
            self.tell(f"{link.client.url} answers for {followed.origin} with what fails: {error}")
            state = WitnessState.REFUSED
        except AuditError as error:
            self.tell(f"{followed.origin} can't be proven to witnesses now: {error}")
            state = link.state
        self._settle(followed, link, state)

    def _settle(self, followed: _Followed, link: _Link, state: WitnessState) -> None:
        if state != link.state and state not in (WitnessState.WAITING, WitnessState.COSIGNED):
            self.tell(f"{link.client.url} does not cosign {followed.origin}: {state.value}")
        link.state = state
        if state in (WitnessState.COSIGNED, WitnessState.WAITING):
            link.failures, link.retry_at = 0, 0.0
            return
        pause = min(self.pace.longest_s, self.pace.every_s * _SLOWER ** min(link.failures, 16))
        link.failures += 1
        link.retry_at = self.clock() + pause

    async def _submit(self, followed: _Followed, link: _Link, target: Target) -> WitnessState:
        """Submit the target, from where the witness stands; it may take a few tries to learn."""
        for _ in range(_TRIES):
            new = target.checkpoint.size
            if link.known > new:
                target.since = -math.inf  # it saw a newer head of ours: that one comes next
                return link.state
            path = await followed.log.consistency(link.known, new)
            request = AddCheckpoint(link.known, tuple(path), target.note.encode())
            sent = self.now()
            reply = await link.client.add_checkpoint(request)
            if reply.status == _OK:
                received, verifiers = self.now(), list(link.verifiers.values())
                second = target.take(link.client.url, reply.body, verifiers)
                if second is not None:
                    stamped = datetime.fromtimestamp(second, UTC)
                    self.clocks.note(Reading(link.client.url, sent, received, stamped))
                link.known = new
                await self._taken(followed, target)
                return WitnessState.COSIGNED
            size = reply.size if reply.status == _CONFLICT else None
            claims = size is not None and (size > followed.log.size or size == link.known)
            if claims or reply.status == _INCONSISTENT:
                return await self._disputed(followed, link)
            if size is None:
                return WitnessState.REFUSED
            link.known = size
        return WitnessState.REFUSED

    async def _taken(self, followed: _Followed, target: Target) -> None:
        """Save a target whose quorum is there, also when a further witness adds to it."""
        checkpoint = target.checkpoint
        if checkpoint.size < followed.size or not target.judge(followed.policy, followed.verifier):
            return
        await self.journal.save_cosigned(followed.origin, Cosigned(checkpoint.size, target.merged))
        followed.size = checkpoint.size
        followed.since = target.cosigned.since if target.cosigned else None
        await self._age(followed)

    async def _disputed(self, followed: _Followed, link: _Link) -> WitnessState:
        """A witness says that the log is behind or forked: let it show the log's own signature."""
        try:
            note = await link.client.last(followed.origin)
        except WitnessUnreachableError:
            note = None
        proven = await contradiction(note, followed.log, followed.verifier, link.client.url)
        if proven is not None and followed.contradiction is None:
            followed.contradiction = proven
            self.tell(str(proven))
        return WitnessState.DISPUTED


def _told(followed: _Followed) -> Witnessed:
    states = {name: link.state for link in followed.links.values() for name in link.verifiers}
    return Witnessed(
        followed.origin,
        followed.log.size,
        followed.size,
        followed.since,
        followed.oldest,
        states,
        followed.contradiction,
    )
