# SPDX-License-Identifier: EUPL-1.2
"""Server nonces for DPoP (RFC 9449 §8), without memory.

A nonce is the number of its time slot and a MAC over it, so that every gateway process with the
same key accepts it. It bounds how long a proof made in advance can be used.
"""

import hashlib
import hmac

from gateway.identity.compact import b64url
from gateway.identity.principal import Clock

__all__ = ["NonceSource"]

_SLOT_S = 120
_SHORTEST_KEY = 32


class NonceSource:
    """Makes and recognises nonces; each lives between one and two slots of 120 s.

    Args:
        key: at least 32 random bytes, shared by the processes of one gateway.
        clock: seconds since the epoch.

    Raises:
        ValueError: the key is too short.
    """

    __slots__ = ("_clock", "_key")

    def __init__(self, key: bytes, clock: Clock) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ValueError("a nonce key has at least 32 bytes")
        self._key, self._clock = key, clock

    def _nonce(self, slot: int) -> str:
        number = slot.to_bytes(8, "big")
        return b64url(hmac.new(self._key, b"dpop-nonce" + number, hashlib.sha256).digest())

    def current(self) -> str:
        """The nonce to hand out now."""
        return self._nonce(int(self._clock()) // _SLOT_S)

    def accepts(self, nonce: object) -> bool:
        """Whether the nonce is of this slot or the one before."""
        if not isinstance(nonce, str) or not nonce.isascii():
            return False
        slot = int(self._clock()) // _SLOT_S
        return any(hmac.compare_digest(nonce, self._nonce(s)) for s in (slot, slot - 1))
