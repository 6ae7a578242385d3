# SPDX-License-Identifier: EUPL-1.2
"""The credentials of an ASGI request, gathered once at the edge.

A token is taken from the one Authorization header and nowhere else (FAPI 2.0 §5.3.4 forbids the
query, RFC 6750 §3.1 two methods at once). The address that a DPoP proof must name is built from
the configured public origin, never from the Host header.
"""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from gateway.identity.errors import Fault, TokenError
from gateway.identity.mtls import EXTENSION, TrustedProxy, client_certificate
from gateway.identity.verifier import RequestProof

__all__ = ["request_proof"]


def request_proof(
    scope: MutableMapping[str, Any], *, origin: str, proxy: TrustedProxy | None = None
) -> RequestProof:
    """Gather what the verifier needs.

    Args:
        scope: ASGI scope of type http.
        origin: public scheme, host and port, such as `https://cuvar.example`.
        proxy: the TLS-ending proxy, if any.

    Raises:
        TokenError: two Authorization headers, a token in the query, or a broken Client-Cert.
    """
    cert_header = proxy.header.encode() if proxy else b"client-cert"
    found: dict[bytes, list[bytes]] = {b"authorization": [], b"dpop": [], cert_header: []}
    for name, value in scope["headers"]:
        if name in found:
            found[name].append(value)
    tokens = found[b"authorization"]
    if len(tokens) > 1 or _query_has_token(scope["query_string"]):
        raise TokenError(Fault.MALFORMED)
    der = scope.get("extensions", {}).get(EXTENSION)
    path = scope.get("raw_path") or scope["path"].encode()
    return RequestProof(
        authorization=tokens[0].decode("latin-1") if tokens else None,
        method=scope["method"],
        url=origin.rstrip("/") + path.decode("latin-1"),
        dpop=tuple(value.decode("latin-1") for value in found[b"dpop"]),
        client_certificate_der=client_certificate(
            der, found[cert_header], scope.get("client"), proxy
        ),
    )


def _query_has_token(query: bytes) -> bool:
    # `;` also parts parameters for some readers
    pairs = parse_qsl(query.decode("latin-1").replace(";", "&"), keep_blank_values=True)
    return any(name.lower() == "access_token" for name, _ in pairs)
