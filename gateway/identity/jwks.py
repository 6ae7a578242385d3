# SPDX-License-Identifier: EUPL-1.2
"""The issuers' current keys: fetched from pinned addresses, bounded in every direction.

OAuth leaves key rotation to the fetching of a JWK set (RFC 7517). A stranger's token can cause at
most one fetch per issuer and interval; the last good set outlives an outage up to a hard expiry,
then the issuer's tokens are refused. A changed set is handed to the gateway's recorder before its
keys count, so that no key verifies anything before the log knows it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gateway.identity.errors import Fault, IdentityUnavailableError, TokenError
from gateway.identity.key_fetch import KeyFetchError, fetch_key_set
from gateway.identity.keys import KeySetError, VerifyingKey, read_key_set
from gateway.identity.principal import Clock, IssuerConfig

__all__ = ["JwksCache", "JwksLimits", "KeyChange"]


@dataclass(frozen=True, slots=True)
class JwksLimits:
    """Bounds in seconds and bytes.

    Attributes:
        refresh_s: age at which a set is fetched again in the background.
        interval_s: shortest time between two fetches for one issuer, successful or not.
        expiry_s: age at which a set no longer counts, whatever the reason.
        timeout_s: time limit of a whole fetch.
        largest: bytes of a set.
    """

    refresh_s: float = 300.0
    interval_s: float = 60.0
    expiry_s: float = 3600.0
    timeout_s: float = 3.0
    largest: int = 65_536


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What a fetch changed, as (kid, RFC 7638 thumbprint) pairs; public values, fit for the log."""

    issuer: str
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _State:
    """What is held of one issuer. Mutated only under `lock`, by the event loop's thread."""

    config: IssuerConfig
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    keys: Mapping[str, VerifyingKey] = field(default_factory=dict)
    fetched_at: float = float("-inf")
    tried_at: float = float("-inf")


async def _no_record(_change: KeyChange) -> None:
    """Development without a log."""


class JwksCache:
    """Keys per issuer and kid.

    Args:
        issuers: whose keys.
        clock: seconds since the epoch.
        limits: bounds.
        on_change: awaited with every change before it takes effect; when it fails, the old set
            stays and the change is tried again later.
    """

    def __init__(
        self,
        issuers: Iterable[IssuerConfig],
        clock: Clock,
        limits: JwksLimits | None = None,
        on_change: Callable[[KeyChange], Awaitable[None]] = _no_record,
    ) -> None:
        self._states = {config.issuer: _State(config) for config in issuers}
        self._clock, self._limits, self._on_change = clock, limits or JwksLimits(), on_change
        self._generation = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def generation(self) -> int:
        """Rises with every change of any set; caches of verified tokens compare it."""
        return self._generation

    async def start(self) -> None:
        """Fetch all sets side by side and keep them young; a failure leaves its issuer unfresh."""
        await self.refresh_due()
        self._task = asyncio.create_task(self._maintain())

    async def close(self) -> None:
        """Stop the background refresh."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def fresh(self, issuer: str) -> bool:
        """Whether tokens of this issuer can be verified now (readiness)."""
        state = self._states.get(issuer)
        return state is not None and self._age(state.fetched_at) < self._limits.expiry_s

    async def refresh_due(self) -> None:
        """Fetch each set that is older than the refresh age, within the interval's bound."""
        due = [
            s for s in self._states.values() if self._age(s.fetched_at) >= self._limits.refresh_s
        ]
        await asyncio.gather(*(self._refresh(state, missing=None) for state in due))

    async def key(self, issuer: str, kid: str) -> VerifyingKey:
        """The key of that name, fetching at most once per interval for an unknown one.

        Raises:
            TokenError: ISSUER or KEY_UNKNOWN.
            IdentityUnavailableError: KEYS_STALE, the set is past its hard expiry.
        """
        state = self._states.get(issuer)
        if state is None:
            raise TokenError(Fault.ISSUER)
        if kid not in state.keys or not self.fresh(issuer):
            await self._refresh(state, missing=kid)
        if not self.fresh(issuer):
            raise IdentityUnavailableError(Fault.KEYS_STALE)
        found = state.keys.get(kid)
        if found is None:
            raise TokenError(Fault.KEY_UNKNOWN)
        return found

    def _age(self, moment: float) -> float:
        age = self._clock() - moment
        # a clock set back makes every age unknown; count it as old rather than as young
        return age if age >= 0 else float("inf")

    async def _refresh(self, state: _State, *, missing: str | None) -> None:
        async with state.lock:
            held = missing is not None and missing in state.keys and self.fresh(state.config.issuer)
            # whoever waited for the lock finds the other's result, or the negative answer
            if held or self._age(state.tried_at) < self._limits.interval_s:
                return
            state.tried_at = self._clock()
            try:
                data = await fetch_key_set(
                    state.config, timeout_s=self._limits.timeout_s, largest=self._limits.largest
                )
                keys = read_key_set(data)
            except (KeyFetchError, KeySetError):
                return  # the last good set stays until its hard expiry; `fresh` tells readiness
            await self._install(state, keys)

    async def _install(self, state: _State, keys: Mapping[str, VerifyingKey]) -> None:
        old = {(kid, key.thumbprint) for kid, key in state.keys.items()}
        new = {(kid, key.thumbprint) for kid, key in keys.items()}
        if old != new:
            change = KeyChange(
                state.config.issuer, tuple(sorted(new - old)), tuple(sorted(old - new))
            )
            try:
                await self._on_change(change)
            except Exception:  # noqa: BLE001 - whatever kept the change from the log, it may not count
                return
            self._generation += 1
            state.keys = keys
        state.fetched_at = state.tried_at

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(self._limits.interval_s / 2)
            await self.refresh_due()
