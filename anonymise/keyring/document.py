# SPDX-License-Identifier: EUPL-1.2
"""The keyset document: root secrets sealed under a passphrase. docs/formats/keyset.md.

JSON with scrypt's parameters (RFC 7914) and the roots under AES-256-GCM, whose additional data are
the members that say how, so none can be exchanged. A digest over all of it tells a damaged file
from a wrong passphrase. Version 2 is written; version 1, which knew one root key a country, is
still read. Pure; `private_file` holds the file, `file_vault.FileVault` uses both.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from anonymise.errors import (
    KeyringError,
    KeysetDamagedError,
    KeysetVersionError,
    WrongPassphraseError,
)
from anonymise.keyring.ceremony import CUSTODIAN
from anonymise.keyring.derivation import KEY_BYTES, extract
from anonymise.keyring.memory_vault import HeldRoot, Keyset
from anonymise.keyring.root import FIRST_EPOCH, Root, RootState

FORMAT = "cuvar-keyset"
VERSION = 2
SHORTEST_PASSPHRASE = 12

_FIRST_VERSION = 1

_SALT_BYTES = 16
_NONCE_BYTES = 12
_CHEAPEST, _DEAREST = 1 << 14, 1 << 20
_MOST_PARALLEL = 4
_BLOCK_SIZE = 8


@dataclass(frozen=True, slots=True)
class Work:
    """Cost of stretching the passphrase: scrypt's N and p; r is 8."""

    n: int = 1 << 17
    p: int = 1

    @property
    def accepted(self) -> bool:
        """Neither so cheap that it protects nothing, nor so dear that it stops the gateway."""
        power_of_two = self.n & (self.n - 1) == 0
        return power_of_two and _CHEAPEST <= self.n <= _DEAREST and 1 <= self.p <= _MOST_PARALLEL


DEFAULT_WORK = Work()


@dataclass(frozen=True, slots=True)
class _Lock:
    """How the sealed part was sealed: all that is readable without the passphrase."""

    version: int
    work: Work
    salt: bytes
    nonce: bytes

    def members(self) -> dict[str, object]:
        """The lock as it stands in the document, and as additional data under the seal."""
        return {
            "format": FORMAT,
            "version": self.version,
            "kdf": {
                "name": "scrypt",
                "n": self.work.n,
                "r": _BLOCK_SIZE,
                "p": self.work.p,
                "salt": _text(self.salt),
            },
            "cipher": {"name": "AES-256-GCM", "nonce": _text(self.nonce)},
        }

    def key(self, passphrase: str) -> bytes:
        stretch = Scrypt(
            salt=self.salt, length=KEY_BYTES, n=self.work.n, r=_BLOCK_SIZE, p=self.work.p
        )
        return stretch.derive(passphrase.encode())


def seal_keyset(
    keyset: Keyset,
    passphrase: str,
    *,
    work: Work,
    random: Callable[[int], bytes],
) -> bytes:
    """The bytes of a keyset file, version 2.

    Raises:
        KeyringError: Passphrase too short, no country, custodians' names that are none, or
            parameters outside the accepted ones.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise KeyringError(f"the passphrase needs at least {SHORTEST_PASSPHRASE} characters")
    if not keyset.sound:
        raise KeyringError("a keyset needs countries, each a code of two capital letters")
    if not all(map(CUSTODIAN.fullmatch, keyset.custodians)):
        raise KeyringError("a custodian is written as an organisation and a name: BA-DPA/ana")
    if not work.accepted:
        raise KeyringError("these scrypt parameters are outside what a keyset may have")
    lock = _Lock(VERSION, work, random(_SALT_BYTES), random(_NONCE_BYTES))
    sealed = AESGCM(lock.key(passphrase)).encrypt(
        lock.nonce, _canonical(_inner(keyset)), _canonical(lock.members())
    )
    body = lock.members() | {"sealed": _text(sealed)}
    document = body | {"sha256": hashlib.sha256(_canonical(body)).hexdigest()}
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def unseal_keyset(document: bytes, passphrase: str) -> Keyset:
    """What a keyset file's bytes hold.

    Raises:
        KeysetDamagedError: Half-written or changed.
        KeysetVersionError: Of a version or with parameters that this release does not read.
        WrongPassphraseError: The passphrase is another one.
    """
    with _damage():
        lock, sealed = _parsed(document)
    try:
        inner = AESGCM(lock.key(passphrase)).decrypt(lock.nonce, sealed, _canonical(lock.members()))
    except InvalidTag:
        raise WrongPassphraseError(
            "the passphrase does not open this keyset; check which keyset it belongs to"
        ) from None
    with _damage():
        read = _first_inner if lock.version == _FIRST_VERSION else _read_inner
        keyset = read(json.loads(inner))
        if not keyset.sound:
            raise ValueError
        return keyset


def work_of(document: bytes) -> Work:
    """The cost that a keyset file was sealed with.

    Raises:
        KeysetDamagedError, KeysetVersionError: As `unseal_keyset`.
    """
    with _damage():
        return _parsed(document)[0].work


@contextmanager
def _damage() -> Iterator[None]:
    """Turn whatever a malformed document raises into the one error that names the next step."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise KeysetDamagedError(
            "the keyset file is half-written or was changed; restore it from its backup"
        ) from None


