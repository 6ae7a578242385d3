# SPDX-License-Identifier: EUPL-1.2
"""What the tests of witnesses are made of: trees, checkpoints, cosigners from fixed seeds."""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from audit.checkpoint import Checkpoint
from audit.cosigner import Cosigner
from audit.note import NoteSigner, merge_lines
from audit.witness import AddCheckpoint, Book, Witness, parse_trusted
from tests.audit.making import NOON, seeded

LOG = NoteSigner("audit.example/test", Ed25519PrivateKey.from_private_bytes(seeded("log")))
TIME = 1_700_000_000  # of the published vectors
NOW = int(NOON.timestamp())


def cosigner(number, *, mldsa=False):
    """Witness `number`: `witness.example/w<number>`."""
    seed = seeded(f"witness-{number}")
    second = MLDSA44PrivateKey.from_seed_bytes(seeded(f"witness-{number} ML-DSA"))
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return Cosigner(f"witness.example/w{number}", key, second if mldsa else None)


class Tree:
    """RFC 6962 by its definitions, as slow as they are; `fork` changes every leaf from there on."""

    def __init__(self, fork=None):
        self.fork = fork
        self.hash = lru_cache(None)(self._hash)

    def leaf(self, index):
        changed = self.fork is not None and index >= self.fork
        return hashlib.sha256(b"\0" + f"{'other' if changed else 'entry'}-{index}\n".encode())

    def _hash(self, start, stop):
        if stop == start:
            return hashlib.sha256().digest()
        if stop - start == 1:
            return self.leaf(start).digest()
        middle = start + split(stop - start)
        both = self.hash(start, middle) + self.hash(middle, stop)
        return hashlib.sha256(b"\1" + both).digest()

    def root(self, size):
        return self.hash(0, size)

    def proof(self, old, new):
        """PROOF(old, D[new]) of RFC 6962, 2.1.2; empty where old is 0 or new."""
        return self._subproof(old, 0, new, whole=True) if 0 < old < new else []

    def _subproof(self, old, start, stop, *, whole):
        if old == stop - start:
            return [] if whole else [self.hash(start, stop)]
        middle = split(stop - start)
        if old <= middle:
            rest = self._subproof(old, start, start + middle, whole=whole)
            return [*rest, self.hash(start + middle, stop)]
        rest = self._subproof(old - middle, start + middle, stop, whole=False)
        return [*rest, self.hash(start, start + middle)]

    def path(self, index, size):
        """PATH(index, D[size]) of RFC 6962, 2.1.1."""
        start, stop, found = 0, size, []
        while stop - start > 1:
            middle = start + split(stop - start)
            if index < middle:
                found.append(self.hash(middle, stop))
                stop = middle
            else:
                found.append(self.hash(start, middle))
                start = middle
        return found[::-1]

    def checkpoint(self, size):
        return Checkpoint(LOG.name, size, self.root(size))

    def note(self, size, signer=LOG):
        return Checkpoint(signer.name, size, self.root(size)).sign(signer)

    def submission(self, old, new, signer=LOG):
        return AddCheckpoint(old, tuple(self.proof(old, new)), self.note(new, signer).encode()).body


def split(size):
    """The largest power of two below a size of at least two."""
    return 1 << ((size - 1).bit_length() - 1)


def cosigned(checkpoint, *cosigners, signer=LOG):
    """The checkpoint signed by the log, with the lines of these, a second apart."""
    lines = [
        line for later, who in enumerate(cosigners) for line in who.cosign(checkpoint, TIME + later)
    ]
    return merge_lines(checkpoint.sign(signer), lines)


class Seconds:
    """A clock that stands until it is turned."""

    def __init__(self, now=TIME):
        self.now = now

    def __call__(self):
        return datetime.fromtimestamp(self.now, UTC)


TRUSTED = parse_trusted(f"log {LOG.vkey}\n".encode())


def witness_at(path, *, book=None, who=None, trusted=TRUSTED, clock=None):
    """A witness with its memory in a file, made if it is not there."""
    if book is None:
        if not path.exists():
            Book.create(path)
        book = Book.open(path)
    return Witness(who or cosigner(1), lambda: trusted, book, clock or Seconds())
