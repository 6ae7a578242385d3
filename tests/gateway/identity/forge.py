# SPDX-License-Identifier: EUPL-1.2
"""An issuer that signs whatever a test wants, and a gateway's desk that has to judge it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.identity import (
    DpopKey,
    IssuerConfig,
    JwksCache,
    Principal,
    RequestProof,
    Revocations,
    TokenError,
    TokenVerifier,
)

NOW = 1_795_000_000
URL = "https://cuvar.test/v1/questions"
AUDIENCE = "https://cuvar.test"
ISSUER = "https://issuer.hr.test"


class Ticker:
    """A clock that stands still until told."""

    def __init__(self, now: float = NOW) -> None:
        self.now = float(now)

    def __call__(self) -> float:
        return self.now


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_json(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@dataclass
class Forger:
    """Holds an issuer's real key and signs any header over any payload."""

    issuer: str = ISSUER
    kid: str = "k1"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def jwk(self, **changes: object) -> dict[str, object]:
        numbers = self.key.public_key().public_numbers()
        found = {
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "kid": self.kid,
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }
        return _changed(found, changes)

    def jwks(self, *others: dict[str, object]) -> str:
        return json.dumps({"keys": [*others, self.jwk()]})

    def header(self, **changes: object) -> dict[str, object]:
        return _changed({"typ": "at+jwt", "alg": "ES256", "kid": self.kid}, changes)

    def claims(self, **changes: object) -> dict[str, object]:
        found = {
            "iss": self.issuer,
            "sub": "officer-1",
            "aud": AUDIENCE,
            "iat": NOW,
            "exp": NOW + 300,
            "jti": "token-1",
            "client_id": "console",
            "org": "HR-BP",
            "country": "HR",
            "unit": "HR-BP-ZG",
            "roles": ["border_officer"],
            "acr": "urn:test:smartcard",
            "auth_time": NOW - 60,
            "postings": ["HR-C1"],
        }
        return _changed(found, changes)

    def sign(self, header: object = None, claims: object = None) -> str:
        """A compact token; header and claims may be any JSON value or raw bytes."""
        head = as_json(self.header() if header is None else header)
        body = as_json(self.claims() if claims is None else claims)
        signed = f"{b64(head)}.{b64(body)}"
        return f"{signed}.{b64(self.signature(signed.encode()))}"

    def signature(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def config(self, **changes: object) -> IssuerConfig:
        found = {
            "issuer": self.issuer,
            "jwks_url": None,
            "audience": AUDIENCE,
            "countries": frozenset({"HR"}),
            "organisations": frozenset({"HR-BP", "HR-AS"}),
            "require_binding": False,
            "keys": self.jwks(),
        }
        return IssuerConfig(**{**found, **changes})


def _changed(found: dict[str, object], changes: dict[str, object]) -> dict[str, object]:
    # a change to ... leaves the name out
    return {name: value for name, value in {**found, **changes}.items() if value is not ...}


class Desk:
    """A verifier with its clock, keys and revocation list."""

    def __init__(self, *configs: IssuerConfig, revoked: Path | None = None, **options: object):
        self.clock = options.pop("clock", None) or Ticker()
        self.jwks = options.pop("jwks", None) or JwksCache(configs, self.clock)
        self.revocations = Revocations(revoked, self.clock)
        production = bool(options.pop("production", False))
        self.verifier = TokenVerifier(
            configs, self.jwks, self.clock, self.revocations, production=production, **options
        )

    async def bearer(self, token: str, der: bytes | None = None) -> Principal:
        proof = RequestProof(f"Bearer {token}", "POST", URL, (), der)
        return await self.verifier.verify(proof)

    async def dpop(self, token: str, *proofs: str, method: str = "POST", url: str = URL):
        return await self.verifier.verify(RequestProof(f"DPoP {token}", method, url, proofs))

    async def refusal(self, token: str, der: bytes | None = None) -> TokenError:
        """The error that a token sent as Bearer meets; fails when it is accepted."""
        return await refused(self.bearer(token, der))


async def refused(attempt) -> TokenError:
    try:
        principal = await attempt
    except TokenError as error:
        return error
    raise AssertionError(f"accepted as {principal!r}")


def dpop_key(clock: Ticker) -> DpopKey:
    return DpopKey.generate(clock)
