# SPDX-License-Identifier: EUPL-1.2
"""The nations' key in a file of its own, sealed under a passphrase: docs/formats/nations-key.md.

The same key lies with every nation that takes part and with nobody else; the gateway has no setting
for it. JSON with scrypt's parameters (RFC 7914) and the key under AES-256-GCM, whose additional
data are all other members. Written whole or not at all, mode 0600.
"""

import base64
import json
from collections.abc import Callable
from os import urandom
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from anonymise.errors import LinkageError
from anonymise.keyring.derivation import KEY_BYTES, expand
from anonymise.keyring.document import DEFAULT_WORK, SHORTEST_PASSPHRASE, Work
from anonymise.keyring.private_file import read_private, write_new

FORMAT: Final = "cuvar-nations-key"
VERSION: Final = 1
_CHECK: Final = b"cuvar nations key check 1"
_BLOCK_SIZE: Final = 8
_SALT: Final = 16
_NONCE: Final = 12


def create_nations_key(
    path: Path,
    passphrase: str,
    *,
    key: bytes | None = None,
    work: Work = DEFAULT_WORK,
    random: Callable[[int], bytes] = urandom,
) -> str:
    """Draw a key, or seal one that another nation handed over; its check value.

    Raises:
        KeyringError: a file stands there, or can't be written.
        LinkageError: the passphrase is too short, or the cost outside what is accepted.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise LinkageError(f"the passphrase needs at least {SHORTEST_PASSPHRASE} characters")
    if not work.accepted:
        raise LinkageError("these scrypt parameters are outside what a key file may have")
    secret = random(KEY_BYTES) if key is None else key
    members: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "check": check_value(secret),
        "kdf": {"name": "scrypt", "n": work.n, "p": work.p, "salt": _text(random(_SALT))},
        "nonce": _text(random(_NONCE)),
    }
    cipher = AESGCM(_stretched(members, passphrase))
    sealed = cipher.encrypt(_bytes(members["nonce"]), secret, _canonical(members))
    document = json.dumps(members | {"sealed": _text(sealed)}, indent=1, sort_keys=True)
    write_new(path, document.encode() + b"\n")
    return check_value(secret)


def read_nations_key(path: Path, passphrase: str) -> bytes:
    """The key of a file.

    Raises:
        KeyringError: the file is missing, or open to others.
        LinkageError: it is damaged, of another version, or the passphrase another.
    """
    content = read_private(path)
    try:
        members = json.loads(content)
        sealed = _bytes(members.pop("sealed"))
        _require_known(members)
        key = AESGCM(_stretched(members, passphrase)).decrypt(
            _bytes(members["nonce"]), sealed, _canonical(members)
        )
    except InvalidTag:
        raise LinkageError(
            f"the passphrase does not open {path.name}, or the file was changed"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise LinkageError(
            f"{path.name} is no nations' key of version {VERSION}; restore it from its backup"
        ) from None
    if len(key) != KEY_BYTES:
        raise LinkageError(f"{path.name} holds no key of {KEY_BYTES} bytes; restore it")
    return key


def check_value(key: bytes) -> str:
    """Sixteen hex digits by which nations tell that they hold the same key."""
    return expand(key, _CHECK)[:8].hex()


def _require_known(members: dict[str, Any]) -> None:
    kdf = members["kdf"]
    known = (members["format"], members["version"], kdf["name"]) == (FORMAT, VERSION, "scrypt")
    if not known or not Work(kdf["n"], kdf["p"]).accepted:
        raise ValueError


def _stretched(members: dict[str, Any], passphrase: str) -> bytes:
    kdf = members["kdf"]
    salt = _bytes(kdf["salt"])
    stretch = Scrypt(salt=salt, length=KEY_BYTES, n=kdf["n"], r=_BLOCK_SIZE, p=kdf["p"])
    return stretch.derive(passphrase.encode())


def _canonical(members: dict[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
