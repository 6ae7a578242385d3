# SPDX-License-Identifier: EUPL-1.2
"""The running gateway: its parts, their readiness, and their end in order.

The log is closed last, when no question is under way any more, so that nothing is answered
after it stopped taking entries.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp

from audit import Journal
from gateway.facts import FactRegister
from gateway.identity import JwksCache, Revocations, TokenVerifier, TrustedProxy
from gateway.inquiry import Rules
from gateway.keyset import FollowedKeyring
from gateway.ledger import OverlapLedger
from gateway.limits import Buckets, Limits
from gateway.logs import Event, EventLog
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.reviews.parts import Reviews
from gateway.ruleset import Keeper
from gateway.settings import Settings
from gateway.signals import SourceState
from gateway.sources import Source
from gateway.suspensions import Recorder
from gateway.timestamping import keep_stamping
from gateway.tracing import Tracing
from gateway.turning import EVERY_S as TURN_S
from gateway.turning import turn
from gateway.watch import Standing, watch
from gateway.web.drain import Drain
from gateway.web.edge import Edge, EdgeLimits
from gateway.witness.standing import Standing as WitnessStanding
from gateway.witness.watching import Witnessing

_READY = 200
_NOT_READY = 503


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that `create_app` and its routes use; made by `gateway.opening`."""

    settings: Settings
    keeper: Keeper
    pipeline: Pipeline
    ledger: OverlapLedger
    verifier: TokenVerifier
    revocations: Revocations
    recorder: Recorder
    jwks: JwksCache
    log: Journal
    witnessing: Witnessing
    facts: FactRegister
    reviews: Reviews
    roots: FollowedKeyring
    sources: Mapping[str, Source]
    limits: Limits
    strangers: Buckets
    metrics: Metrics
    tracing: Tracing
    events: EventLog
    clock: Callable[[], datetime]
    closing: AsyncExitStack = field(repr=False)
    drain: Drain = field(default_factory=Drain)

    def rules(self) -> Rules:
        """The rules of a question that is asked now.

        Raises:
            NoRulesError: none are valid today.
        """
        return self.keeper.rules()

    @property
    def public_url(self) -> str:
        """The origin that DPoP proofs must name."""
        return self.settings.gateway.public_url

    @property
    def proxy(self) -> TrustedProxy | None:
        """The TLS-ending proxy whose word on client certificates is taken."""
        identity = self.settings.identity
        if identity.client_cert_header is None:
            return None
        header = identity.client_cert_header.lower()
        return TrustedProxy(tuple(identity.trusted_proxies), header=header)

    def edge(self, app: ASGIApp) -> Edge:
        """The application with the outermost layer around it."""
        gateway = self.settings.gateway
        return Edge(
            app,
            limits=EdgeLimits(
                max_body_bytes=gateway.max_body_bytes,
                request_timeout_s=gateway.request_timeout_s,
                https=gateway.public_url.startswith("https://"),
            ),
            drain=self.drain,
            log=self.events,
            metrics=self.metrics,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Between start and stop; leaving it drains questions, then closes every part."""
        self.events.info(Event.STARTED, port=self.settings.gateway.port)
        background = (
            asyncio.create_task(watch(self.standing, self.events)),
            asyncio.create_task(self.recorder.watch()),
            asyncio.create_task(self.witnessing.keep(self.events)),
            asyncio.create_task(
                keep_stamping(self.log, self.settings.log.timestamps, self.events, self.clock)
            ),
            asyncio.create_task(turn(self.log, self.events, TURN_S)),
            asyncio.create_task(self.keeper.keep(self.settings.policies.reload_s)),
            asyncio.create_task(self.roots.keep(self.events)),
            asyncio.create_task(self.ledger.read_all()),
        )
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            # A rule change under way ends, either way, before the log is closed.
            await asyncio.gather(*background, return_exceptions=True)
            self.drain.close()
            self.events.info(Event.STOPPING, in_flight=self.drain.in_flight)
            await self.drain.wait(self.settings.gateway.shutdown_grace_s)
            await self.closing.aclose()
            self.events.info(Event.STOPPED)

    def standing(self) -> Standing:
        """How every part stands now."""
        needed = self._needed()
        return Standing(
            ready=all(needed.values()),
            log=needed["log"],
            trouble=self.log.trouble,
            facts=self.facts.fresh,
            keys={i.issuer: self.jwks.fresh(i.issuer) for i in self.settings.issuers},
            registers={owner: source.state for owner, source in self.sources.items()},
        )

    def _needed(self) -> dict[str, bool]:
        return {
            "policy": self.keeper.standing().in_force,
            "log": self.log.healthy,
            "keys": any(self.jwks.fresh(issuer.issuer) for issuer in self.settings.issuers),
            "revocations": self.revocations.readable(),
            "serving": not self.drain.closing,
        }

    def readiness(self) -> Response:
        """Ready when rules, log, keys and revocations are there; a dead register only degrades."""
        needed, standing, rules = self._needed(), self.standing(), self.keeper.standing()
        degraded = {
            "rules": not rules.troubles,
            "facts": standing.facts,
            "root keys": self.roots.well,
            "overlap ledger": not self.ledger.closed(),
            "witnesses": not self.witnessing.unwatched and not self._unwitnessed(),
            "clock": not self.witnessing.clock_is_off,
            **{f"issuer {n}": fresh for n, fresh in enumerate(standing.keys.values())},
            **{f"register {c}": state == "up" for c, state in sorted(standing.registers.items())},
        }
        ready = standing.ready
        body = {
            "status": ("ready" if all(degraded.values()) else "degraded") if ready else "not ready",
            "needed": needed,
            "degraded": sorted(name for name, well in degraded.items() if not well),
            "policy": self.keeper.digest,
            "rules": {
                "mode": "signed" if rules.signed else "development: NOBODY SIGNED THESE RULES",
                "versions": dict(rules.versions),
                "troubles": [trouble.shown() for trouble in rules.troubles],
            },
            "closed_ledgers": dict(self.ledger.closed()),
            "log_size": self.log.size,
            "witnessing": self._witnessing(),
        }
        return Response(
            orjson.dumps(body), _READY if ready else _NOT_READY, media_type="application/json"
        )

    def _unwitnessed(self) -> bool:
        standings = self.witnessing.standings().values()
        return any(standing is not WitnessStanding.FINE for standing in standings)

    def _witnessing(self) -> dict[str, object]:
        """How the logs stand with their witnesses; nothing in it is about a person."""
        now, standings = self.clock(), self.witnessing.standings()
        unwatched = self.witnessing.unwatched
        told: dict[str, object] = {
            origin: {
                "standing": standings[origin].value,
                "size": one.size,
                "cosigned_size": one.cosigned_size,
                "unwitnessed_s": int(one.unwitnessed_s(now)),
                "witnesses": {name: state.value for name, state in one.witnesses.items()},
                "contradiction": None if one.contradiction is None else str(one.contradiction),
            }
            for origin, one in self.witnessing.witnessed().items()
        }
        return {
            "mode": "NOBODY WATCHES" if unwatched else "watched",
            "unwatched": unwatched,
            "logs": told,
        }

    def render_metrics(self) -> bytes:
        """The metrics as they are now."""
        self.metrics.log_queue.set(self.log.queue_depth)
        self.metrics.log_size.set(self.log.size)
        self.metrics.log_healthy.set(self.log.healthy)
        self.metrics.log_unwitnessed.set(self.witnessing.oldest_s())
        self.metrics.clock_offset.set(self.witnessing.clock_offset_s)
        self.metrics.in_flight.set(self.drain.in_flight)
        for country, source in self.sources.items():
            self.metrics.source(country, SourceState(source.state))
        return self.metrics.render()
