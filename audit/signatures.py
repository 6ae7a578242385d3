# SPDX-License-Identifier: EUPL-1.2
"""What each type of signature under a note signs, and how it is checked.

Types of C2SP signed-note v1.0.0 and tlog-cosignature v1.1.0-rc.1 that the log uses: 0x01 Ed25519
over the text; 0x04 Ed25519 over time and text; 0x06 ML-DSA-44 over cosigner, time, origin, size and
root. The last two are cosignatures: "at this time the largest consistent tree that I saw for this
origin has this root". `audit.note` and `audit.cosigner` rely on it.
"""

import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from audit.errors import NoteError

SIGNATURE: Final = 0x01
COSIGNATURE: Final = 0x04
COSIGNATURE_MLDSA: Final = 0x06
COSIGNATURES: Final = frozenset({COSIGNATURE, COSIGNATURE_MLDSA})

ID_SIZE: Final = 4
TIME_SIZE: Final = 8
LATEST_TIME: Final = (1 << 63) - 1
KEY_SIZES: Final = {SIGNATURE: 32, COSIGNATURE: 32, COSIGNATURE_MLDSA: 1312}
SIGNATURE_SIZES: Final = {SIGNATURE: 64, COSIGNATURE: 72, COSIGNATURE_MLDSA: 2428}

_LABEL = b"subtree/v1\n\x00"
_LONGEST_NAME = 255
_SIZE = re.compile(rb"0|[1-9][0-9]{0,18}")
_ROOT = 32


def strict_base64(text: bytes) -> bytes:
    """Decode padded standard base64 in its only canonical form.

    Raises:
        NoteError: any other form, such as URL-safe letters or stray bits.
    """
    try:
        value = b64decode(text, validate=True)
    except binascii.Error:
        raise NoteError("base64 that is not standard and padded") from None
    if b64encode(value) != text:
        raise NoteError("base64 with stray bits")
    return value


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The first four bytes of SHA-256 over name, line feed, type and public key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:ID_SIZE]


def ed25519_message(text: bytes, stamp: int) -> bytes:
    """What a cosignature of type 0x04 signs: the whole checkpoint text under its time."""
    return b"cosignature/v1\ntime %d\n%b" % (stamp, text)


def mldsa_message(name: str, text: bytes, stamp: int) -> bytes:
    """What a cosignature of type 0x06 signs: names, time, size and root; no extension line.

    Raises:
        NoteError: the text is no checkpoint, or a name has more than 255 bytes.
    """
    origin, _, rest = text.partition(b"\n")
    size, _, rest = rest.partition(b"\n")
    root = strict_base64(rest.partition(b"\n")[0])
    cosigner = name.encode()
    if not _SIZE.fullmatch(size) or len(root) != _ROOT:
        raise NoteError("this type of cosignature stands under a checkpoint only")
    if not (1 <= len(origin) <= _LONGEST_NAME and 1 <= len(cosigner) <= _LONGEST_NAME):
        raise NoteError("origin and cosigner have 1 to 255 bytes each")
    return b"".join(
        (
            _LABEL,
            bytes([len(cosigner)]), cosigner,
            stamp.to_bytes(TIME_SIZE, "big"),
            bytes([len(origin)]), origin,
            bytes(8), int(size).to_bytes(8, "big"),
            root,
        )
    )  # fmt: skip


def verified_time(kind: int, public: bytes, name: str, text: bytes, payload: bytes) -> int | None:
    """Check a signature line's payload without its key id.

    Returns:
        The POSIX seconds of a cosignature, None for a plain signature.

    Raises:
        NoteError: the signature does not verify.
    """
    if len(payload) != SIGNATURE_SIZES[kind]:
        raise NoteError(f"the signature of {name} has the wrong length")
    try:
        if kind == SIGNATURE:
            Ed25519PublicKey.from_public_bytes(public).verify(payload, text)
            return None
        stamp = int.from_bytes(payload[:TIME_SIZE], "big")
        if stamp > LATEST_TIME:
            raise NoteError(f"the cosignature of {name} has a time beyond 2^63-1")
        signature = payload[TIME_SIZE:]
        if kind == COSIGNATURE:
            message = ed25519_message(text, stamp)
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        else:
            message = mldsa_message(name, text, stamp)
            MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise NoteError(f"the signature of {name} does not verify") from None
    except ValueError:
        raise NoteError(f"the key of {name} is no key of its type") from None
    return stamp
