# SPDX-License-Identifier: EUPL-1.2
"""Key files: the log's signing key, the keys of data-protection officers and of witnesses.

One line of text each (docs/formats/log.md, section 7), so that a person can carry and compare
them. Private files are made once, readable by their owner only, and refused when others can
read them; nothing is ever overwritten.

    cuvar-log-key-1 <prefix>/<country> <base64 of the 32-byte Ed25519 seed>
    cuvar-dpo-private-1 <key id> <base64 of the 32-byte X25519 key>
    cuvar-dpo-public-1 <key id> <base64 of the 32-byte X25519 key>
    cuvar-witness-key-1 <name> <base64 of the 32-byte Ed25519 seed>
    cuvar-witness-mldsa-key-1 <name> <base64 of the 32-byte ML-DSA-44 seed>
"""

import base64
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from audit.cosigner import Cosigner
from audit.errors import KeyFileError, NoteError
from audit.logkey import LogKey
from audit.note import check_name, strict_base64

_LOG = "cuvar-log-key-1"
_PRIVATE = "cuvar-dpo-private-1"
_PUBLIC = "cuvar-dpo-public-1"
_WITNESS = "cuvar-witness-key-1"
_WITNESS_MLDSA = "cuvar-witness-mldsa-key-1"
_KEY_BYTES = 32
_LARGEST = 4096
_OTHERS = 0o077


def create_log_key(path: Path, name: str) -> LogKey:
    """Make the signing key of one country's logs, named `<prefix>/<country>`.

    Raises:
        KeyFileError: the file exists or can't be written.
        NoteError: the name is none.
    """
    key = LogKey(check_name(name), Ed25519PrivateKey.generate())
    _write(path, _LOG, name, key.private.private_bytes_raw(), private=True)
    return key


def read_log_key(path: Path) -> LogKey:
    """Read a signing key of logs.

    Raises:
        KeyFileError: missing, malformed, or readable by others.
    """
    name, key = _read(path, _LOG, private=True)
    return LogKey(name, Ed25519PrivateKey.from_private_bytes(key))


def create_cosigner(path: Path, name: str, mldsa: Path | None = None) -> Cosigner:
    """Make a witness's signing key, and a second one of type ML-DSA-44 if a path is given for it.

    Raises:
        KeyFileError: a file exists or can't be written.
        NoteError: the name is no key name.
    """
    second = MLDSA44PrivateKey.generate() if mldsa else None
    cosigner = Cosigner(name, Ed25519PrivateKey.generate(), second)
    _write(path, _WITNESS, name, cosigner.private.private_bytes_raw(), private=True)
    if mldsa is not None and second is not None:
        _write(mldsa, _WITNESS_MLDSA, name, second.private_bytes_raw(), private=True)
    return cosigner


def read_cosigner(path: Path, mldsa: Path | None = None) -> Cosigner:
    """Read a witness's signing key, and the second one if there is a path for it.

    Raises:
        KeyFileError: missing, malformed, readable by others, or of two names.
        NoteError: its name is no key name.
    """
    name, key = _read(path, _WITNESS, private=True)
    second = None
    if mldsa is not None:
        other, seed = _read(mldsa, _WITNESS_MLDSA, private=True)
        if other != name:
            raise KeyFileError(f"{path.name} and {mldsa.name} are of two witnesses")
        second = MLDSA44PrivateKey.from_seed_bytes(seed)
    return Cosigner(name, Ed25519PrivateKey.from_private_bytes(key), second)


def create_dpo_key(private: Path, public: Path, key_id: str) -> None:
    """Make an officer's key pair; the public half goes to the gateway's operator.

    Raises:
        KeyFileError: a file exists or can't be written.
    """
    key = X25519PrivateKey.generate()
    _write(private, _PRIVATE, key_id, key.private_bytes_raw(), private=True)
    _write(public, _PUBLIC, key_id, key.public_key().public_bytes_raw(), private=False)


def read_private_key(path: Path) -> X25519PrivateKey:
    """Read an officer's private key.

    Raises:
        KeyFileError: missing, malformed, or readable by others.
    """
    return X25519PrivateKey.from_private_bytes(_read(path, _PRIVATE, private=True)[1])


def read_public_key(path: Path) -> X25519PublicKey:
    """Read an officer's public key.

    Raises:
        KeyFileError: missing or malformed.
    """
    return X25519PublicKey.from_public_bytes(_read(path, _PUBLIC, private=False)[1])


def _write(path: Path, kind: str, name: str, key: bytes, *, private: bool) -> None:
    mode = 0o600 if private else 0o644
    text = f"{kind} {name} {base64.b64encode(key).decode('ascii')}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise KeyFileError(f"{path.name} exists; a key is never overwritten") from None
    except OSError:
        raise KeyFileError(f"{path.name} can't be written; check its folder") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, kind: str, *, private: bool) -> tuple[str, bytes]:
    try:
        with path.open("rb") as file:
            if private and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise KeyFileError(f"{path.name} is readable by others; chmod 600 it")
            text = file.read(_LARGEST)
    except OSError:
        raise KeyFileError(f"{path.name} can't be read; check its name and permissions") from None
    try:
        found, name, encoded = text.decode("ascii").removesuffix("\n").split(" ")
        key = strict_base64(encoded.encode("ascii"))
    except (ValueError, NoteError):
        raise KeyFileError(f"{path.name} is no key file of this format") from None
    if found != kind or len(key) != _KEY_BYTES:
        raise KeyFileError(f"{path.name} is another kind of key; {kind} is needed here")
    return name, key
