# SPDX-License-Identifier: EUPL-1.2
"""Roots in one encrypted file: the backend for development and small sites.

Opened, they are in this process's memory. A change reads the file again under a lock, writes a
complete neighbour, opens that again, and only then lets it take the file's name: whatever happens
in between, the file is the old one or the new one. docs/formats/keyset.md.
"""

from collections.abc import Callable, Collection
from os import urandom
from pathlib import Path

from anonymise.errors import KeyringError, KeysetCopiesError
from anonymise.keyring.derivation import KEY_BYTES
from anonymise.keyring.document import DEFAULT_WORK, Work, seal_keyset, unseal_keyset, work_of
from anonymise.keyring.memory_vault import HeldRoot, Keyset, MemoryVault
from anonymise.keyring.private_file import locked, read_private, replace_private, write_new
from anonymise.keyring.root import Root, next_root


class FileVault(MemoryVault):
    """The vault of one keyset file."""

    __slots__ = ("_content", "_passphrase", "_path")

    def __init__(
        self,
        path: Path,
        content: bytes,
        passphrase: str,
        *,
        random: Callable[[int], bytes] = urandom,
    ) -> None:
        """Use `create` or `open`."""
        super().__init__(unseal_keyset(content, passphrase), random)
        self._path, self._content, self._passphrase = path, content, passphrase

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: str,
        countries: Collection[str],
        *,
        work: Work = DEFAULT_WORK,
        random: Callable[[int], bytes] = urandom,
    ) -> "FileVault":
        """Make a keyset with a fresh root key for each country, and open it.

        Args:
            path: Where nothing stands yet; written whole or not at all, mode 0600.
            passphrase: At least 12 characters.
            countries: Country ids; at least one.
            work: Cost of the passphrase's stretching.
            random: Secret source, n -> n bytes.

        Raises:
            KeysetExistsError: A file stands there.
            KeyringError: Passphrase too short, no country, or the file cannot be written.
        """
        roots = {
            country: (HeldRoot(next_root({}, country), random(KEY_BYTES)),)
            for country in sorted(set(countries))
        }
        keyset = Keyset(roots, random(KEY_BYTES))
        sealed = seal_keyset(keyset, passphrase, work=work, random=random)
        opened = cls(path, sealed, passphrase, random=random)
        write_new(path, sealed)
        return opened

    @classmethod
    def open(cls, path: Path, passphrase: str) -> "FileVault":
        """Open a keyset of version 2 or 1; later changes keep the cost that it was sealed with.

        Raises:
            KeysetMissingError, KeysetPermissionError, KeysetDamagedError, KeysetVersionError,
            WrongPassphraseError: As their names say; each message names the next step.
        """
        return cls(path, read_private(path), passphrase)

    def destroy(self, root: Root) -> None:
        """Drop the secret of this root, in the file and here.

        Raises:
            KeysetCopiesError: A copy stands beside the file, in which the root would live on.
            KeyringError: The file can't be replaced; the root is whole.
        """
        copies = sorted(
            found.name
            for found in self._path.parent.glob(f"*{self._path.name}*")
            if found.name not in {self._path.name, f".{self._path.name}.lock"}
        )
        if copies:
            raise KeysetCopiesError(
                f"the root would live on in {', '.join(copies)} beside the keyset; "
                "destroy these copies first, and those in backups"
            )
        super().destroy(root)

    def reread(self) -> bool:
        """Take in the file as it is now; whether it changed.

        Raises:
            KeyringError: As `open`; what was read before goes on.
        """
        content = read_private(self._path)
        if content == self._content:
            return False
        keyset = unseal_keyset(content, self._passphrase)
        self._keyset, self._content = keyset, content
        return True

    def close(self) -> None:
        """Forget everything."""
        super().close()
        self._passphrase, self._content = "", b""

    def _change(self, change: Callable[[Keyset], Keyset]) -> None:
        with locked(self._path):
            if read_private(self._path) != self._content:
                raise KeyringError(
                    "somebody else changed the keyset meanwhile; nothing was changed, start again"
                )
            changed = change(self._keyset)
            work = work_of(self._content)
            sealed = seal_keyset(changed, self._passphrase, work=work, random=self._random)
            if unseal_keyset(sealed, self._passphrase) != changed:
                raise KeyringError("the new keyset does not open; nothing was changed")
            replace_private(self._path, sealed)
        self._keyset, self._content = changed, sealed
