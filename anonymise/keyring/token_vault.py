# SPDX-License-Identifier: EUPL-1.2
"""Roots in a PKCS#11 token (v2.40): the backend for production.

A root is a generic secret of 32 bytes that the token draws itself, sensitive and never extractable;
the only thing it does is HMAC-SHA256, which is HKDF's expand step (`derivation`). What a token
holds is read from the labels of its objects: "cuvar root BA 2 since 2027q1", "cuvar service"; data
objects remember destroyed roots and the custodians. Making or destroying one object is one call, so
nothing can be half done. docs/formats/keyset.md section 6. Needs the extra `cuvar[hsm]`.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from anonymise.errors import (
    KeyringError,
    KeysetExistsError,
    KeysetMissingError,
    TokenRefusedError,
    UnknownCountryError,
)
from anonymise.keyring.derivation import KEY_BYTES, first_block
from anonymise.keyring.root import Register, Root, RootState, next_root, sound

# First of the two, for its error when the extra is not installed.
from anonymise.keyring.token_session import TokenSession  # isort: skip
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass  # isort: skip

_ROOT = re.compile(r"cuvar root ([A-Z]{2}) ([1-9][0-9]{0,3}) since ([0-9]{4}q[1-4])")
_SERVICE = "cuvar service"
_CUSTODIANS = "cuvar custodians"
_APPLICATION = "cuvar"
_MUST: Mapping[str, bool] = MappingProxyType(
    {"SENSITIVE": True, "EXTRACTABLE": False, "PRIVATE": True, "SIGN": True}
)
_MUST_NOT = ("VERIFY", "ENCRYPT", "DECRYPT", "WRAP", "UNWRAP", "DERIVE", "MODIFIABLE")


class TokenVault:
    """The vault of one token; what it remembers changes only under the session's lock."""

    __slots__ = ("_handles", "_register", "_token")

    def __init__(self, token: TokenSession) -> None:
        """Use `create` or `open`."""
        self._token = token
        self._register: Register = {}
        self._handles: tuple[Any, dict[str, Any]] = (None, {})

    @classmethod
    def create(cls, module: Path, label: str, pin: str, countries: Collection[str]) -> "TokenVault":
        """Make a root for each country in an initialised token that holds none.

        What an interrupted run made is taken over: the roots are in the token, and only there.

        Raises:
            KeysetExistsError: The token holds a keyset.
            KeyringError: The token can't be used, or no country is named.
        """
        if not countries:
            raise KeyringError("a keyset needs countries, each a code of two capital letters")
        wanted = [next_root({}, country) for country in sorted(set(countries))]
        vault = cls(TokenSession(module, label, pin))
        try:
            vault._fill(wanted)
        except BaseException:
            vault.close()
            raise
        return vault

    @classmethod
    def open(cls, module: Path, label: str, pin: str) -> "TokenVault":
        """Open a token that holds roots.

        Raises:
            KeysetMissingError: There is no such token, or no root in it.
            WrongPassphraseError: The PIN is another one, or is locked.
            TokenRefusedError: A root could leave the token, or its objects contradict each other.
            KeyringError: The token can't be used.
        """
        vault = cls(TokenSession(module, label, pin))
        try:
            vault._read()
        except BaseException:
            vault.close()
            raise
        return vault

    @property
    def register(self) -> Register:
        """Every root, by country."""
        return self._register

    @property
    def custodians(self) -> Mapping[str, str]:
        """Name to public key, as the token holds them."""
        found = self._token.call(_named(ObjectClass.DATA, _CUSTODIANS))
        if not found:
            return {}
        # Two only after a change that was cut off: both sets were approved; the later one counts.
        newest = max((json.loads(one[Attribute.VALUE]) for one in found), key=lambda c: c["number"])
        return {str(name): str(key) for name, key in newest["custodians"].items()}

    def expand(self, root: Root, info: bytes) -> bytes:
        """32 bytes under one root, computed in the token.

        Raises:
            KeyringError: the token can't be used now, or the root is not in it.
        """
        return self._mac(_label(root), info)

    def expand_service(self, info: bytes) -> bytes:
        """32 bytes under the gateway's own secret."""
        return self._mac(_SERVICE, info)

    def make(self, root: Root) -> None:
        """Let the token draw a fresh secret.

        Raises:
            KeyringError: the token refuses, or somebody else changed its roots meanwhile.
        """
        with self._token.alone:
            self._require_unchanged()
            self._token.call(lambda session: _generate(session, _label(root)))
            self._register = self._token.call(_read_register)

    def destroy(self, root: Root) -> None:
        """Let the token destroy a secret; that it was there is remembered first.

        Raises:
            KeyringError: the token refuses; the root is whole.
        """
        with self._token.alone:
            self._require_unchanged()
            label = _label(root)
            if not self._token.call(_named(ObjectClass.DATA, label)):
                self._token.call(lambda session: _remember(session, label, b"destroyed"))
            for key in self._token.call(_named(ObjectClass.SECRET_KEY, label)):
                self._token.call(lambda _session, key=key: key.destroy())  # type: ignore[misc]
            self._handles = (None, {})
            self._register = self._token.call(_read_register)

    def appoint(self, custodians: Mapping[str, str]) -> None:
        """Replace the custodians.

        Raises:
            KeyringError: the token refuses; the old ones stand.
        """
        with self._token.alone:
            before = self._token.call(_named(ObjectClass.DATA, _CUSTODIANS))
            numbers = [json.loads(one[Attribute.VALUE])["number"] for one in before]
            value = {"number": max(numbers, default=0) + 1, "custodians": dict(custodians)}
            content = json.dumps(value, sort_keys=True).encode()
            self._token.call(lambda session: _remember(session, _CUSTODIANS, content))
            for one in before:
                self._token.call(lambda _session, one=one: one.destroy())  # type: ignore[misc]

    def reread(self) -> bool:
        """Take in the token's roots as they are now; whether they changed.

        Raises:
            KeyringError: the token refuses; what was read before goes on.
        """
        with self._token.alone:
            found = self._token.call(_read_register)
            changed = found != self._register
            if changed:
                self._register, self._handles = found, (None, {})
        return changed

    def close(self) -> None:
        """Close the session, and forget the PIN with it."""
        self._token.close()
        self._register, self._handles = {}, (None, {})

    def _fill(self, wanted: Sequence[Root]) -> None:
        if self._token.call(_named(ObjectClass.SECRET_KEY, _SERVICE)):
            raise KeysetExistsError(
                f"the token {self._token.label} holds a keyset already; see `cuvar keys status`"
            )
        self._register = self._token.call(_read_register)
        for root in wanted:
            if root.country not in self._register:
                self.make(root)
        # Last, for its being there says that the keyset is whole.
        self._token.call(lambda session: _generate(session, _SERVICE))

    def _read(self) -> None:
        if not self._token.call(_named(ObjectClass.SECRET_KEY, _SERVICE)):
            raise KeysetMissingError(
                f"the token {self._token.label} holds no keyset; make one with `cuvar keys create`"
            )
        self._register = self._token.call(_read_register)
        self._token.call(_require_kept)

    def _require_unchanged(self) -> None:
        if self._token.call(_read_register) != self._register:
            raise KeyringError(
                "somebody else changed the token meanwhile; nothing was changed, start again"
            )

    def _mac(self, label: str, info: bytes) -> bytes:
        def work(session: Any) -> bytes:
            # Handles belong to a session; looking one up costs ten times the HMAC.
            if self._handles[0] is not session:
                self._handles = (session, {})
            known = self._handles[1]
            if label not in known:
                found = list(session.get_objects(_of(ObjectClass.SECRET_KEY, label)))
                if len(found) != 1:
                    raise UnknownCountryError(
                        f"the token {self._token.label} lacks this root; see `cuvar keys status`"
                    )
                known[label] = found[0]
            return bytes(known[label].sign(first_block(info), mechanism=Mechanism.SHA256_HMAC))

        derived = self._token.call(work)
        if len(derived) != KEY_BYTES:
            raise TokenRefusedError("the token's HMAC-SHA256 is not 32 bytes; it can't be used")
        return derived

    def __repr__(self) -> str:
        held = ", ".join(sorted(self._register))
        return f"TokenVault({self._token.label}: {held}; keys in the token)"

    def __reduce__(self) -> NoReturn:
        raise KeyringError("a vault holds keys and is never serialised")


