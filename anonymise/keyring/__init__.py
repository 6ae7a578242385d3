# SPDX-License-Identifier: EUPL-1.2
"""Root keys and what is derived from them: one interface, two backends.

    keyring = open_file(path, passphrase)               # an encrypted file; the default
    keyring = open_token(module, "cuvar", pin)           # PKCS#11; extra cuvar[hsm]
    cipher = keyring.domain_cipher(keyring.domain("BA", "UNHCR", "tracing", "2026q4"))

A root never leaves its vault; what comes out are the keys of single domains. Roots are made,
rotated and destroyed in ceremonies that two custodians approve (`ceremony`).
"""

from collections.abc import Collection
from pathlib import Path

from anonymise.keyring.file_vault import FileVault
from anonymise.keyring.keyring import Keyring
from anonymise.keyring.root import Register, Root, RootState

__all__ = [
    "FileVault",
    "Keyring",
    "Register",
    "Root",
    "RootState",
    "create_file",
    "create_token",
    "open_file",
    "open_token",
]


def create_file(path: Path, passphrase: str, countries: Collection[str]) -> Keyring:
    """Make a keyset file with a root key for each country, and open it.

    Raises:
        KeysetExistsError: A file stands there.
        KeyringError: Passphrase too short, no country, or the file cannot be written.
    """
    return Keyring(FileVault.create(path, passphrase, countries))


def open_file(path: Path, passphrase: str) -> Keyring:
    """Open a keyset file.

    Raises:
        KeysetMissingError, KeysetPermissionError, KeysetDamagedError, KeysetVersionError,
        WrongPassphraseError: As their names say; each message names the next step.
    """
    return Keyring(FileVault.open(path, passphrase))


def create_token(module: Path, label: str, pin: str, countries: Collection[str]) -> Keyring:
    """Make a root key for each country in an empty token, and open it.

    Raises:
        KeysetExistsError: The token holds roots already.
        KeyringError: The token can't be used; the message says why.
    """
    from anonymise.keyring.token_vault import TokenVault

    return Keyring(TokenVault.create(module, label, pin, countries))


def open_token(module: Path, label: str, pin: str) -> Keyring:
    """Open the roots in a PKCS#11 token.

    Raises:
        KeysetMissingError, WrongPassphraseError: No such token; the PIN is another one.
        KeyringError: The token can't be used; the message says why.
    """
    from anonymise.keyring.token_vault import TokenVault

    return Keyring(TokenVault.open(module, label, pin))
