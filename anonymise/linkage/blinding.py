# SPDX-License-Identifier: EUPL-1.2
"""Keys blinded twice, by two parties, so that neither alone can test a name or a date.

A nation's side blinds each key under the nations' key, which the gateway never holds
(`HmacBlinder`), or lets the key holder do so without seeing it (`oprf.OprfBlinder`). The gateway
blinds what it gets once more under its own pepper (`Pepper`) before it looks up or stores. The
space of names and dates is small enough to be tried out within hours by whoever holds both keys;
whoever holds one can try nothing. docs/formats/linkage-index-file.md section 3; matching.md 5.3.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

from anonymise.domain import EPOCH
from anonymise.errors import LinkageError
from anonymise.keyring.derivation import KEY_BYTES, expand
from anonymise.linkage.keys import Key, KeyKind

BLIND_BYTES: Final = 32
STORED_BYTES: Final = 16
_NATIONS: Final = "cuvar linkage nations 1"
_PEPPER: Final = "cuvar linkage pepper 1"
_BLOCK: Final = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


@dataclass(frozen=True, slots=True)
class BlindKey:
    """A key that only its kind is still told of.

    Attributes:
        kind: What the key was made of; the weight of an agreement depends on it.
        value: 32 bytes.

    Raises:
        LinkageError: the value is no 32 bytes.
    """

    kind: KeyKind
    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != BLIND_BYTES:
            raise LinkageError(f"a blind key has {BLIND_BYTES} bytes; blind the keys again")

    def __repr__(self) -> str:
        return f"BlindKey({self.kind}, value redacted)"


class Blinder(Protocol):
    """The nations' half of the blinding; one epoch's."""

    @property
    def epoch(self) -> str:
        """The quarter whose index its values belong to."""

    def blind(self, keys: Sequence[Key]) -> list[BlindKey]:
        """The blind keys, in the order of the keys.

        Raises:
            LinkageError: they can't be blinded now.
        """


class HmacBlinder:
    """HMAC-SHA256 under the nations' key of one epoch; the first implementation.

    Args:
        key: The nations' key, 32 bytes.
        epoch: A quarter, "2027q1".

    Raises:
        LinkageError: the key or the epoch is none.
    """

    __slots__ = ("_mac", "epoch")

    def __init__(self, key: bytes, epoch: str) -> None:
        self._mac = keyed_hash(key, _NATIONS, epoch)
        self.epoch = epoch

    def blind(self, keys: Sequence[Key]) -> list[BlindKey]:
        """The blind keys, in the order of the keys."""
        values = self._mac(key.encoded() for key in keys)
        return [BlindKey(key.kind, value) for key, value in zip(keys, values, strict=True)]

    def values(self, encoded: Iterable[bytes]) -> list[bytes]:
        """The values of many keys that are encoded already; for the building of an index."""
        return self._mac(encoded)

    def __repr__(self) -> str:
        return f"HmacBlinder({self.epoch}, key redacted)"

    def __reduce__(self) -> NoReturn:
        raise LinkageError("a blinder holds the nations' key and is never serialised")


class Pepper:
    """The gateway's half of the blinding; one epoch's, drawn at random for it alone.

    The kind is bound in, so that a weak key can't be passed off as a strong one, and the index
    need not tell it.

    Args:
        key: 32 bytes that no nation and no key holder has.
        epoch: A quarter.

    Raises:
        LinkageError: the key or the epoch is none.
    """

    __slots__ = ("_key", "_mac", "epoch")

    def __init__(self, key: bytes, epoch: str) -> None:
        self._mac = keyed_hash(key, _PEPPER, epoch)
        self._key, self.epoch = key, epoch

    @property
    def secret(self) -> tuple[bytes, str]:
        """What another process of this gateway makes the same pepper of."""
        return self._key, self.epoch

    def stored(self, key: BlindKey) -> bytes:
        """What the index holds for a blind key: 16 bytes."""
        return self._mac((key.kind.encode() + b"\0" + key.value,))[0][:STORED_BYTES]

    def stored_all(self, messages: Iterable[bytes]) -> list[bytes]:
        """The same for many, each the kind, a zero byte and the value; uncut, 32 bytes."""
        return self._mac(messages)

    def __repr__(self) -> str:
        return f"Pepper({self.epoch}, key redacted)"

    def __reduce__(self) -> NoReturn:
        raise LinkageError("a pepper is never serialised")


def keyed_hash(key: bytes, label: str, epoch: str) -> Callable[[Iterable[bytes]], list[bytes]]:
    """HMAC-SHA256 (RFC 2104) of many messages under the key of one use and epoch.

    The two blocks of key are hashed once and copied, which takes a third of a call of `hmac`.

    Raises:
        LinkageError: the key is no 32 bytes, or the epoch no quarter.
    """
    if len(key) != KEY_BYTES:
        raise LinkageError(f"a key of linkage has {KEY_BYTES} bytes; make one with `cuvar index`")
    if not EPOCH.fullmatch(epoch):
        raise LinkageError("the epoch of an index is a quarter, written like 2027q1")
    own = expand(key, b"".join(_prefixed(text) for text in (label, epoch))).ljust(_BLOCK, b"\0")
    inner, outer = hashlib.sha256(own.translate(_INNER)), hashlib.sha256(own.translate(_OUTER))

    def hashed(messages: Iterable[bytes]) -> list[bytes]:
        done = []
        for message in messages:
            first, second = inner.copy(), outer.copy()
            first.update(message)
            second.update(first.digest())
            done.append(second.digest())
        return done

    return hashed


def _prefixed(text: str) -> bytes:
    part = text.encode()
    return len(part).to_bytes(2, "big") + part
