# SPDX-License-Identifier: EUPL-1.2
"""The keyring: one root key a country, from which every pseudonym domain's keys come.

Everybody uses this one interface; where the roots stay is the vault's matter (`FileVault`,
`TokenVault`). Domain keys live in this object only; law rules GDP-31, GDP-33. Knowing the keys of
one domain says nothing about another. ADR 0014, ADR 0030.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import NoReturn

from anonymise.domain import Domain
from anonymise.errors import KeyringError, KeysetUnnamedError
from anonymise.keyring.derivation import (
    CHECK_INFO,
    CODE_LABEL,
    PSEUDONYM_LABEL,
    domain_info,
    service_info,
)
from anonymise.keyring.memory_vault import MemoryVault
from anonymise.keyring.root import (
    Register,
    Root,
    RootState,
    keyset_digest,
    next_root,
    require_serving,
    roots_of,
    serving,
    to_destroy,
)
from anonymise.keyring.vault import Vault
from anonymise.pseudonym import DomainCipher

_CACHED = 1_024
_CHECK_BYTES = 8


class Keyring:
    """An opened keyset. Its repr names countries, never keys; it cannot be pickled.

    Mutable state: `_ciphers`, a bounded cache that `domain_cipher` owns; `_refused`, see `refuse`.
    """

    __slots__ = ("_ciphers", "_refused", "_vault")

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._ciphers: OrderedDict[Domain, DomainCipher] = OrderedDict()
        self._refused: str | None = None

    @classmethod
    def of(cls, secrets: Mapping[str, bytes]) -> "Keyring":
        """A keyring in memory only, one root secret of 32 bytes a country; for tests and trials."""
        return cls(MemoryVault.of(secrets))

    @property
    def countries(self) -> frozenset[str]:
        """The countries that have a root key."""
        return frozenset(self._vault.register)

    @property
    def register(self) -> Register:
        """Every root that there is or was, by country."""
        return self._vault.register

    @property
    def custodians(self) -> Mapping[str, str]:
        """Whose approval a ceremony needs; none in a keyset made for development."""
        return self._vault.custodians

    @property
    def digest(self) -> str:
        """Of roots, custodians and service secret: what approvals are bound to and the log names.

        Raises:
            KeyringError: the vault can't be used now.
        """
        service = self._vault.expand_service(CHECK_INFO)[:_CHECK_BYTES].hex()
        return keyset_digest(self.register, self.custodians, self._check, service)

    def domain(self, country: str, recipient: str, purpose: str, epoch: str) -> Domain:
        """The domain in which pseudonyms of an epoch are issued now.

        Raises:
            UnknownCountryError: the country has no root key.
            RootDestroyedError: the root that served the epoch was destroyed.
            DomainError: a part is malformed.
        """
        roots = roots_of(self.register, country)
        # No root serves what is no epoch; the domain itself says so then.
        versions = [root.version for root in serving(roots, epoch)] or [roots[-1].version]
        domain = Domain(country, recipient, purpose, epoch, versions[0])
        require_serving(roots, epoch, domain.version)
        return domain

    def domains(self, country: str, recipient: str, purpose: str, epoch: str) -> tuple[Domain, ...]:
        """Every domain in which a case number of the epoch can have been issued, newest first.

        More than one only where the root was changed within the epoch; destroyed ones are left out.

        Raises:
            UnknownCountryError: the country has no root key.
            DomainError: a part is malformed.
        """
        asked = Domain(country, recipient, purpose, epoch)
        return tuple(
            Domain(*asked.parts, root.version)
            for root in serving(roots_of(self.register, country), epoch)
            if root.state is not RootState.DESTROYED
        )

    def domain_cipher(self, domain: Domain) -> DomainCipher:
        """The cipher of one domain; cheap enough to ask for at each answer.

        Raises:
            UnknownCountryError: the country has no root key.
            RootDestroyedError, RootNotServingError: the domain's root serves it no more, or never.
            KeysetUnnamedError: this keyset serves nobody until it is known to be the right one.
            KeyringError: the vault can't be used now.
        """
        if self._refused is not None:
            raise KeysetUnnamedError(self._refused)
        known = self._ciphers.get(domain)
        if known is not None:
            self._ciphers.move_to_end(domain)
            return known
        roots = roots_of(self.register, domain.country)
        root = require_serving(roots, domain.epoch, domain.version)
        made = DomainCipher(
            domain,
            self._vault.expand(root, domain_info(domain, PSEUDONYM_LABEL)),
            self._vault.expand(root, domain_info(domain, CODE_LABEL)),
        )
        self._ciphers[domain] = made
        while len(self._ciphers) > _CACHED:
            self._ciphers.popitem(last=False)
        return made

    def service_key(self, label: str) -> bytes:
        """32 bytes for one use of the gateway's own (opaque handles), unlike any domain's key.

        It outlasts rotations and belongs to this keyset alone: another's handles are void.

        Raises:
            KeyringError: the vault can't be used now.
        """
        return self._vault.expand_service(service_info(label))

    def check(self, root: Root) -> str:
        """Sixteen hex digits by which people tell two roots apart; no key can be had from them.

        Raises:
            KeyringError: the vault can't be used now.
        """
        return self._vault.expand(root, CHECK_INFO)[:_CHECK_BYTES].hex()

    def _check(self, root: Root) -> str | None:
        return None if root.state is RootState.DESTROYED else self.check(root)

    def create(self, country: str) -> Root:
        """A first root for one more country.

        Raises:
            KeysetExistsError: it has one.
            KeyringError: it can't be made; nothing was changed.
        """
        return self._make(next_root(self.register, country))

    def rotate(self, country: str, since: str) -> Root:
        """A new root from an epoch on; the one before is retired and keeps its own epochs.

        Raises:
            UnknownCountryError: the country has no root key.
            CeremonyError: the epoch is before the one from which the active root serves.
            KeyringError: it can't be made; nothing was changed.
        """
        return self._make(next_root(self.register, country, since))

    def destroy(self, country: str, version: int, epoch: str) -> Root:
        """Destroy a retired root whose epochs are over at this epoch: nobody goes back any more.

        Raises:
            UnknownCountryError: the country has no root key.
            CeremonyError: there is no such root, or it still serves.
            KeyringError: it can't be destroyed; it is whole.
        """
        self._vault.destroy(to_destroy(self.register, country, version, epoch))
        self._ciphers.clear()
        return roots_of(self.register, country)[version - 1]

    def appoint(self, custodians: Mapping[str, str]) -> None:
        """Replace the custodians.

        Raises:
            KeyringError: they can't be written; the old ones stand.
        """
        self._vault.appoint(custodians)

    def reread(self) -> bool:
        """Take in what a ceremony changed since; whether there was anything. Then `forget`.

        May be called in another thread; it blocks for as long as opening takes.

        Raises:
            KeyringError: it can't be read now; what was read before goes on.
        """
        return self._vault.reread()

    def refuse(self, why: str | None) -> None:
        """Give no domain's keys out from now on, for this reason; None gives them out again."""
        self._refused = why

    def forget(self) -> None:
        """Forget the keys of domains; they are derived again from the roots there are."""
        self._ciphers.clear()

    def close(self) -> None:
        """Forget every key and let go of the vault."""
        self._ciphers.clear()
        self._vault.close()

    def _make(self, root: Root) -> Root:
        self._vault.make(root)
        return roots_of(self.register, root.country)[-1]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(sorted(self.countries))}; keys redacted)"

    def __reduce__(self) -> NoReturn:
        raise KeyringError("a keyring holds keys and is never serialised outside its keyset file")
