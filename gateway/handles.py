# SPDX-License-Identifier: EUPL-1.2
"""Opaque handles: the token of a hit and the cursor of a list.

A handle is a small JSON object under AES-256-GCM, so that a client can neither read nor
change it; the kind and the asker are bound as associated data, so that one officer's handle
is nothing in another's hand, and a cursor is no token. Nothing is stored until a token is used.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import GatewayError

_NONCE: Final = 12


class HandleError(GatewayError):
    """The handle was not made here for this asker and purpose, was changed, or is over."""


class Handles:
    """Seals and opens handles under one key."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 random bytes, shared by the gateways that must read each other's handles."""
        self._cipher = AESGCM(key)

    def seal(self, kind: str, bound: tuple[str, ...], content: Mapping[str, str | int]) -> str:
        """An opaque text for `content`, usable only with the same kind and binding."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, orjson.dumps(content), _binding(kind, bound))
        return _encoded(nonce + sealed)

    def open(self, kind: str, bound: tuple[str, ...], handle: str) -> dict[str, str | int]:
        """The content of a handle.

        Raises:
            HandleError: it is not valid for this kind and binding; ask anew.
        """
        try:
            raw = _decoded(handle)
            content: dict[str, str | int] = orjson.loads(
                self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _binding(kind, bound))
            )
        except (ValueError, InvalidTag):
            raise HandleError(
                f"this {kind} is not valid for you and this purpose; ask the first question again"
            ) from None
        return content


def handle_digest(handle: str) -> str:
    """What the state database remembers of a used token: the hash of its bytes, not its spelling.

    Raises:
        ValueError: not the one spelling of its bytes.
    """
    return hashlib.sha256(_decoded(handle)).hexdigest()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(handle: str) -> bytes:
    # The last character of base64 has spare bits: without this, one token has many spellings.
    raw = base64.urlsafe_b64decode(handle + "=" * (-len(handle) % 4))
    if _encoded(raw) != handle:
        raise ValueError
    return raw


def _binding(kind: str, bound: tuple[str, ...]) -> bytes:
    return orjson.dumps([kind, *bound])
