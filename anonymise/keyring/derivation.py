# SPDX-License-Identifier: EUPL-1.2
"""From a root secret to the keys of one domain: HKDF-SHA256 (RFC 5869), expand step only.

A root secret is a pseudorandom key in the RFC's sense: 32 bytes drawn at random, or what the
extract step made of an older root key. Expanding it to 32 bytes is one HMAC call, which a PKCS#11
token makes inside, so that the root never leaves it. docs/formats/pseudonym.md section 3.
"""

import hashlib
import hmac

from anonymise.domain import Domain

KEY_BYTES = 32
PSEUDONYM_LABEL = "cuvar pseudonym v1"
CODE_LABEL = "cuvar code v1"
CHECK_INFO = b"cuvar root check v1"
"""What a root's check value is expanded from; it tells two roots apart and betrays neither."""


def domain_info(domain: Domain, label: str) -> bytes:
    """The info string: each part after its length in two bytes, so no two domains share one."""
    return b"".join(map(_prefixed, (label, *domain.parts, str(domain.version))))


def service_info(label: str) -> bytes:
    """The info string of a key of the gateway's own."""
    return b"cuvar service key 1" + _prefixed(label)


def extract(key: bytes) -> bytes:
    """The root secret of an older root key, or of several in a row."""
    return hmac.digest(bytes(KEY_BYTES), key, "sha256")


def expand(secret: bytes, info: bytes) -> bytes:
    """32 bytes for one use."""
    return hmac.digest(secret, first_block(info), hashlib.sha256)


def first_block(info: bytes) -> bytes:
    """What HMAC is called on to expand to 32 bytes: RFC 5869 section 2.3, T(1)."""
    return info + b"\x01"


def _prefixed(text: str) -> bytes:
    part = text.encode()
    return len(part).to_bytes(2, "big") + part
