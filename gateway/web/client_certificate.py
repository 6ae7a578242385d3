# SPDX-License-Identifier: EUPL-1.2
"""The client certificate that a TLS-ending proxy passes on in a header.

Read as RFC 9440 (`:base64 of DER:`) or as percent-encoded PEM (what nginx can send), and only
from the proxies named in the settings; from anybody else the header counts as absent, since it
would let anyone hold any token (RFC 8705 §6.5). Two such headers, or a malformed one, count as
no certificate. The verifier in gateway/identity compares the certificate with the token.
"""

import base64
import binascii
import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

__all__ = ["CERTIFICATE_EXTENSION", "CertificateHeader"]

CERTIFICATE_EXTENSION = "cuvar.client_certificate"

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"
_MOST_BYTES = 16_384

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class CertificateHeader:
    """Where the certificate comes from: the header's name and the proxies that may send it."""

    def __init__(self, header: str, proxies: Sequence[Network]) -> None:
        self._header = header.lower().encode("ascii")
        self._proxies = tuple(proxies)

    def read(self, scope: dict[str, Any]) -> bytes | None:
        """The DER bytes of the certificate, or None."""
        values = [value for name, value in scope["headers"] if name == self._header]
        if len(values) != 1 or len(values[0]) > _MOST_BYTES or not self._trusted(scope):
            return None
        return _der(values[0])

    def _trusted(self, scope: dict[str, Any]) -> bool:
        client = scope.get("client")
        if not client:
            return False
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


def _der(value: bytes) -> bytes | None:
    text = value.strip()
    try:
        if text.startswith(b":") and text.endswith(b":"):
            return base64.b64decode(text[1:-1], validate=True) or None
        pem = unquote_to_bytes(text).strip()
        if not (pem.startswith(_BEGIN) and pem.endswith(_END)) or pem.count(_BEGIN) != 1:
            return None
        body = b"".join(pem[len(_BEGIN) : -len(_END)].split())
        return base64.b64decode(body, validate=True) or None
    except (binascii.Error, ValueError):
        return None
