# SPDX-License-Identifier: EUPL-1.2
"""Proof of possession at the application layer: every check of RFC 9449 §4.3.

A proof is bound to one method, one address, one token, one key and one minute, and works once.
The verifier relies on it for tokens that carry `cnf.jkt`. A proof does not cover the body, so
mutual TLS is preferred for searches (docs/formats/tokens.md).
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from jose import jws
from jose.backends.base import Key

from gateway.identity.compact import ALGORITHM, Compact, b64url, read_compact
from gateway.identity.errors import Fault, TokenError
from gateway.identity.keys import read_public_jwk
from gateway.identity.nonce import NonceSource
from gateway.identity.principal import Clock

__all__ = ["DpopCheck", "NoDpop", "ProofSeen", "same_address"]

WINDOW_S = 60
"""How far a proof's `iat` may lie from now, either way."""
_TYPES = frozenset({"dpop+jwt"})
_PORTS = {"https": 443, "http": 80}
_JTI = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class ProofSeen(Protocol):
    """Remembers proofs for their window; see replay.py for the one in memory."""

    def first_time(self, thumbprint: str, jti: str, iat: int, now: float) -> None:
        """Record the proof. Raises TokenError REPLAY, or IdentityUnavailableError when full."""


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def same_address(claimed: str, actual: str) -> bool:
    """Whether `htu` names the request's address, query and fragment apart (RFC 9449 §4.3, 9)."""
    try:
        left, right = urlsplit(claimed), urlsplit(actual)
        same = _origin(left) == _origin(right) and (left.path or "/") == (right.path or "/")
    except ValueError:  # a port that is no number
        return False
    return same and bool(left.hostname) and left.username is None


@dataclass(frozen=True, slots=True)
class DpopCheck:
    """Checks proofs against a clock, a memory of proofs and, where demanded, a nonce.

    Attributes:
        clock: seconds since the epoch.
        seen: the replay memory; owned here, shared by all requests of this process.
        nonces: when set, every proof must carry a nonce that this source made (RFC 9449 §8).
    """

    clock: Clock
    seen: ProofSeen
    nonces: NonceSource | None = None

    def check(
        self, proofs: Sequence[str], *, method: str, url: str, token: str, thumbprint: str
    ) -> None:
        """Accept exactly one fresh proof for this request by the key with `thumbprint`.

        Args:
            proofs: all values of the DPoP header.
            method: request method.
            url: the request's public address.
            token: the access token as sent.
            thumbprint: the token's `cnf.jkt`.

        Raises:
            TokenError: PROOF, PROOF_MISMATCH, PROOF_TIME, REPLAY or NONCE.
            IdentityUnavailableError: the replay memory is full.
        """
        if len(proofs) != 1:
            raise TokenError(Fault.PROOF, scheme="DPoP")
        proof = _read(proofs[0])
        key = read_public_jwk(proof.header["jwk"])
        if not hmac.compare_digest(key.thumbprint, thumbprint):
            raise TokenError(Fault.PROOF_MISMATCH, scheme="DPoP")
        _verify(proof, key.key)
        _check_target(proof, method, url, token)
        now = self.clock()
        iat, jti = proof.payload.get("iat"), proof.payload.get("jti")
        if type(iat) is not int or not isinstance(jti, str) or not _JTI.fullmatch(jti):
            raise TokenError(Fault.PROOF, scheme="DPoP")
        if abs(now - iat) > WINDOW_S:
            raise TokenError(Fault.PROOF_TIME, scheme="DPoP")
        self._check_nonce(proof)
        self.seen.first_time(thumbprint, jti, iat, now)

    def _check_nonce(self, proof: Compact) -> None:
        if self.nonces is not None and not self.nonces.accepts(proof.payload.get("nonce")):
            fresh = {"DPoP-Nonce": self.nonces.current()}
            raise TokenError(Fault.NONCE, scheme="DPoP", headers=fresh)


def _read(text: str) -> Compact:
    # Whatever is wrong with a proof is an invalid proof, not an invalid token (RFC 9449 §7.1).
    try:
        return read_compact(text, types=_TYPES, embedded_key=True)
    except TokenError:
        pass
    raise TokenError(Fault.PROOF, scheme="DPoP")


def _verify(proof: Compact, key: Key) -> None:
    proven = False
    try:
        jws.verify(proof.text, key, [ALGORITHM])
        proven = True
    except Exception:  # noqa: BLE001 - python-jose leaks foreign errors; each means "not proven"
        proven = False
    if not proven:
        raise TokenError(Fault.PROOF, scheme="DPoP")


def _check_target(proof: Compact, method: str, url: str, token: str) -> None:
    claims = proof.payload
    htm, htu, ath = claims.get("htm"), claims.get("htu"), claims.get("ath")
    if not isinstance(htm, str) or not isinstance(htu, str) or not isinstance(ath, str):
        raise TokenError(Fault.PROOF, scheme="DPoP")
    expected = b64url(hashlib.sha256(token.encode("ascii")).digest())
    # compared as bytes: compare_digest refuses non-ASCII text with a TypeError
    matches = hmac.compare_digest(ath.encode(errors="replace"), expected.encode())
    if htm != method or not same_address(htu, url) or not matches:
        raise TokenError(Fault.PROOF_MISMATCH, scheme="DPoP")


class NoDpop(DpopCheck):
    """Where the settings switch DPoP off: tokens bound by it are refused, never taken as bare."""

    def check(
        self, proofs: Sequence[str], *, method: str, url: str, token: str, thumbprint: str
    ) -> None:
        """Refuse.

        Raises:
            TokenError: PROOF, always.
        """
        del proofs, method, url, token, thumbprint
        raise TokenError(Fault.PROOF, scheme="Bearer")
