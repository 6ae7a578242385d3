# SPDX-License-Identifier: EUPL-1.2
"""Public keys that may verify: EC on P-256, made once, never per call.

RFC 7517 sets and RFC 7638 thumbprints, narrowed to what FAPI 2.0 and python-jose share (ES256).
A set that breaks its own rules (two keys of one name, a private part, a point off the curve) is
refused whole, because its publisher cannot be trusted to have meant the rest. Pure.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from jose import jwk
from jose.backends.base import Key

from gateway.errors import GatewayError
from gateway.identity.compact import ALGORITHM, b64url, read_b64url, read_json_object
from gateway.identity.errors import Fault, TokenError

__all__ = ["KeySetError", "VerifyingKey", "read_key_set", "read_public_jwk"]

_COORDINATE = 32
_MOST_KEYS = 32
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeySetError(GatewayError):
    """A published key set is not acceptable; caught by the cache, which keeps the last good one."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A ready python-jose key and its RFC 7638 thumbprint (base64url SHA-256)."""

    key: Key = field(repr=False)
    thumbprint: str


def _thumbprint(x: str, y: str) -> str:
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    return b64url(hashlib.sha256(canonical.encode("ascii")).digest())


@lru_cache(maxsize=4096)
def _verifying_key(x: str, y: str) -> VerifyingKey:
    # A pure function of its arguments; the memory only saves point decompression for DPoP keys.
    numbers = []
    for text in (x, y):
        data = read_b64url(text, Fault.PROOF)
        if len(data) != _COORDINATE:
            raise TokenError(Fault.PROOF, scheme="DPoP")
        numbers.append(int.from_bytes(data, "big"))
    try:
        public = EllipticCurvePublicNumbers(numbers[0], numbers[1], SECP256R1()).public_key()
    except ValueError:
        public = None
    if public is None:
        raise TokenError(Fault.PROOF, scheme="DPoP")
    # cryptography's own key object passes through construct unchanged; the stub does not say so.
    return VerifyingKey(jwk.construct(public, ALGORITHM), _thumbprint(x, y))  # type: ignore[arg-type]


def read_public_jwk(value: object) -> VerifyingKey:
    """Read one public EC P-256 JWK.

    Raises:
        TokenError: PROOF, for any other key, a private part, or a point off the curve.
    """
    if not isinstance(value, Mapping) or not _PRIVATE.isdisjoint(value):
        raise TokenError(Fault.PROOF, scheme="DPoP")
    x, y = value.get("x"), value.get("y")
    usable = (
        value.get("kty") == "EC"
        and value.get("crv") == "P-256"
        and value.get("alg", ALGORITHM) == ALGORITHM
        and value.get("use", "sig") == "sig"
    )
    if not usable or not isinstance(x, str) or not isinstance(y, str):
        raise TokenError(Fault.PROOF, scheme="DPoP")
    return _verifying_key(x, y)


def read_key_set(data: bytes) -> Mapping[str, VerifyingKey]:
    """Read a JWK set into kid → key; keys of other kinds are left out.

    Raises:
        KeySetError: not a set, no usable key, a repeated `kid`, a private part, or a bad point.
    """
    try:
        entries = read_json_object(data).get("keys")
    except TokenError:
        entries = None
    if not isinstance(entries, list) or len(entries) > _MOST_KEYS:
        raise KeySetError("not a JWK set of at most 32 keys")
    found: dict[str, VerifyingKey] = {}
    names: set[str] = set()
    for entry in entries:
        if not isinstance(entry, dict) or not _PRIVATE.isdisjoint(entry):
            raise KeySetError("an entry is no public key")
        name = entry.get("kid")
        if isinstance(name, str):
            if name in names:
                raise KeySetError("two keys share one kid")
            names.add(name)
            if _is_ours(entry):
                found[name] = _set_member(entry)
    if not found:
        raise KeySetError("no EC P-256 key with use=sig and a kid")
    return found


def _is_ours(entry: Mapping[str, object]) -> bool:
    return (
        entry.get("kty") == "EC"
        and entry.get("crv") == "P-256"
        and entry.get("use") == "sig"
        and entry.get("alg", ALGORITHM) == ALGORITHM
    )


def _set_member(entry: Mapping[str, object]) -> VerifyingKey:
    try:
        return read_public_jwk(entry)
    except TokenError:
        pass
    raise KeySetError("a key is not a point on P-256")
