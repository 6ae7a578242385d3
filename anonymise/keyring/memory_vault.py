# SPDX-License-Identifier: EUPL-1.2
"""Roots in this process's memory: what an opened keyset file is, and all that tests need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from os import urandom
from typing import NoReturn, Self

from anonymise.errors import KeyringError
from anonymise.keyring.derivation import KEY_BYTES, expand
from anonymise.keyring.root import FIRST_EPOCH, Register, Root, RootState, sound


@dataclass(frozen=True, slots=True)
class HeldRoot:
    """A root and its secret of 32 bytes, None once destroyed."""

    root: Root
    secret: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyset:
    """All that a keyset file holds.

    Attributes:
        roots: By country, oldest first.
        service: The gateway's own secret.
        custodians: Name to public key, base64.
    """

    roots: Mapping[str, tuple[HeldRoot, ...]]
    service: bytes = field(repr=False)
    custodians: Mapping[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether a reader may accept it: each country's roots fit, and destroyed ones are gone."""
        return bool(self.roots) and all(
            sound(country, [one.root for one in held])
            and all((one.secret is None) is (one.root.state is RootState.DESTROYED) for one in held)
            for country, held in self.roots.items()
        )

    @property
    def register(self) -> Register:
        """The roots without their secrets."""
        return {country: tuple(one.root for one in held) for country, held in self.roots.items()}

    def with_root(self, root: Root, secret: bytes) -> "Keyset":
        """The keyset with a new active root; the one before is retired."""
        before = tuple(
            replace(one, root=replace(one.root, state=RootState.RETIRED))
            if one.root.state is RootState.ACTIVE
            else one
            for one in self.roots.get(root.country, ())
        )
        return replace(self, roots={**self.roots, root.country: (*before, HeldRoot(root, secret))})

    def without_secret(self, root: Root) -> "Keyset":
        """The keyset with one root destroyed."""
        held = tuple(
            HeldRoot(replace(one.root, state=RootState.DESTROYED), None)
            if one.root.version == root.version
            else one
            for one in self.roots[root.country]
        )
        return replace(self, roots={**self.roots, root.country: held})


class MemoryVault:
    """A vault over a `Keyset`; `_keyset` is replaced whole, and only by `_change`."""

    __slots__ = ("_keyset", "_random")

    def __init__(self, keyset: Keyset, random: Callable[[int], bytes] = urandom) -> None:
        """`random` is the source of new secrets, n -> n bytes."""
        self._keyset = keyset
        self._random = random

    @classmethod
    def of(cls, secrets: Mapping[str, bytes]) -> Self:
        """One active root a country, with these secrets."""
        roots = {
            country: (HeldRoot(Root(country, 1, FIRST_EPOCH, RootState.ACTIVE), secret),)
            for country, secret in secrets.items()
        }
        return cls(Keyset(roots, urandom(KEY_BYTES)))

    @property
    def register(self) -> Register:
        """Every root, by country."""
        return self._keyset.register

    @property
    def custodians(self) -> Mapping[str, str]:
        """Name to public key."""
        return self._keyset.custodians

    def expand(self, root: Root, info: bytes) -> bytes:
        """32 bytes under one root.

        Raises:
            KeyringError: its secret is not here.
        """
        held = self._keyset.roots.get(root.country, ())
        secret = held[root.version - 1].secret if root.version <= len(held) else None
        if secret is None:
            raise KeyringError("the root key is not here any more; see `cuvar keys status`")
        return expand(secret, info)

    def expand_service(self, info: bytes) -> bytes:
        """32 bytes under the gateway's own secret."""
        return expand(self._keyset.service, info)

    def make(self, root: Root) -> None:
        """A fresh secret for this root."""
        self._change(lambda keyset: keyset.with_root(root, self._random(KEY_BYTES)))

    def destroy(self, root: Root) -> None:
        """Drop the secret of this root."""
        self._change(lambda keyset: keyset.without_secret(root))

    def appoint(self, custodians: Mapping[str, str]) -> None:
        """Replace the custodians."""
        self._change(lambda keyset: replace(keyset, custodians=dict(custodians)))

    def reread(self) -> bool:
        """Nobody else can change it."""
        return False

    def close(self) -> None:
        """Forget everything."""
        self._keyset = Keyset({}, b"")

    def _change(self, change: Callable[[Keyset], Keyset]) -> None:
        self._keyset = change(self._keyset)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(sorted(self._keyset.roots))}; keys redacted)"

    def __reduce__(self) -> NoReturn:
        raise KeyringError("a vault holds keys and is never serialised outside its keyset file")
