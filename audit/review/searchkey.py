# SPDX-License-Identifier: EUPL-1.2
"""The officer's search key: what makes an index of her log useless to everybody else.

Two keys are derived with HKDF-SHA256 from her private X25519 key. With one, each searched value
becomes a token: HMAC-SHA256 over column, log and value, cut to 16 bytes. Who holds the index file
and every key of the operator cannot compute a token, so neither grep nor a dictionary finds a name
in it. The other key encrypts what she saves beside the index. docs/formats/review-index.md.
"""

import hmac
import os
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from audit.errors import SealError

TOKEN_BYTES: Final = 16
_TOKENS: Final = b"cuvar review index tokens 1\n"
_NOTES: Final = b"cuvar review index notes 1\n"
_NONCE: Final = 12


class Column(StrEnum):
    """What can be searched for in details. Part of each token, so columns cannot be joined."""

    OFFICER = "officer"
    UNIT = "unit"
    PERSON = "person"
    CASE = "case"


class SearchKey:
    """Makes tokens of one officer's index, and seals what is hers alone."""

    def __init__(self, private: X25519PrivateKey) -> None:
        """Derive both keys; the private key itself is not kept."""
        secret = private.private_bytes_raw()
        self._mac = hmac.new(_derived(secret, _TOKENS), digestmod="sha256")
        self._notes = AESGCM(_derived(secret, _NOTES))
        self._remembered = lru_cache(maxsize=65_536)(self._computed)

    def token(self, column: Column, origin: str, value: str) -> bytes:
        """The token of a value in one log; spellings that differ in Unicode alone are one value."""
        return self._remembered(f"{column.value}\0{origin}\0{normal(value)}")

    def _computed(self, told: str) -> bytes:
        mac = self._mac.copy()
        mac.update(told.encode("utf-8", "surrogatepass"))
        return mac.digest()[:TOKEN_BYTES]

    def seal(self, what: str, content: bytes) -> bytes:
        """Encrypt for this key alone; `what` is bound to it and needed to open it."""
        nonce = os.urandom(_NONCE)
        return nonce + self._notes.encrypt(nonce, content, what.encode())

    def open(self, what: str, sealed: bytes) -> bytes:
        """What `seal` encrypted.

        Raises:
            SealError: of another key, of something else, or changed.
        """
        try:
            return self._notes.decrypt(sealed[:_NONCE], sealed[_NONCE:], what.encode())
        except (InvalidTag, ValueError):
            raise SealError(
                "this was sealed under another officer's key; use the key that made the index"
            ) from None


def normal(value: str) -> str:
    """One spelling of a value: composed, without space around it."""
    return unicodedata.normalize("NFC", value).strip()


def _derived(secret: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info).derive(secret)
