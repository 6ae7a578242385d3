# SPDX-License-Identifier: EUPL-1.2
"""From a request's credentials to a Principal, or a refusal: RFC 9068 §4 and FAPI 2.0 §5.3.

python-jose verifies one signature with one key, one algorithm, one audience, one issuer; every
other check is ours (compact.py before it, claims.py after it), because the library leaves them
out. Any exception whatever is a refusal. The pipeline calls `verify` once per request.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from jose import jwt
from jose.backends.base import Key
from jose.exceptions import JWTClaimsError

from gateway.identity.claims import Verified, read_claims
from gateway.identity.compact import ALGORITHM, LONGEST, Compact, read_compact
from gateway.identity.dpop import DpopCheck
from gateway.identity.errors import (
    Fault,
    IdentityConfigError,
    IdentityUnavailableError,
    TokenError,
)
from gateway.identity.jwks import JwksCache
from gateway.identity.mtls import certificate_thumbprint
from gateway.identity.principal import Clock, IssuerConfig, Principal
from gateway.identity.replay import ReplayMemory
from gateway.identity.revocation import Revocations, Status
from gateway.identity.token_cache import VerifiedTokens, token_digest

__all__ = ["RequestProof", "TokenVerifier"]

_TYPES = frozenset({"at+jwt", "application/at+jwt"})
# To require exp or iat would make python-jose verify them, by the machine's clock; claims.py
# requires and verifies both by ours.
_REQUIRED = {f"require_{claim}": True for claim in ("iss", "sub", "aud", "jti")}
_OPTIONS = {**_REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
_SCHEMES = {"bearer": "Bearer", "dpop": "DPoP"}


@dataclass(frozen=True, slots=True)
class RequestProof:
    """What a request offers as proof of who sends it.

    Attributes:
        authorization: the one Authorization header, None if absent.
        method: request method, upper case.
        url: the request's public address.
        dpop: all values of the DPoP header.
        client_certificate_der: the client's certificate.
    """

    authorization: str | None = field(repr=False)
    method: str
    url: str = field(repr=False)
    dpop: tuple[str, ...] = field(default=(), repr=False)
    client_certificate_der: bytes | None = field(default=None, repr=False)


class TokenVerifier:
    """Verifies access tokens and that their sender is the one they were issued to.

    Args:
        issuers: the trusted issuers.
        jwks: their keys.
        clock: seconds since the epoch.
        revocations: the list of suspended askers and void tokens.
        production: refuse to exist with a development issuer or without sender constraint.
        dpop: check of DPoP proofs; one with a memory of its own by default.

    Raises:
        IdentityConfigError: production with weakened settings, or two issuers of one name.
    """

    def __init__(
        self,
        issuers: Iterable[IssuerConfig],
        jwks: JwksCache,
        clock: Clock,
        revocations: Revocations,
        *,
        production: bool,
        dpop: DpopCheck | None = None,
    ) -> None:
        listed = tuple(issuers)
        self._issuers = {config.issuer: config for config in listed}
        if len(self._issuers) != len(listed):
            raise IdentityConfigError("two issuers share one name; each needs its own")
        if production:
            _check_production(listed)
        self._jwks, self._clock, self._revocations = jwks, clock, revocations
        self._dpop = dpop or DpopCheck(clock, ReplayMemory())
        self._cache = VerifiedTokens()

    async def verify(self, proof: RequestProof) -> Principal:
        """The request's principal.

        Raises:
            TokenError: no, or no acceptable, proof; answer 401.
            IdentityUnavailableError: it cannot be judged now; answer 503.
        """
        try:
            return await self._verify(proof)
        except TokenError as error:
            refusal = error
        except Exception:  # noqa: BLE001 - whatever broke, the token proved nothing
            refusal = TokenError(Fault.INTERNAL)
        if refusal.scheme is None:
            refusal.scheme = _scheme(proof.authorization or "")
        # Raised out here, without context or frames: what lies underneath holds parts of the token.
        raise refusal.with_traceback(None)

    def status(self, principal: Principal) -> Status:
        """Whether the asker is suspended; the pipeline's fact `suspended` (rule F01)."""
        return self._revocations.status(principal)

    def require_standing(self, principal: Principal) -> None:
        """For addresses that no rule guards: refuse a suspended asker outright.

        Raises:
            TokenError: suspended. IdentityUnavailableError: the list cannot be read.
        """
        _refuse(self._revocations.status(principal))

    async def _verify(self, proof: RequestProof) -> Principal:
        scheme, token = _credentials(proof.authorization)
        digest, now = token_digest(token), self._clock()
        state = (self._jwks.generation, self._revocations.generation())
        verified = self._cache.get(digest, state, now)
        if verified is None:
            verified = await self._verify_token(token, digest)
            state = (self._jwks.generation, self._revocations.generation())
            # a fetch on the way may have changed the keys; get() moves the cache to the new state
            self._cache.get(digest, state, now)
            self._cache.put(digest, verified, state, now)
        # an unreadable list is left to `status`: rule F01 then refuses, and the log says who asked
        if self._revocations.token_status(verified.principal) == "true":
            raise TokenError(Fault.REVOKED)
        self._check_sender(verified, scheme, token, proof)
        return verified.principal

    async def _verify_token(self, token: str, digest: bytes) -> Verified:
        compact = read_compact(token, types=_TYPES, embedded_key=False)
        issuer, kid = compact.payload.get("iss"), compact.header.get("kid")
        config = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if config is None:
            raise TokenError(Fault.ISSUER)
        if not isinstance(kid, str):
            raise TokenError(Fault.KEY_UNKNOWN)
        key = await self._jwks.key(config.issuer, kid)
        _check_signature(compact, key.key, config)
        return read_claims(compact.payload, config, now=self._clock(), digest=digest)

    def _check_sender(
        self, verified: Verified, scheme: str, token: str, proof: RequestProof
    ) -> None:
        confirmation = verified.confirmation
        wanted = "DPoP" if confirmation and confirmation.binding == "dpop" else "Bearer"
        if scheme != wanted or (proof.dpop and wanted == "Bearer"):
            raise TokenError(Fault.SCHEME, scheme=wanted)
        if confirmation is None:
            return  # read_claims let this pass only where the issuer needs no binding
        if confirmation.binding == "dpop":
            self._dpop.check(
                proof.dpop,
                method=proof.method,
                url=proof.url,
                token=token,
                thumbprint=confirmation.thumbprint,
            )
            return
        der = proof.client_certificate_der
        if not der or not hmac.compare_digest(certificate_thumbprint(der), confirmation.thumbprint):
            raise TokenError(Fault.CERTIFICATE)