def _named(kind: ObjectClass, label: str) -> Callable[[Any], list[Any]]:
    return lambda session: list(session.get_objects(_of(kind, label)))


def _of(kind: ObjectClass, label: str) -> dict[Attribute, object]:
    return {Attribute.CLASS: kind, Attribute.LABEL: label}


def _label(root: Root) -> str:
    return f"cuvar root {root.country} {root.version} since {root.since}"


def _generate(session: Any, label: str) -> None:
    template = {getattr(Attribute, name): value for name, value in _MUST.items()}
    template |= {getattr(Attribute, name): False for name in _MUST_NOT}
    key = session.generate_key(
        KeyType.GENERIC_SECRET, KEY_BYTES * 8, label=label, store=True, template=template
    )
    if not _kept(key):
        key.destroy()
        raise TokenRefusedError("the token would let a root key out; it was destroyed, use another")


def _remember(session: Any, label: str, value: bytes) -> None:
    session.create_object(
        {
            **_of(ObjectClass.DATA, label),
            Attribute.APPLICATION: _APPLICATION,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.VALUE: value,
        }
    )


def _kept(key: Any) -> bool:
    """Whether a key can do nothing but HMAC and can't leave."""
    return all(key[getattr(Attribute, name)] is value for name, value in _MUST.items())


def _require_kept(session: Any) -> None:
    for key in session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}):
        label = str(key[Attribute.LABEL])
        if (_ROOT.fullmatch(label) or label == _SERVICE) and not _kept(key):
            raise TokenRefusedError(
                f"{label}: this key can leave the token, so it counts as known; "
                "rotate in a token that keeps its keys"
            )


def _read_register(session: Any) -> Register:
    keys = _roots_among(session, ObjectClass.SECRET_KEY)
    gone = _roots_among(session, ObjectClass.DATA)
    found: dict[str, list[Root]] = {}
    for (country, version), since in sorted({**gone, **keys}.items()):
        newest = max(other for place, other in keys | gone if place == country)
        state = RootState.ACTIVE if version == newest else RootState.RETIRED
        if (country, version) not in keys:
            state = RootState.DESTROYED
        found.setdefault(country, []).append(Root(country, version, since, state))
    for country, roots in found.items():
        if not sound(country, roots):
            raise TokenRefusedError(
                f"the token's roots of {country} contradict each other; restore its own backup"
            )
    return {country: tuple(roots) for country, roots in found.items()}


def _roots_among(session: Any, kind: ObjectClass) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    for item in session.get_objects({Attribute.CLASS: kind}):
        match = _ROOT.fullmatch(str(item[Attribute.LABEL]))
        if match is None:
            continue
        place = (match[1], int(match[2]))
        if place in found:
            raise TokenRefusedError(f"the token holds two root keys {match[2]} of {match[1]}")
        found[place] = match[3]
    return found
