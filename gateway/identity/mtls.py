# SPDX-License-Identifier: EUPL-1.2
"""The client's certificate, from the TLS connection to the application (RFC 8705 §3).

uvicorn 0.54 does not hand it over (its TLS extension is still a proposal), so a protocol class
reads it once per connection. Behind a proxy it comes in the Client-Cert header (RFC 9440), which
is believed only from the proxy's own address. The verifier compares the certificate's hash with
the token's `cnf`.

Run uvicorn with `http=ClientCertificateProtocol, ws="none", proxy_headers=False`: forwarded
headers would let a caller choose the address that the proxy rule looks at.
"""

import asyncio
import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.identity.compact import b64url
from gateway.identity.errors import Fault, TokenError

__all__ = [
    "EXTENSION",
    "ClientCertificateProtocol",
    "TrustedProxy",
    "certificate_thumbprint",
    "client_certificate",
]

EXTENSION = "cuvar.client_certificate"
_LONGEST_HEADER = 16_384
_PEM = b"-----BEGIN"


class ClientCertificateProtocol(H11Protocol):
    """uvicorn's h11 protocol, whose scopes carry the peer's certificate (DER) as an extension."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Read the certificate once; the handshake is over and has verified it."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        app = self.app

        async def with_certificate(scope: Any, receive: Any, send: Any) -> None:
            if der:
                scope.setdefault("extensions", {})[EXTENSION] = der
            await app(scope, receive, send)

        self.app = with_certificate


@dataclass(frozen=True, slots=True)
class TrustedProxy:
    """The TLS-ending proxy, if there is one.

    Attributes:
        networks: where it connects from.
        thumbprint: base64url SHA-256 of its own client certificate; None trusts the address
            alone, which is right only on a private link.
        header: lower-case name of its header. The value is an RFC 9440 byte sequence, or the
            percent-encoded PEM that nginx and others send.
    """

    networks: tuple[IPv4Network | IPv6Network, ...]
    thumbprint: str | None = None
    header: str = "client-cert"

    def speaks(self, client: tuple[str, int] | None, der: bytes | None) -> bool:
        """Whether a connection comes from the proxy."""
        if client is None:
            return False
        try:
            address = ip_address(client[0])
        except ValueError:
            return False
        near = any(address in network for network in self.networks)
        if self.thumbprint is None:
            return near
        proven = der is not None and hmac.compare_digest(
            certificate_thumbprint(der), self.thumbprint
        )
        return near and proven


def certificate_thumbprint(der: bytes) -> str:
    """`x5t#S256` of a certificate: base64url SHA-256 of its DER."""
    return b64url(hashlib.sha256(der).digest())


def client_certificate(
    der: bytes | None,
    headers: Sequence[bytes],
    client: tuple[str, int] | None,
    proxy: TrustedProxy | None,
) -> bytes | None:
    """The certificate (DER) of the client proper.

    Args:
        der: certificate of the TLS connection.
        headers: all values of the proxy's header.
        client: address of the connection.
        proxy: configured proxy, None when clients connect directly.

    Raises:
        TokenError: CERTIFICATE, the proxy sent something that is not RFC 9440.
    """
    if proxy is None or not proxy.speaks(client, der):
        return der  # a Client-Cert header from anybody else counts for nothing
    if not headers:
        return None  # never the proxy's own certificate
    if len(headers) != 1 or len(headers[0]) > _LONGEST_HEADER:
        raise TokenError(Fault.CERTIFICATE)
    value = headers[0]
    return _pem(value) if value.startswith(_PEM) else _byte_sequence(value)


def _pem(value: bytes) -> bytes:
    data = b""
    try:
        certificate = load_pem_x509_certificate(unquote_to_bytes(value))
        data = certificate.public_bytes(Encoding.DER)
    except ValueError:
        data = b""
    if not data:
        raise TokenError(Fault.CERTIFICATE)
    return data


def _byte_sequence(value: bytes) -> bytes:
    # RFC 8941 §3.3.5: the header's item is base64 between colons
    inner = value[1:-1]
    data = b""
    if value[:1] == b":" and value[-1:] == b":":
        try:
            data = b64decode(inner, validate=True)
        except binascii.Error:
            data = b""
    if not data or b64encode(data) != inner:
        raise TokenError(Fault.CERTIFICATE)
    return data
