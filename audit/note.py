# SPDX-License-Identifier: EUPL-1.2
"""Signed notes (C2SP signed-note v1.0.0): text, empty line, signature lines.

Works on bytes: CRLF, a missing last line feed, unpadded or URL-safe base64 are all refused, so that
a note has one form. Ed25519 note signatures (type 0x01) and timestamped cosignatures
(tlog-cosignature, types 0x04 Ed25519 and 0x06 ML-DSA-44) are understood; lines of unknown keys are
skipped, a line of a known key that does not verify spoils the whole note. At least 16 signatures
are taken, and at most 64. Checkpoints, receipts and witnesses rely on it.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import NoteError
from audit.signatures import (
    COSIGNATURE,
    COSIGNATURE_MLDSA,
    COSIGNATURES,
    ID_SIZE,
    KEY_SIZES,
    SIGNATURE,
    key_id,
    strict_base64,
    verified_time,
)

__all__ = [
    "COSIGNATURE",
    "COSIGNATURES",
    "COSIGNATURE_MLDSA",
    "MAX_NOTE",
    "MAX_SIGNATURES",
    "SIGNATURE",
    "NoteSigner",
    "NoteVerifier",
    "OpenedNote",
    "SignatureLine",
    "Signed",
    "check_name",
    "merge_lines",
    "open_note",
    "signature_lines",
    "split_note",
    "strict_base64",
    "verify_note",
]

MAX_SIGNATURES = 64
MAX_NOTE = 1 << 18
_DASH = "\u2014 ".encode()
_FIRST_PRINTABLE = 0x20


def check_name(name: str) -> str:
    """A key name (and log origin): not empty, no space, no plus sign, no control character.

    Raises:
        NoteError: any other text.
    """
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise NoteError("a key name is not empty and has no space, plus sign or control character")
    return name


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
        check_name(name)
        payload = strict_base64(encoded.encode("utf-8", "replace"))
        kind = payload[0] if payload else 0
        if len(payload) != 1 + KEY_SIZES.get(kind, -1):
            raise NoteError("the verifier key is no Ed25519 or ML-DSA-44 note or cosignature key")
        verifier = cls.of(name, kind, payload[1:])
        if digits != verifier.key_id.hex():
            raise NoteError("the verifier key's id does not fit its name and key")
        return verifier

    @classmethod
    def of(cls, name: str, kind: int, public: bytes) -> Self:
        """The verifier of a public key of this type under this name.

        Raises:
            NoteError: the name is no key name.
        """
        return cls(name, kind, public, key_id(check_name(name), kind, public))

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
        return verified_time(self.kind, self.public, self.name, text, signature)


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """Signs notes under a name; the private key never shows in a repr."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    verifier: NoteVerifier = field(init=False)

    def __post_init__(self) -> None:
        public = self.private.public_key().public_bytes_raw()
        object.__setattr__(self, "verifier", NoteVerifier.of(self.name, SIGNATURE, public))

    @property
    def vkey(self) -> str:
        """The verifier key string to hand out."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """The note: this text, which ends in a line feed, with one signature."""
        line = SignatureLine(self.name, self.verifier.key_id, self.private.sign(text.encode()))
        return f"{text}\n{line.text}"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line under a note, not yet verified."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line, ending in a line feed."""
        encoded = base64.b64encode(self.key_id + self.signature).decode()
        return f"\u2014 {self.name} {encoded}\n"


def split_note(note: bytes) -> tuple[bytes, list[SignatureLine]]:
    """Divide a note at its last empty line.

    Raises:
        NoteError: not a note in its only form.
    """
    if len(note) > MAX_NOTE:
        raise NoteError(f"a note has at most {MAX_NOTE} bytes")
    _check_bytes(note)
    text, empty, rest = note.rpartition(b"\n\n")
    if not empty:
        raise NoteError("a note has an empty line between its text and its signatures")
    return text + b"\n", _lines(rest)


def signature_lines(data: bytes) -> list[SignatureLine]:
    """Signature lines alone, as a witness answers with.

    Raises:
        NoteError: none, too many, or not in their only form.
    """
    if len(data) > MAX_NOTE:
        raise NoteError(f"signature lines have at most {MAX_NOTE} bytes")
    _check_bytes(data)
    return _lines(data)


def _check_bytes(data: bytes) -> None:
    if any(c < _FIRST_PRINTABLE and c != ord("\n") for c in data) or not data.endswith(b"\n"):
        raise NoteError("a note has no control character but line feeds, and ends in one")
    try:
        data.decode()
    except UnicodeDecodeError:
        raise NoteError("a note is UTF-8") from None


def _lines(data: bytes) -> list[SignatureLine]:
    lines = data[:-1].split(b"\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note has 1 to {MAX_SIGNATURES} signatures under its text")
    return [_signature_line(line) for line in lines]


def _signature_line(line: bytes) -> SignatureLine:
    name, _, encoded = line.removeprefix(_DASH).partition(b" ")
    if not line.startswith(_DASH):
        raise NoteError("a signature line starts with an em dash and a space")
    payload = strict_base64(encoded)
    if len(payload) <= ID_SIZE:
        raise NoteError("a signature line is too short")
    return SignatureLine(check_name(name.decode()), payload[:ID_SIZE], payload[ID_SIZE:])


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified line: whose, its time if it is a cosignature, and the line itself."""

    verifier: NoteVerifier
    time: int | None
    line: SignatureLine


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """The text of a note and its verified lines, in their order; at least one."""

    text: bytes
    signed: tuple[Signed, ...]


def open_note(note: bytes, verifiers: Sequence[NoteVerifier]) -> OpenedNote:
    """The text of a note and the lines under it that these keys signed.

    Raises:
        NoteError: malformed, a known key's signature fails, or no known key signed.
    """
    text, lines = split_note(note)
    known = {(v.name, v.key_id): v for v in verifiers}
    signed = tuple(
        Signed(verifier, verifier.verify(text, line.signature), line)
        for line in lines
        if (verifier := known.get((line.name, line.key_id))) is not None
    )
    if not signed:
        raise NoteError("no known key signed this note")
    return OpenedNote(text, signed)


def verify_note(note: bytes, verifiers: Sequence[NoteVerifier]) -> tuple[bytes, set[str]]:
    """The text of a note and the names of those of `verifiers` who signed it.

    Raises:
        NoteError: malformed, a known key's signature fails, or no known key signed.
    """
    opened = open_note(note, verifiers)
    return opened.text, {signed.verifier.name for signed in opened.signed}


def merge_lines(note: str, lines: Iterable[SignatureLine]) -> str:
    """The note with these lines under it too; of one key, the line that comes last stays.

    Raises:
        NoteError: the note is malformed, or too many signatures come together.
    """
    text, present = split_note(note.encode())
    merged = {(line.name, line.key_id): line for line in present}
    merged.update({(line.name, line.key_id): line for line in lines})
    if len(merged) > MAX_SIGNATURES:
        raise NoteError(f"a note has 1 to {MAX_SIGNATURES} signatures under its text")
    return text.decode() + "\n" + "".join(line.text for line in merged.values())
