# SPDX-License-Identifier: EUPL-1.2
"""Who is asking: access tokens of pinned issuers, bound to their sender.

RFC 9068 tokens under ES256, verified by python-jose behind checks of our own, sender-constrained
by mutual TLS (RFC 8705) or DPoP (RFC 9449). docs/formats/tokens.md is the format; the pipeline
and the settings are the users.
"""

from gateway.identity.dev_issuer import DevIssuer
from gateway.identity.dpop import DpopCheck, NoDpop
from gateway.identity.dpop_key import DpopKey
from gateway.identity.errors import (
    Fault,
    IdentityConfigError,
    IdentityUnavailableError,
    TokenError,
)
from gateway.identity.jwks import JwksCache, JwksLimits, KeyChange
from gateway.identity.mtls import ClientCertificateProtocol, TrustedProxy, certificate_thumbprint
from gateway.identity.nonce import NonceSource
from gateway.identity.principal import Clock, IssuerConfig, Principal
from gateway.identity.replay import ReplayMemory
from gateway.identity.request import request_proof
from gateway.identity.revocation import Revocations, Status
from gateway.identity.step_up import StepUp
from gateway.identity.verifier import RequestProof, TokenVerifier

__all__ = [
    "ClientCertificateProtocol",
    "Clock",
    "DevIssuer",
    "DpopCheck",
    "DpopKey",
    "Fault",
    "IdentityConfigError",
    "IdentityUnavailableError",
    "IssuerConfig",
    "JwksCache",
    "JwksLimits",
    "KeyChange",
    "NoDpop",
    "NonceSource",
    "Principal",
    "ReplayMemory",
    "RequestProof",
    "Revocations",
    "Status",
    "StepUp",
    "TokenError",
    "TokenVerifier",
    "TrustedProxy",
    "certificate_thumbprint",
    "request_proof",
]