def _parsed(document: bytes) -> tuple[_Lock, bytes]:
    members = json.loads(document)
    if members["format"] != FORMAT:
        raise ValueError
    if members["version"] not in {_FIRST_VERSION, VERSION} or isinstance(members["version"], bool):
        raise KeysetVersionError(
            f"this release reads keysets of versions {_FIRST_VERSION} and {VERSION}; "
            "install the one that made it"
        )
    digest = members.pop("sha256")
    if hashlib.sha256(_canonical(members)).hexdigest() != digest:
        raise ValueError
    return _lock_of(members), _octets(members["sealed"])


def _inner(keyset: Keyset) -> dict[str, object]:
    roots = {
        country: [
            {
                "version": one.root.version,
                "since": one.root.since,
                "state": str(one.root.state),
                "secret": None if one.secret is None else _text(one.secret),
            }
            for one in held
        ]
        for country, held in keyset.roots.items()
    }
    return {
        "custodians": dict(keyset.custodians),
        "roots": roots,
        "service": _text(keyset.service),
    }


def _read_inner(members: Any) -> Keyset:
    roots = {
        country: tuple(
            HeldRoot(
                Root(country, entry["version"], entry["since"], RootState(entry["state"])),
                None if entry["secret"] is None else _octets(entry["secret"], KEY_BYTES),
            )
            for entry in held
        )
        for country, held in members["roots"].items()
    }
    keyset = Keyset(roots, _octets(members["service"], KEY_BYTES), dict(members["custodians"]))
    # Nothing beyond what this release would write.
    if _inner(keyset) != members:
        raise ValueError
    return keyset


def _first_inner(members: Any) -> Keyset:
    """A keyset of version 1: its root keys pass the extract step, which version 2 leaves out."""
    if any(
        entry["version"] != 1 or entry.keys() != {"key", "version"} for entry in members.values()
    ):
        raise ValueError
    keys = {country: _octets(entry["key"], KEY_BYTES) for country, entry in members.items()}
    roots = {
        country: (HeldRoot(Root(country, 1, FIRST_EPOCH, RootState.ACTIVE), extract(key)),)
        for country, key in keys.items()
    }
    return Keyset(roots, extract(b"".join(keys[country] for country in sorted(keys))))


def _lock_of(members: Any) -> _Lock:
    kdf, cipher = members["kdf"], members["cipher"]
    lock = _Lock(
        members["version"],
        Work(kdf["n"], kdf["p"]),
        _octets(kdf["salt"], _SALT_BYTES),
        _octets(cipher["nonce"], _NONCE_BYTES),
    )
    # Nothing beyond what this release would write: no member, no other algorithm.
    if lock.members() | {"sealed": members["sealed"]} != members or not lock.work.accepted:
        raise KeysetVersionError(
            "the keyset names algorithms or costs that this release does not accept"
        )
    return lock


def _canonical(members: object) -> bytes:
    """Sorted keys, no spaces, ASCII: RFC 8785 for the strings and integers that stand here."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: str, length: int | None = None) -> bytes:
    octets = base64.b64decode(text, validate=True)
    if _text(octets) != text or (length is not None and len(octets) != length):
        raise ValueError
    return octets
