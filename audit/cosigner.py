# SPDX-License-Identifier: EUPL-1.2
"""A cosigner (C2SP tlog-cosignature v1.1.0-rc.1): whoever signs another's checkpoint with a time.

The Ed25519 line (type 0x04) comes first, as every tool reads it; an ML-DSA-44 line (type 0x06),
which a quantum computer could not forge, may follow. Witnesses rely on it.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from audit.checkpoint import Checkpoint
from audit.errors import NoteError
from audit.note import NoteVerifier, SignatureLine
from audit.signatures import (
    COSIGNATURE,
    COSIGNATURE_MLDSA,
    LATEST_TIME,
    TIME_SIZE,
    ed25519_message,
    mldsa_message,
)


@dataclass(frozen=True, slots=True)
class Cosigner:
    """One cosigner's name and keys; the private keys never show in a repr.

    Attributes:
        name: the key name, such as `witness.example/BA`.
        private: its Ed25519 key; no other cosigner may have the same.
        mldsa: its ML-DSA-44 key, if it has one.
        verifiers: the public halves, Ed25519 first.
    """

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    mldsa: MLDSA44PrivateKey | None = field(default=None, repr=False)
    verifiers: tuple[NoteVerifier, ...] = field(init=False)

    def __post_init__(self) -> None:
        public = self.private.public_key().public_bytes_raw()
        found = [NoteVerifier.of(self.name, COSIGNATURE, public)]
        if self.mldsa is not None:
            second = self.mldsa.public_key().public_bytes_raw()
            found.append(NoteVerifier.of(self.name, COSIGNATURE_MLDSA, second))
        object.__setattr__(self, "verifiers", tuple(found))

    def cosign(self, checkpoint: Checkpoint, stamp: int) -> tuple[SignatureLine, ...]:
        """One line for each key over this checkpoint at this POSIX second.

        Raises:
            NoteError: the time is not positive or beyond 2^63-1, or a name is too long.
        """
        if not 0 < stamp <= LATEST_TIME:
            raise NoteError("a cosignature has a time in seconds since 1970")
        text = checkpoint.text.encode()
        signatures = [self.private.sign(ed25519_message(text, stamp))]
        if self.mldsa is not None:
            signatures.append(self.mldsa.sign(mldsa_message(self.name, text, stamp)))
        time = stamp.to_bytes(TIME_SIZE, "big")
        return tuple(
            SignatureLine(self.name, verifier.key_id, time + signature)
            for verifier, signature in zip(self.verifiers, signatures, strict=True)
        )
