# SPDX-License-Identifier: EUPL-1.2
"""The keys of rule signers: P-256 in PEM files, one a country or international body.

The public half is pinned in `[policies.keys]` under the signer's name; nothing in a rule folder
can bring a key of its own. The private half is made once, readable by its owner only, and stays
with the ministry: no gateway needs it.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk
from jose.backends.base import Key

from gateway.errors import GatewayError
from gateway.identity.compact import ALGORITHM
from policies.manifest import SIGNER

__all__ = [
    "PinnedKeys",
    "RuleKeyError",
    "create_key_pair",
    "fingerprint",
    "key_files",
    "public_half",
    "read_pinned",
    "read_private",
]

PinnedKeys = Mapping[str, Key]
"""Signer → key that verifies for it; the signers are exactly the parts besides `common`."""
_OTHERS: Final = 0o077
_LARGEST: Final = 4096


class RuleKeyError(GatewayError):
    """A key file of a rule signer can't be used."""


def create_key_pair(signer: str, private: Path, public: Path) -> str:
    """Make a signer's key pair; gives the fingerprint of its public half.

    Raises:
        RuleKeyError: the name is none of a signer, a file exists or can't be written.
    """
    if SIGNER.fullmatch(signer) is None:
        raise RuleKeyError("a signer is a country (BA) or an international body (INT/UNHCR)")
    key = ec.generate_private_key(ec.SECP256R1())
    _write(
        private,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        0o600,
    )
    _write(
        public,
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        0o644,
    )
    return fingerprint(public_half(read_private(private)))


def read_private(path: Path) -> Key:
    """A signer's private key.

    Raises:
        RuleKeyError: missing, readable by others, or no P-256 key.
    """
    data = _read(path, private=True)
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RuleKeyError(f"{path.name} is no private P-256 key; see `cuvar policy keygen`")
    # cryptography's own key object passes through construct unchanged; the stub does not say so.
    return jwk.construct(key, ALGORITHM)  # type: ignore[arg-type]


def public_half(private: Key) -> Key:
    """The key that verifies what a private one signs."""
    return private.public_key()


def fingerprint(public: Key) -> str:
    """What people compare by eye: the start of the SHA-256 of the key (SubjectPublicKeyInfo)."""
    loaded = serialization.load_pem_public_key(public.to_pem())
    der = loaded.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()[:16]


def read_pinned(paths: Mapping[str, Path]) -> PinnedKeys:
    """The public keys of all signers; two signers may not share one.

    Raises:
        RuleKeyError: a file is missing, no public P-256 key, or pinned twice.
    """
    found: dict[str, Key] = {}
    owners: dict[bytes, str] = {}
    for signer, path in sorted(paths.items()):
        data = _read(path, private=False)
        try:
            key = serialization.load_pem_public_key(data)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise RuleKeyError(f"the key of {signer}: {path.name} is no public P-256 key")
        raw = key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        if raw in owners:
            raise RuleKeyError(
                f"{signer} and {owners[raw]} share one key; each signs with its own alone"
            )
        owners[raw] = signer
        found[signer] = jwk.construct(key, ALGORITHM)  # type: ignore[arg-type]
    return found


def key_files(folder: Path) -> dict[str, Path]:
    """The public key files of a folder by signer: BA.pub, INT/UNHCR.pub.

    Raises:
        RuleKeyError: there is none.
    """
    names = {p.relative_to(folder).with_suffix("").as_posix(): p for p in folder.rglob("*.pub")}
    found = {name: path for name, path in names.items() if SIGNER.fullmatch(name)}
    if not found:
        raise RuleKeyError(f"{folder} holds no key file; BA.pub and INT/UNHCR.pub are looked for")
    return found


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise RuleKeyError(f"{path.name} exists; a key is never overwritten") from None
    except OSError:
        raise RuleKeyError(f"{path.name} can't be written; check its folder") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            if private and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise RuleKeyError(f"{path.name} is readable by others; chmod 600 it")
            return file.read(_LARGEST)
    except OSError:
        raise RuleKeyError(f"{path.name} can't be read; check its name and permissions") from None
