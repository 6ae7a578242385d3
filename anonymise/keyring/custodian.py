# SPDX-License-Identifier: EUPL-1.2
"""The keys of custodians, who approve what is done to root keys; one line of text each.

    cuvar-custodian-key-1 <organisation>/<name> <base64 of the 32-byte Ed25519 seed>
    cuvar-custodian-public-1 <organisation>/<name> <base64 of the 32-byte public key>

A custodian makes the pair, keeps the private half on a medium of his own, and hands over the
public half. docs/formats/keyset.md section 7.
"""

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anonymise.errors import CeremonyError
from anonymise.keyring.ceremony import (
    CUSTODIAN,
    Approval,
    read_statement,
    require_custodians,
    signed_bytes,
)
from anonymise.keyring.private_file import read_private, write_new

_PRIVATE = "cuvar-custodian-key-1"
_PUBLIC = "cuvar-custodian-public-1"
_KEY_BYTES = 32
_LARGEST = 4_096


def create_custodian(name: str, private: Path, public: Path) -> None:
    """Make a custodian's key pair.

    Raises:
        CeremonyError: the name is none, or the public file can't be written.
        KeyringError: a file stands there, or can't be written.
    """
    if not CUSTODIAN.fullmatch(name):
        raise CeremonyError("a custodian is written as an organisation and a name: BA-DPA/ana")
    key = Ed25519PrivateKey.generate()
    write_new(private, _line(_PRIVATE, name, key.private_bytes_raw()))
    try:
        with public.open("xb") as file:
            file.write(_line(_PUBLIC, name, key.public_key().public_bytes_raw()))
    except OSError as error:
        private.unlink()
        raise CeremonyError(f"{public.name} can't be written: {error.strerror}") from None


def read_custodians(paths: Iterable[Path]) -> dict[str, str]:
    """Custodians by name, with their public keys in base64.

    Raises:
        CeremonyError: a file is missing or none, or these can't keep a keyset together.
    """
    found: dict[str, str] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                name, key = _read(_PUBLIC, file.read(_LARGEST), path)
        except OSError:
            raise CeremonyError(f"the custodian's key {path.name} can't be read") from None
        if name in found:
            raise CeremonyError(f"{name} is named twice; a custodian has one key")
        found[name] = base64.b64encode(key).decode()
    if found:
        require_custodians(found)
    return found


def approve(content: bytes, key: Path) -> Approval:
    """A custodian's approval of a statement.

    Raises:
        CeremonyError: it is no statement, or the file no custodian's private key.
        KeyringError: the key file is missing, or readable by others.
    """
    read_statement(content)
    name, seed = _read(_PRIVATE, read_private(key), key)
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(signed_bytes(content))
    return Approval(name, base64.b64encode(signature).decode())


def write_approval(approval: Approval) -> bytes:
    """An approval as a file's content."""
    members = {"custodian": approval.custodian, "signature": approval.signature}
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def read_approval(content: bytes) -> Approval:
    """An approval from a file's content.

    Raises:
        CeremonyError: it is none.
    """
    try:
        members = json.loads(content)
        approval = Approval(members["custodian"], members["signature"])
        if write_approval(approval) == content:
            return approval
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise CeremonyError("an approval file is damaged; let the custodian approve again")


def _line(kind: str, name: str, key: bytes) -> bytes:
    return f"{kind} {name} {base64.b64encode(key).decode()}\n".encode()


def _read(kind: str, content: bytes, path: Path) -> tuple[str, bytes]:
    try:
        found, name, text = content.decode("ascii").removesuffix("\n").split(" ")
        key = base64.b64decode(text, validate=True)
    except ValueError:
        found, name, key = "", "", b""
    whole = found == kind and CUSTODIAN.fullmatch(name) and len(key) == _KEY_BYTES
    if not whole or _line(kind, name, key) != content:
        what = "private" if kind == _PRIVATE else "public"
        raise CeremonyError(
            f"{path.name} is no {what} key of a custodian; see `cuvar keys custodian`"
        )
    return name, key
