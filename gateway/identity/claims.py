# SPDX-License-Identifier: EUPL-1.2
"""From a verified payload to a Principal: every claim required, typed and bounded.

RFC 9068 §2.2 names the standard claims, docs/formats/tokens.md ours. An issuer that speaks for a
country or organisation outside its configuration is refused here, which keeps one broken national
provider from impersonating the other eight. Pure; only the verifier calls it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.identity.errors import Fault, TokenError
from gateway.identity.principal import Binding, IssuerConfig, Principal

__all__ = ["Confirmation", "Verified", "read_claims"]

LONGEST_LIFE_S = 600
SKEW_S = 5
"""How far ahead an issuer's clock may run (iat, nbf, auth_time); expiry knows no leeway."""
_MOST = 64
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_METHODS: Mapping[str, Binding] = {"x5t#S256": "mtls", "jkt": "dpop"}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The `cnf` claim: how the sender must prove itself, and the thumbprint to match."""

    binding: Binding
    thumbprint: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that passed every check but the sender's."""

    principal: Principal
    confirmation: Confirmation | None


def _text(claims: Mapping[str, object], name: str, grammar: re.Pattern[str]) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not grammar.fullmatch(value):
        raise TokenError(Fault.CLAIM)
    return value


def _optional(claims: Mapping[str, object], name: str, grammar: re.Pattern[str]) -> str | None:
    return _text(claims, name, grammar) if name in claims else None


def _moment(claims: Mapping[str, object], name: str) -> int:
    value = claims.get(name)
    # bool is an int to Python, a float has no place in a token we sign for, a string neither
    if type(value) is not int or value < 0:
        raise TokenError(Fault.CLAIM)
    return value


def _list(claims: Mapping[str, object], name: str, *, least: int) -> tuple[str, ...]:
    value = claims.get(name, [])
    if not isinstance(value, list) or not least <= len(value) <= _MOST:
        raise TokenError(Fault.CLAIM)
    for item in value:
        if not isinstance(item, str) or not _IDENTIFIER.fullmatch(item):
            raise TokenError(Fault.CLAIM)
    return tuple(value)


def _check_times(claims: Mapping[str, object], now: float) -> int:
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    if issued > now + SKEW_S:
        raise TokenError(Fault.NOT_YET)
    if "nbf" in claims and _moment(claims, "nbf") > now + SKEW_S:
        raise TokenError(Fault.NOT_YET)
    if not 0 < expires - issued <= LONGEST_LIFE_S:
        raise TokenError(Fault.LIFETIME)
    if now >= expires:
        raise TokenError(Fault.EXPIRED)
    return expires


def _confirmation(claims: Mapping[str, object], config: IssuerConfig) -> Confirmation | None:
    if "cnf" not in claims:
        if config.require_binding:
            raise TokenError(Fault.BINDING)
        return None
    cnf = claims["cnf"]
    # exactly one method: a second, unknown one would be a constraint that nobody checked
    if not isinstance(cnf, dict) or len(cnf) != 1:
        raise TokenError(Fault.BINDING)
    method, thumbprint = next(iter(cnf.items()))
    binding = _METHODS.get(method)
    if binding is None or not isinstance(thumbprint, str) or not _THUMBPRINT.fullmatch(thumbprint):
        raise TokenError(Fault.BINDING)
    return Confirmation(binding, thumbprint)


def read_claims(
    claims: Mapping[str, object], config: IssuerConfig, *, now: float, digest: bytes
) -> Verified:
    """Check and convert the claims of a token whose signature, `iss` and `aud` already hold.

    Args:
        claims: the payload, names unique.
        config: the issuer's pin.
        now: seconds since the epoch.
        digest: SHA-256 of the token.

    Raises:
        TokenError: CLAIM, NOT_YET, LIFETIME, EXPIRED, ASSERTION or BINDING.
    """
    expires = _check_times(claims, now)
    org, country = _text(claims, "org", _IDENTIFIER), _text(claims, "country", _IDENTIFIER)
    if org not in config.organisations or country not in config.countries:
        raise TokenError(Fault.ASSERTION)
    auth_time = _moment(claims, "auth_time") if "auth_time" in claims else None
    if auth_time is not None and auth_time > now + SKEW_S:
        raise TokenError(Fault.NOT_YET)
    confirmation = _confirmation(claims, config)
    principal = Principal(
        officer=_text(claims, "sub", _PRINTABLE),
        org=org,
        country=country,
        unit=_optional(claims, "unit", _IDENTIFIER),
        roles=frozenset(_list(claims, "roles", least=1)),
        issuer=config.issuer,
        client_id=_text(claims, "client_id", _PRINTABLE),
        jti=_text(claims, "jti", _PRINTABLE),
        acr=_optional(claims, "acr", _PRINTABLE),
        auth_time=auth_time,
        postings=_list(claims, "postings", least=0),
        expires=expires,
        token_digest=digest,
        binding=confirmation.binding if confirmation else None,
    )
    return Verified(principal, confirmation)
