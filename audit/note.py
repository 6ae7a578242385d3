# SPDX-License-Identifier: EUPL-1.2
"""Signed notes (C2SP signed-note v1.0.0): text, empty line, signature lines.

Works on bytes: CRLF, a missing last line feed, unpadded or URL-safe base64 are all refused, so that
a note has one form. Ed25519 note signatures (type 0x01) and timestamped Ed25519 cosignatures
(tlog-cosignature, type 0x04) are understood; lines of unknown keys are skipped, a line of a known
key that does not verify spoils the whole note. Checkpoints and receipts rely on it.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import NoteError

SIGNATURE = 0x01
COSIGNATURE = 0x04
MAX_SIGNATURES = 64
_DASH = "\u2014 ".encode()
_ID_SIZE, _TIME_SIZE, _SIG_SIZE, _KEY_SIZE = 4, 8, 64, 32
_FIRST_PRINTABLE = 0x20


def strict_base64(text: bytes) -> bytes:
    """Decode padded standard base64 in its only canonical form.

    Raises:
        NoteError: any other form, such as URL-safe letters or stray bits.
    """
    try:
        value = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise NoteError("base64 that is not standard and padded") from None
    if base64.b64encode(value) != text:
        raise NoteError("base64 with stray bits")
    return value


def check_name(name: str) -> str:
    """A key name (and log origin): not empty, no space, no plus sign, no control character.

    Raises:
        NoteError: any other text.
    """
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise NoteError("a key name is not empty and has no space, plus sign or control character")
    return name


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:_ID_SIZE]


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key with its name, as a verifier key string (vkey) gives it."""

    name: str
    kind: int
    public: bytes
    key_id: bytes

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read `name+8 hex digits+base64(type, public key)`.

        Raises:
            NoteError: malformed, of an unknown type, or its id does not fit the key.
        """
        name, _, rest = vkey.partition("+")
        digits, _, encoded = rest.partition("+")
        payload = strict_base64(encoded.encode())
        if len(payload) != 1 + _KEY_SIZE or payload[0] not in (SIGNATURE, COSIGNATURE):
            raise NoteError("the verifier key is not an Ed25519 note or cosignature key")
        key_id = _key_id(check_name(name), payload[0], payload[1:])
        if digits != key_id.hex():
            raise NoteError("the verifier key's id does not fit its name and key")
        return cls(name, payload[0], payload[1:], key_id)

    @property
    def vkey(self) -> str:
        """The verifier key string."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, text: bytes, signature: bytes) -> int | None:
        """Check a signature line's payload without its key id.

        Returns:
            The POSIX seconds of a cosignature, None for a plain signature.

        Raises:
            NoteError: the signature does not verify.
        """
        stamp: int | None = None
        if self.kind == COSIGNATURE:
            stamp = int.from_bytes(signature[:_TIME_SIZE], "big")
            signature = signature[_TIME_SIZE:]
            text = b"cosignature/v1\ntime %d\n%b" % (stamp, text)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            raise NoteError(f"the signature of {self.name} does not verify") from None
        return stamp


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """Signs notes under a name; the private key never shows in a repr."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    verifier: NoteVerifier = field(init=False)

    def __post_init__(self) -> None:
        public = self.private.public_key().public_bytes_raw()
        key_id = _key_id(check_name(self.name), SIGNATURE, public)
        verifier = NoteVerifier(self.name, SIGNATURE, public, key_id)
        object.__setattr__(self, "verifier", verifier)

    @property
    def vkey(self) -> str:
        """The verifier key string to hand out."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """The note: this text, which ends in a line feed, with one signature."""
        payload = self.verifier.key_id + self.private.sign(text.encode())
        return f"{text}\n\u2014 {self.name} {base64.b64encode(payload).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line under a note, not yet verified."""

    name: str
    key_id: bytes
    signature: bytes


def split_note(note: bytes) -> tuple[bytes, list[SignatureLine]]:
    """Divide a note at its last empty line.

    Raises:
        NoteError: not a note in its only form.
    """
    if any(c < _FIRST_PRINTABLE and c != ord("\n") for c in note) or not note.endswith(b"\n"):
        raise NoteError("a note has no control character but line feeds, and ends in one")
    try:
        note.decode()
    except UnicodeDecodeError:
        raise NoteError("a note is UTF-8") from None
    text, empty, rest = note.rpartition(b"\n\n")
    lines = rest.splitlines()
    if not empty or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise NoteError(f"a note has an empty line and 1 to {MAX_SIGNATURES} signatures under it")
    return text + b"\n", [_signature_line(line) for line in rest[:-1].split(b"\n")]


def _signature_line(line: bytes) -> SignatureLine:
    name, _, encoded = line.removeprefix(_DASH).partition(b" ")
    if not line.startswith(_DASH):
        raise NoteError("a signature line starts with an em dash and a space")
    payload = strict_base64(encoded)
    if len(payload) <= _ID_SIZE:
        raise NoteError("a signature line is too short")
    return SignatureLine(check_name(name.decode()), payload[:_ID_SIZE], payload[_ID_SIZE:])


def verify_note(note: bytes, verifiers: Sequence[NoteVerifier]) -> tuple[bytes, set[str]]:
    """The text of a note and the names of those of `verifiers` who signed it.

    Raises:
        NoteError: malformed, a known key's signature fails, or no known key signed.
    """
    text, lines = split_note(note)
    known = {(v.name, v.key_id): v for v in verifiers}
    signed = set()
    for line in lines:
        verifier = known.get((line.name, line.key_id))
        if verifier is None:
            continue
        if len(line.signature) != _SIG_SIZE + _TIME_SIZE * (verifier.kind == COSIGNATURE):
            raise NoteError(f"the signature of {line.name} has the wrong length")
        verifier.verify(text, line.signature)
        signed.add(line.name)
    if not signed:
        raise NoteError("no known key signed this note")
    return text, signed
