# SPDX-License-Identifier: EUPL-1.2
"""One in a hundred of the accesses that no rule flagged, or the rules would never be measured.

Whether an access is drawn depends on its leaf hash and on a key that only the data-protection
officer has: nobody else can tell beforehand, or bring about, that his access is not drawn, and the
officer can't draw again until it suits him. A supervisor with the same key draws the same.
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ONE_IN: Final = 100
_INFO: Final = b"cuvar review 1\n"
_KEY_BYTES: Final = 32
_DRAWN_BYTES: Final = 8
_ID_BYTES: Final = 16


class Seed:
    """What a data-protection officer's private key gives for reviews; it can't be turned back."""

    def __init__(self, private: X25519PrivateKey) -> None:
        """Derive the two keys and keep no other."""
        secret = private.private_bytes_raw()
        self._sample, self._names = (
            HKDF(SHA256(), _KEY_BYTES, None, _INFO + use).derive(secret)
            for use in (b"sample", b"alert")
        )

    def draws(self, leaf: bytes) -> bool:
        """Whether an access is in the sample."""
        drawn = hmac.digest(self._sample, leaf, "sha256")[:_DRAWN_BYTES]
        return int.from_bytes(drawn) * ONE_IN < 1 << 8 * _DRAWN_BYTES

    def name(self, *parts: str) -> str:
        """A name for an alert: the same for the same alert, and telling nothing of it."""
        text = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
        return hmac.digest(self._names, text, "sha256")[:_ID_BYTES].hex()

    def __repr__(self) -> str:
        return "Seed(keys redacted)"
