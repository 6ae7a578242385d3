# SPDX-License-Identifier: EUPL-1.2
"""Who is asking, and which issuers may say so.

`Principal` is what the rest of the gateway knows of an asker: the claims of RFC 9068 §2.2 and our
own, as docs/formats/tokens.md lists them. `IssuerConfig` pins one issuer to one key address, one
audience, and the countries and organisations it may speak for. The pipeline, the rate limits and
the log build on both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gateway.identity.errors import IdentityConfigError

__all__ = ["Binding", "Clock", "IssuerConfig", "Principal"]

Clock = Callable[[], float]
"""Seconds since the epoch, passed in everywhere."""

Binding = Literal["mtls", "dpop"]


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated officer, worker or service.

    Attributes:
        officer: the issuer's `sub`; identity-bearing, so absent from the repr.
        org: organisation id, within what the issuer may assert.
        country: country of the organisation, or duty station for international bodies.
        roles: role ids the issuer gives; the vocabulary is checked by policies, not here.
        auth_time: seconds since the epoch of the last login, if a person logged in.
        expires: seconds since the epoch.
        token_digest: SHA-256 of the token.
        binding: how the sender was proven, None only in development.
    """

    officer: str = field(repr=False)
    org: str
    country: str
    unit: str | None
    roles: frozenset[str]
    issuer: str
    client_id: str = field(repr=False)
    jti: str = field(repr=False)
    acr: str | None
    auth_time: int | None = field(repr=False)
    postings: tuple[str, ...]
    expires: int
    token_digest: bytes = field(repr=False)
    binding: Binding | None


@dataclass(frozen=True, slots=True)
class IssuerConfig:
    """One trusted issuer and the limits of the trust.

    Attributes:
        issuer: exact value of `iss`.
        jwks_url: `https://…`, or `file:///…` for a set carried over by hand; None with `keys`.
        audience: exact value that `aud` must be or contain.
        countries: what the `country` claim may say.
        organisations: what the `org` claim may say.
        require_binding: refuse tokens without `cnf`.
        ca_file: PEM roots for `jwks_url`; the system's when None.
        keys: the JWK set itself (JSON text), for the offline development issuer.
        is_development: marks the embedded issuer; production refuses to start with it.

    Raises:
        IdentityConfigError: a value that would widen the trust or cannot work.
    """

    issuer: str
    jwks_url: str | None
    audience: str
    countries: frozenset[str]
    organisations: frozenset[str]
    require_binding: bool = True
    ca_file: Path | None = None
    keys: str | None = field(default=None, repr=False)
    is_development: bool = False

    def __post_init__(self) -> None:
        if not self.issuer or not self.audience:
            msg = "an issuer needs a name and an audience; set both"
            raise IdentityConfigError(msg)
        if not self.countries or not self.organisations:
            msg = f"issuer {self.issuer} may assert nothing; list its countries and organisations"
            raise IdentityConfigError(msg)
        if (self.jwks_url is None) == (self.keys is None):
            msg = f"issuer {self.issuer} needs either jwks_url or keys, not both"
            raise IdentityConfigError(msg)
        if self.jwks_url is not None:
            self._check_url(self.jwks_url)

    def _check_url(self, url: str) -> None:
        parts = urlsplit(url)
        remote = parts.scheme == "https" and parts.hostname and parts.username is None
        local = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
        if not remote and not local:
            msg = f"jwks_url of {self.issuer} must be https:// or file:///; keys are fetched safely"
            raise IdentityConfigError(msg)
