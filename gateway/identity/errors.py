# SPDX-License-Identifier: EUPL-1.2
"""Why a token was refused, said so that neither the caller nor a log learns what was in it.

RFC 6750 §3 and RFC 9449 §7.1 fix the answer's `WWW-Authenticate`. The caller sees one code for
all faults of a token; the operator sees the `Fault`, a word from a closed list. The gateway's
problem mapping and its metrics rely on both.
"""

from collections.abc import Mapping
from enum import StrEnum

from gateway.errors import GatewayError

__all__ = ["Fault", "IdentityConfigError", "IdentityUnavailableError", "TokenError"]


class Fault(StrEnum):
    """The check that refused; safe for logs and as a metric label."""

    MISSING = "missing"
    SCHEME = "scheme"
    MALFORMED = "malformed"
    TOO_LONG = "too_long"
    DUPLICATE_NAME = "duplicate_name"
    TYPE = "type"
    ALGORITHM = "algorithm"
    HEADER = "header"
    KEY_UNKNOWN = "key_unknown"
    ISSUER = "issuer"
    SIGNATURE = "signature"
    CLAIM = "claim"
    AUDIENCE = "audience"
    LIFETIME = "lifetime"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    ASSERTION = "assertion"
    BINDING = "binding"
    CERTIFICATE = "certificate"
    PROOF = "proof"
    PROOF_MISMATCH = "proof_mismatch"
    PROOF_TIME = "proof_time"
    REPLAY = "replay"
    NONCE = "nonce"
    REVOKED = "revoked"
    STEP_UP = "step_up"
    KEYS_STALE = "keys_stale"
    REPLAY_STORE_FULL = "replay_store_full"
    REVOCATIONS_UNREADABLE = "revocations_unreadable"
    INTERNAL = "internal"


_CODES: Mapping[Fault, str] = {
    Fault.PROOF: "invalid_dpop_proof",
    Fault.PROOF_MISMATCH: "invalid_dpop_proof",
    Fault.PROOF_TIME: "invalid_dpop_proof",
    Fault.REPLAY: "invalid_dpop_proof",
    Fault.NONCE: "use_dpop_nonce",
    Fault.STEP_UP: "insufficient_user_authentication",
    Fault.MISSING: "missing_token",
    Fault.KEYS_STALE: "temporarily_unavailable",
    Fault.REPLAY_STORE_FULL: "temporarily_unavailable",
    Fault.REVOCATIONS_UNREADABLE: "temporarily_unavailable",
}


class TokenError(GatewayError):
    """The request proves no identity: answer `status` with `challenge` and `headers`.

    Attributes:
        fault: the check that refused (for the operator).
        code: OAuth error code (for the caller); `missing_token` is not sent in the challenge.
        scheme: authentication scheme of the challenge, `Bearer` or `DPoP`; None means the one
            that the request used, which the verifier fills in.
    """

    status = 401

    def __init__(
        self,
        fault: Fault,
        *,
        scheme: str | None = None,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.fault = fault
        self.code = _CODES.get(fault, "invalid_token")
        self.scheme = scheme
        self._parameters = dict(parameters or {})
        self._headers = dict(headers or {})
        super().__init__(f"access token refused ({self.code}); ask the issuer for a new one")

    @property
    def challenge(self) -> str:
        """Value of `WWW-Authenticate`; one constant text per code, plus step-up parameters."""
        parameters: dict[str, str] = {}
        if self.fault is not Fault.MISSING:
            parameters["error"] = self.code
        if self.scheme == "DPoP":
            parameters["algs"] = "ES256"
        parameters |= self._parameters
        listed = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
        return f"{self.scheme or 'Bearer'} {listed}".rstrip()

    @property
    def headers(self) -> dict[str, str]:
        """All response headers the refusal needs."""
        return {"WWW-Authenticate": self.challenge, **self._headers}


class IdentityUnavailableError(TokenError):
    """The token may be good but cannot be judged now (keys, replay store or revocations)."""

    status = 503

    def __str__(self) -> str:
        """Say which dependency is missing; the fault is a word from a closed list."""
        return f"identity cannot be checked now ({self.fault}); see cuvar doctor"


class IdentityConfigError(GatewayError):
    """The identity settings would weaken the gateway, or cannot be read."""
