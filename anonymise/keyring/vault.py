# SPDX-License-Identifier: EUPL-1.2
"""Where root keys stay: the one thing in which the backends of a keyring differ.

A vault answers what can be computed with a root and never gives a root away. `FileVault` keeps
them in an encrypted file, `TokenVault` in a PKCS#11 token. Rules of which root may be made or
destroyed when are not here: `Keyring` asks only for what `root` allows.
"""

from collections.abc import Mapping
from typing import Protocol

from anonymise.keyring.root import Register, Root


class Vault(Protocol):
    """One backend, opened."""

    @property
    def register(self) -> Register:
        """Every root, by country."""
        ...

    @property
    def custodians(self) -> Mapping[str, str]:
        """Whose approval a ceremony needs: name to public key, base64."""
        ...

    def expand(self, root: Root, info: bytes) -> bytes:
        """32 bytes under one root: `derivation.expand`.

        Raises:
            KeyringError: the vault can't be used now.
        """
        ...

    def expand_service(self, info: bytes) -> bytes:
        """32 bytes under the gateway's own secret, which is no country's.

        Raises:
            KeyringError: the vault can't be used now.
        """
        ...

    def make(self, root: Root) -> None:
        """A fresh secret for this root; durable on return, or not made.

        Raises:
            KeyringError: it can't be made, or somebody else changed the register meanwhile.
        """
        ...

    def destroy(self, root: Root) -> None:
        """The secret of this root, for good; durable on return.

        Raises:
            KeyringError: it can't be destroyed; then it is whole.
        """
        ...

    def appoint(self, custodians: Mapping[str, str]) -> None:
        """Replace the custodians; durable on return.

        Raises:
            KeyringError: they can't be written; the old ones stand.
        """
        ...

    def reread(self) -> bool:
        """Take in what others made, destroyed or appointed meanwhile; whether there was anything.

        Raises:
            KeyringError: it can't be read now; what was read before goes on.
        """
        ...

    def close(self) -> None:
        """Let go of the backend; nothing can be computed afterwards."""
        ...
