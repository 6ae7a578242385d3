# SPDX-License-Identifier: EUPL-1.2
"""Which DPoP proofs were seen, kept as long as they could be used again (RFC 9449 §11.1).

Proofs are filed by the minute of their `iat`; a minute is forgotten once none of its proofs would
pass the time check. When the memory is full nothing is forgotten early: proofs are refused, for
one busy key first and for everybody only at the whole bound. One process each; a gateway of
several processes must keep a client on one of them or demand nonces (docs/formats/tokens.md).
"""

import hashlib

from gateway.identity.dpop import WINDOW_S
from gateway.identity.errors import Fault, IdentityUnavailableError, TokenError

__all__ = ["ReplayMemory"]


class ReplayMemory:
    """Bounded memory of proofs; each costs about 100 bytes.

    Args:
        most: proofs held in total.
        most_per_key: proofs held for one client key.
    """

    __slots__ = ("_held", "_minutes", "_most", "_most_per_key")

    def __init__(self, most: int = 200_000, most_per_key: int = 20_000) -> None:
        self._most, self._most_per_key = most, most_per_key
        # Owned by the event loop's thread: minute of iat → key thumbprint → digests of jti.
        self._minutes: dict[int, dict[str, set[bytes]]] = {}
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def _forget(self, now: float) -> None:
        for minute in [m for m in self._minutes if (m + 1) * WINDOW_S + WINDOW_S < now]:
            self._held -= sum(len(seen) for seen in self._minutes.pop(minute).values())

    def first_time(self, thumbprint: str, jti: str, iat: int, now: float) -> None:
        """Record a proof whose `iat` lies within the window around now.

        Raises:
            TokenError: REPLAY, this key used this `jti` before.
            IdentityUnavailableError: the memory is full.
        """
        self._forget(now)
        digest = hashlib.sha256(jti.encode("ascii")).digest()
        mine = [keys[thumbprint] for keys in self._minutes.values() if thumbprint in keys]
        if any(digest in seen for seen in mine):
            raise TokenError(Fault.REPLAY, scheme="DPoP")
        if self._held >= self._most or sum(map(len, mine)) >= self._most_per_key:
            raise IdentityUnavailableError(Fault.REPLAY_STORE_FULL, scheme="DPoP")
        minute = self._minutes.setdefault(iat // WINDOW_S, {})
        minute.setdefault(thumbprint, set()).add(digest)
        self._held += 1
