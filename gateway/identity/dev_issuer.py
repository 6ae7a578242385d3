# SPDX-License-Identifier: EUPL-1.2
"""The embedded development issuer: anybody who can read its key can be anybody.

It gives the demo and the tests tokens without a network. Its configuration is marked
`is_development`, and neither TokenVerifier nor the settings start in production with such a
mark. Tokens have the form that real issuers use (docs/formats/tokens.md).
"""

import json
import os
import stat
import time
import uuid
from pathlib import Path
from typing import NotRequired, Required, TypedDict, Unpack

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk, jws

from gateway.identity.compact import ALGORITHM
from gateway.identity.dpop_key import public_jwk
from gateway.identity.errors import IdentityConfigError
from gateway.identity.keys import read_public_jwk
from gateway.identity.principal import Clock, IssuerConfig

__all__ = ["DevIssuer", "TokenWishes"]

_KEY_FILE = "development-issuer.pem"
_LIFE_S = 300


class TokenWishes(TypedDict, total=False):
    """What a development token says; see Principal for the meaning of each."""

    org: Required[str]
    country: Required[str]
    roles: Required[list[str] | tuple[str, ...] | frozenset[str]]
    officer: Required[str]
    unit: NotRequired[str | None]
    acr: NotRequired[str | None]
    auth_time: NotRequired[int | None]
    postings: NotRequired[list[str] | tuple[str, ...]]
    client_id: NotRequired[str]
    jkt: NotRequired[str | None]
    x5t: NotRequired[str | None]
    life_s: NotRequired[int]


class DevIssuer:
    """Issues access tokens under one key, kept in a file that only its owner can read.

    Args:
        directory: holds the key file; made when absent.
        issuer: value of `iss`.
        audience: value of `aud`.
        clock: seconds since the epoch.

    Raises:
        IdentityConfigError: the key file is readable by others, or is no P-256 key.
    """

    is_development = True

    def __init__(
        self,
        directory: Path,
        *,
        issuer: str = "https://development.invalid",
        audience: str = "cuvar",
        clock: Clock = time.time,
    ) -> None:
        private = _open_key(directory / _KEY_FILE)
        self.issuer, self.audience, self._clock = issuer, audience, clock
        self._jwk = public_jwk(private.public_key())
        self._kid = read_public_jwk(self._jwk).thumbprint
        # python-jose takes cryptography's key objects; its stub does not say so
        self._key = jwk.construct(private, ALGORITHM)  # type: ignore[arg-type]

    def jwks(self) -> str:
        """The public key set, JSON text."""
        entry = {**self._jwk, "kid": self._kid, "use": "sig", "alg": ALGORITHM}
        return json.dumps({"keys": [entry]}, sort_keys=True)

    def config(
        self, *, countries: frozenset[str], organisations: frozenset[str], require_binding: bool
    ) -> IssuerConfig:
        """The gateway's side: this issuer, marked as development."""
        return IssuerConfig(
            issuer=self.issuer,
            jwks_url=None,
            audience=self.audience,
            countries=countries,
            organisations=organisations,
            require_binding=require_binding,
            keys=self.jwks(),
            is_development=True,
        )

    def issue(self, **wishes: Unpack[TokenWishes]) -> str:
        """An access token (RFC 9068); `jkt` or `x5t` binds it to its sender."""
        now = int(self._clock())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "exp": now + wishes.get("life_s", _LIFE_S),
            "jti": uuid.uuid4().hex,
            "sub": wishes["officer"],
            "client_id": wishes.get("client_id", "development"),
            "org": wishes["org"],
            "country": wishes["country"],
            "roles": sorted(wishes["roles"]),
            "postings": list(wishes.get("postings", ())),
        }
        optional = {
            "unit": wishes.get("unit"),
            "acr": wishes.get("acr"),
            "auth_time": wishes.get("auth_time"),
        }
        claims |= {name: value for name, value in optional.items() if value is not None}
        bound = {"jkt": wishes.get("jkt"), "x5t#S256": wishes.get("x5t")}
        cnf = {name: value for name, value in bound.items() if value is not None}
        if cnf:
            claims["cnf"] = cnf
        header = {"typ": "at+jwt", "kid": self._kid}
        return jws.sign(claims, self._key, headers=header, algorithm=ALGORITHM)


def _open_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        _make_key(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise IdentityConfigError(f"{path.name} is readable by others; chmod 600 it")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IdentityConfigError(f"{path.name} is no P-256 key; remove it to make a new one")
    return key


def _make_key(path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
