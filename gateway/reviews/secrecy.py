# SPDX-License-Identifier: EUPL-1.2
"""Who is asked and what, as the state database keeps it until the alert is closed.

The officer is a keyed pseudonym: enough to know him again when he comes, not to learn who he is.
The question is encrypted, bound to its alert. Both keys come from the keyring, so a copy of the
database alone shows neither; whoever also has keyset and passphrase could decrypt the question and
test whether an officer is the one.
"""

import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anonymise import Keyring
from gateway.errors import GatewayError

_NONCE: Final = 12


class SecrecyError(GatewayError):
    """A kept question can't be read with this keyset; it must be put again."""


class Secrecy:
    """Hides officers and questions from the state database."""

    def __init__(self, keyring: Keyring) -> None:
        """Derive both keys; nothing else of the keyring is kept."""
        self._officers = keyring.service_key("review officer")
        self._questions = AESGCM(keyring.service_key("review question"))

    def officer(self, issuer: str, officer: str) -> bytes:
        """The pseudonym of an officer."""
        name = issuer.encode()
        text = len(name).to_bytes(4) + name + officer.encode()
        return hmac.digest(self._officers, text, "sha256")

    def hide(self, alert: str, question: str) -> bytes:
        """A question as it is kept."""
        nonce = os.urandom(_NONCE)
        return nonce + self._questions.encrypt(nonce, question.encode(), alert.encode())

    def show(self, alert: str, kept: bytes) -> str:
        """The question again.

        Raises:
            SecrecyError: kept under another keyset, for another alert, or changed.
        """
        try:
            plain = self._questions.decrypt(kept[:_NONCE], kept[_NONCE:], alert.encode())
        except (InvalidTag, ValueError):
            raise SecrecyError(
                "a kept question can't be read with this keyset; the officer must be asked again"
            ) from None
        return plain.decode()
