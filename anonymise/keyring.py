# SPDX-License-Identifier: EUPL-1.2
"""The keyset: one root key a country, from which every pseudonym domain's keys come.

Keys live in one encrypted file (docs/formats/keyset.md) and, once opened, in this
object only; law rule GDP-31. HKDF-SHA256 (RFC 5869) with length-prefixed info separates the
domains: knowing the keys of one says nothing about another. ADR 0014.
"""

from collections.abc import Callable, Collection, Mapping
from os import urandom
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from anonymise.domain import Domain
from anonymise.errors import KeyringError, KeysetExistsError, UnknownCountryError
from anonymise.keyfile import read_private, write_new
from anonymise.keyset import (
    DEFAULT_WORK,
    KEY_BYTES,
    RootKey,
    Work,
    seal_keyset,
    unseal_keyset,
)
from anonymise.pseudonym import DomainCipher

PSEUDONYM_LABEL = "cuvar pseudonym v1"
CODE_LABEL = "cuvar code v1"


class Keyring:
    """An opened keyset. Its repr names countries, never keys; it cannot be pickled."""

    __slots__ = ("_roots",)

    def __init__(self, roots: Mapping[str, RootKey]) -> None:
        self._roots = dict(roots)

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: str,
        countries: Collection[str],
        *,
        work: Work = DEFAULT_WORK,
        random: Callable[[int], bytes] = urandom,
    ) -> "Keyring":
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
        roots = {name: RootKey(1, random(KEY_BYTES)) for name in sorted(set(countries))}
        write_new(path, seal_keyset(roots, passphrase, work=work, random=random))
        return cls(roots)

    @classmethod
    def open(cls, path: Path, passphrase: str) -> "Keyring":
        """Open a keyset.

        Raises:
            KeysetMissingError, KeysetPermissionError, KeysetDamagedError, KeysetVersionError,
            WrongPassphraseError: As their names say; each message names the next step.
        """
        return cls(unseal_keyset(read_private(path), passphrase))

    @classmethod
    def add(
        cls,
        path: Path,
        passphrase: str,
        country: str,
        *,
        work: Work = DEFAULT_WORK,
        random: Callable[[int], bytes] = urandom,
    ) -> Path:
        """Add a root key for one more country; gives the path where the keyset before is kept.

        The new file is complete before it takes the old one's name.

        Raises:
            KeysetExistsError: The country has a root key, or a kept keyset stands in the way.
            KeyringError: As `open` and `create`.
        """
        roots = unseal_keyset(read_private(path), passphrase)
        if country in roots:
            raise KeysetExistsError(f"{country} has a root key already; keys are never replaced")
        grown = {**roots, country: RootKey(1, random(KEY_BYTES))}
        kept = path.with_name(f"{path.name}.before-{country}")
        new = path.with_name(f".{path.name}.with-{country}")
        write_new(new, seal_keyset(grown, passphrase, work=work, random=random))
        try:
            kept.hardlink_to(path)
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise KeyringError(f"{kept.name} stands in the way or cannot be written") from None
        return kept

    @property
    def countries(self) -> frozenset[str]:
        """The countries that have a root key."""
        return frozenset(self._roots)

    def domain_cipher(self, domain: Domain) -> DomainCipher:
        """The cipher of one domain; cheap enough to make for each answer.

        Raises:
            UnknownCountryError: The keyset has no root key for the domain's country.
        """
        root = self._roots.get(domain.country)
        if root is None:
            raise UnknownCountryError(
                "the keyset has no root key for this country; make one that names it"
            )
        return DomainCipher(
            domain,
            domain_key(root, domain, PSEUDONYM_LABEL),
            domain_key(root, domain, CODE_LABEL),
        )

    def service_key(self, label: str) -> bytes:
        """32 bytes for one use of the gateway's own (opaque handles), unlike any domain's key.

        Changes with every root key, so handles made under another keyset are void.
        """
        roots = b"".join(self._roots[name].key for name in sorted(self._roots))
        text = label.encode()
        info = b"cuvar service key 1" + len(text).to_bytes(2, "big") + text
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(roots)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(sorted(self._roots))}; keys redacted)"

    def __reduce__(self) -> NoReturn:
        raise KeyringError("a keyring holds keys and is never serialised outside its keyset file")


def domain_key(root: RootKey, domain: Domain, label: str) -> bytes:
    """HKDF-SHA256 of the root key for one use in one domain."""
    info = domain_info(domain, root.version, label)
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root.key)


def domain_info(domain: Domain, version: int, label: str) -> bytes:
    """The info string: each part after its length in two bytes, so no two domains share one."""
    parts = (label, *domain.parts, str(version))
    return b"".join(len(part).to_bytes(2, "big") + part for part in (p.encode() for p in parts))