def _check_production(issuers: tuple[IssuerConfig, ...]) -> None:
    for config in issuers:
        if config.is_development:
            msg = f"issuer {config.issuer} is the development issuer; production trusts real ones"
            raise IdentityConfigError(msg)
        if not config.require_binding:
            msg = f"issuer {config.issuer} needs require_binding; bare tokens are for development"
            raise IdentityConfigError(msg)


def _scheme(authorization: str) -> str | None:
    return _SCHEMES.get(authorization.partition(" ")[0].lower())


def _credentials(authorization: str | None) -> tuple[str, str]:
    if authorization is None:
        raise TokenError(Fault.MISSING)
    if len(authorization) > LONGEST + len("Bearer "):
        raise TokenError(Fault.TOO_LONG)
    scheme, token = _scheme(authorization), authorization.partition(" ")[2]
    if scheme is None:
        raise TokenError(Fault.SCHEME)
    if not token or not token.isascii():
        raise TokenError(Fault.MALFORMED)
    return scheme, token


def _check_signature(compact: Compact, key: Key, config: IssuerConfig) -> None:
    fault: Fault | None = Fault.SIGNATURE
    try:
        jwt.decode(
            compact.text,
            key,
            algorithms=[ALGORITHM],
            options=_OPTIONS,
            audience=config.audience,
            issuer=config.issuer,
        )
        fault = None
    except JWTClaimsError:
        fault = Fault.AUDIENCE
    except Exception:  # noqa: BLE001 - python-jose leaks foreign errors (OverflowError, TypeError)
        fault = Fault.SIGNATURE
    if fault is not None:
        raise TokenError(fault)


def _refuse(status: Status) -> None:
    if status == "possible":
        raise IdentityUnavailableError(Fault.REVOCATIONS_UNREADABLE)
    if status != "false":
        raise TokenError(Fault.REVOKED)
