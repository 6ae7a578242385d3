# SPDX-License-Identifier: EUPL-1.2
"""Blinding by a key holder who never sees what he blinds: RFC 9497, OPRF(ristretto255, SHA-512).

The client multiplies the hash of its input by a random scalar, the key holder multiplies what it
gets by his key, the client takes its scalar out again (RFC 9497 section 3.3.1). The group is
libsodium's; only hashing to it (RFC 9380 section 5.3.1) is here. Needs the extra `oprf`.
docs/formats/keyholder.md; ADR 0039.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from anonymise.domain import EPOCH
from anonymise.errors import ElementError, LinkageError
from anonymise.linkage.blinding import BLIND_BYTES, BlindKey
from anonymise.linkage.keys import Key

ELEMENT_BYTES: Final = 32
SCALAR_BYTES: Final = 32
SEED_BYTES: Final = 32
AT_ONCE: Final = 16
"""Elements of one request are padded to a multiple of this: their number tells little."""

_CONTEXT: Final = b"OPRFV1-\x00-ristretto255-SHA512"
_UNIFORM: Final = 64
_HASH_BLOCK: Final = 128
_MOST_TRIES: Final = 256
_LONGEST: Final = 2**16 - 1

Evaluate = Callable[[list[bytes]], list[bytes]]
"""Sends blinded elements to the key holder and gives back what he made of them, in order."""


def random_scalar() -> bytes:
    """A scalar that is not zero."""
    scalar: bytes = _sodium().crypto_core_ristretto255_scalar_random()
    return scalar


def blind(data: bytes, scalar: bytes) -> bytes:
    """The blinded element of an input: section 3.3.1, Blind.

    Raises:
        LinkageError: the input is too long, or the scalar is none.
    """
    if len(data) > _LONGEST:
        raise LinkageError("an input of the key holder has at most 65535 bytes")
    return _multiplied(scalar, _hash_to_group(data))


def evaluate(key: bytes, element: bytes) -> bytes:
    """What the key holder makes of a blinded element: section 3.3.1, BlindEvaluate.

    Raises:
        ElementError: it is no element of the group, or the identity.
    """
    return _multiplied(key, element)


def finalize(data: bytes, scalar: bytes, evaluated: bytes) -> bytes:
    """The output of 64 bytes: section 3.3.1, Finalize.

    Raises:
        ElementError: what came back is no element of the group, or the identity.
    """
    sodium = _sodium()
    try:
        inverse = sodium.crypto_core_ristretto255_scalar_invert(scalar)
    except ValueError:
        raise LinkageError("a scalar of the key holder's group is none; blind again") from None
    element = _multiplied(inverse, evaluated)
    return hashlib.sha512(_prefixed(data) + _prefixed(element) + b"Finalize").digest()


def derive_key(seed: bytes, info: bytes) -> bytes:
    """A key holder's key: section 3.2.1, DeriveKeyPair, its secret half.

    Raises:
        LinkageError: the seed has not 32 bytes, or leads to none.
    """
    if len(seed) != SEED_BYTES:
        raise LinkageError("a key holder's seed has 32 bytes; make one with `cuvar keyholder open`")
    material = seed + _prefixed(info)
    for counter in range(_MOST_TRIES):
        uniform = expand(material + bytes([counter]), b"DeriveKeyPair" + _CONTEXT, _UNIFORM)
        scalar: bytes = _sodium().crypto_core_ristretto255_scalar_reduce(uniform)
        if any(scalar):
            return scalar
    raise LinkageError("this seed gives no key; make another")


class OprfBlinder:
    """The second implementation of `Blinder`: the nation learns values, the key holder nothing.

    Args:
        evaluate: Asks the key holder; for the same epoch.
        epoch: A quarter.

    Raises:
        LinkageError: the epoch is none.
    """

    __slots__ = ("_evaluate", "epoch")

    def __init__(self, evaluate: Evaluate, epoch: str) -> None:
        if not EPOCH.fullmatch(epoch):
            raise LinkageError("the epoch of an index is a quarter, written like 2027q1")
        self._evaluate = evaluate
        self.epoch = epoch

    def blind(self, keys: Sequence[Key]) -> list[BlindKey]:
        """The blind keys, in the order of the keys.

        Raises:
            LinkageError: the key holder does not answer, or not as he must.
        """
        inputs = [key.encoded() for key in keys]
        padding = [secrets.token_bytes(SCALAR_BYTES) for _ in range(-len(inputs) % AT_ONCE)]
        scalars = [random_scalar() for _ in (*inputs, *padding)]
        asked = [blind(*pair) for pair in zip([*inputs, *padding], scalars, strict=True)]
        answered = self._evaluate(asked)
        if len(answered) != len(asked):
            raise LinkageError("the key holder left elements out; ask him again")
        return [
            BlindKey(key.kind, finalize(data, scalar, element)[:BLIND_BYTES])
            for key, data, scalar, element in zip(keys, inputs, scalars, answered, strict=False)
        ]

    def __repr__(self) -> str:
        return f"OprfBlinder({self.epoch})"

    def __reduce__(self) -> NoReturn:
        raise LinkageError("a blinder is never serialised")


def expand(data: bytes, domain: bytes, length: int) -> bytes:
    """RFC 9380 section 5.3.1, expand_message_xmd with SHA-512."""
    size = hashlib.sha512().digest_size
    tag = domain + bytes([len(domain)])
    first = hashlib.sha512(bytes(_HASH_BLOCK) + data + length.to_bytes(2, "big") + b"\0" + tag)
    seed = first.digest()
    last, made = bytes(size), b""
    for counter in range(1, -(-length // size) + 1):
        mixed = bytes(one ^ other for one, other in zip(seed, last, strict=True))
        last = hashlib.sha512(mixed + bytes([counter]) + tag).digest()
        made += last
    return made[:length]


def _hash_to_group(data: bytes) -> bytes:
    uniform = expand(data, b"HashToGroup-" + _CONTEXT, _UNIFORM)
    element: bytes = _sodium().crypto_core_ristretto255_from_hash(uniform)
    return element


def _multiplied(scalar: bytes, element: bytes) -> bytes:
    if len(scalar) != SCALAR_BYTES or len(element) != ELEMENT_BYTES:
        raise ElementError("scalars and elements of the key holder's group have 32 bytes")
    try:
        # libsodium refuses what is no canonical encoding, and a product that is the identity.
        product: bytes = _sodium().crypto_scalarmult_ristretto255(scalar, element)
    except ValueError:
        raise ElementError(
            "this is no element of the key holder's group; blind the keys again"
        ) from None
    return product


def _prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part


def _sodium() -> Any:
    try:
        import pysodium
    except (ImportError, ValueError):
        raise LinkageError(
            "the key holder's group needs libsodium and the extra `oprf`: "
            "apt install libsodium23, then pip install 'cuvar[oprf]'"
        ) from None
    return pysodium
