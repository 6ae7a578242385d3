# SPDX-License-Identifier: EUPL-1.2
"""Verified tokens, kept for seconds, so that a signature is not checked for every question.

Keyed by the SHA-256 of the whole token, so a hit proves the same bytes. An entry lives until the
token expires, at most `LONGEST_S`; a change of keys or of the revocation list empties the cache.
Sender proofs and the revocation list are checked on every request, cached or not.
"""

import hashlib

from gateway.identity.claims import Verified

__all__ = ["VerifiedTokens", "token_digest"]

LONGEST_S = 30.0
_MOST = 10_000


def token_digest(token: str) -> bytes:
    """SHA-256 of the token's bytes, which are ASCII."""
    return hashlib.sha256(token.encode("ascii")).digest()


class VerifiedTokens:
    """Bounded map from token digest to what it proved; the oldest entry makes room."""

    __slots__ = ("_entries", "_most", "_state")

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        # Owned by the event loop's thread.
        self._entries: dict[bytes, tuple[float, float, Verified]] = {}
        self._state: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: bytes, state: tuple[int, int], now: float) -> Verified | None:
        """The entry, if still good.

        Args:
            digest: of the token.
            state: generations of the key sets and of the revocation list.
            now: seconds since the epoch.
        """
        if state != self._state:
            self._entries.clear()
            self._state = state
            return None
        entry = self._entries.get(digest)
        # the lower bound refuses entries from a future that a clock set back has left behind
        if entry is None or not entry[0] <= now < entry[1]:
            return None
        return entry[2]

    def put(self, digest: bytes, verified: Verified, state: tuple[int, int], now: float) -> None:
        """Keep a token verified under `state`; dropped when the state has moved on meanwhile."""
        if state != self._state:
            return
        if digest not in self._entries and len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        until = min(float(verified.principal.expires), now + LONGEST_S)
        self._entries[digest] = (now, until, verified)
