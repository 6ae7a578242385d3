# SPDX-License-Identifier: EUPL-1.2
"""The keyring behind pseudonyms, from the settings: which vault, and what opens it."""

import asyncio
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from anonymise import AnonymiseError, Keyring
from anonymise.errors import KeysetMissingError
from anonymise.keyring import create_file, create_token, open_file, open_token
from audit import AuditError
from gateway.errors import GatewayError
from gateway.logs import Event, EventLog
from gateway.settings import Settings


class OpeningError(GatewayError):
    """A part can't be opened for a reason of its own settings."""


def open_keyring(settings: Settings) -> Keyring:
    """The keyring of the settings.

    Raises:
        AnonymiseError: missing, damaged, or the passphrase or PIN is wrong.
        OpeningError: the passphrase or PIN can't be read.
    """
    keys = settings.keys
    if keys.token is not None:
        return open_token(keys.token.module, keys.token.label, passphrase(settings))
    return open_file(_keyset(settings), passphrase(settings))


def existing_keyring(settings: Settings) -> Keyring | None:
    """The same, None where none was made yet.

    Raises:
        AnonymiseError: damaged, or the passphrase or PIN is wrong.
        OpeningError: the passphrase or PIN can't be read.
    """
    try:
        return open_keyring(settings)
    except KeysetMissingError:
        return None


@dataclass(slots=True)
class FollowedKeyring:
    """A running gateway's keyring: a root that was destroyed serves no longer than `every_s`.

    A keyset that the log does not name serves nobody: no coded row, no number turned back. `well`
    says whether the last look could be had and found the keyset named; without one, what was read
    before goes on.

    Attributes:
        keyring: opened.
        every_s: how often it looks.
        unnamed: why the keyset is not the one that the log names, None where it is; blocking.
    """

    keyring: Keyring
    every_s: float
    unnamed: Callable[[Keyring], str | None]
    well: bool = True
    why: str | None = None

    async def first(self) -> str | None:
        """Whether the log names the keyset, before the first question; why it does not.

        Raises:
            AuditError: the log can't be read.
            AnonymiseError: the keyset can't be used.
        """
        self.why = await asyncio.to_thread(self.unnamed, self.keyring)
        self.keyring.refuse(self.why)
        self.well = self.why is None
        return self.why

    async def keep(self, events: EventLog) -> None:
        """Look until cancelled; says when the log names the keyset no more."""
        while True:
            await asyncio.sleep(self.every_s)
            named = self.why is None
            await self.look()
            if named and self.why is not None:
                events.warning(Event.KEYSET_UNNAMED)

    async def look(self) -> None:
        """Take in what ceremonies changed, and whether the log names it."""
        try:
            if await asyncio.to_thread(self.keyring.reread):
                self.keyring.forget()
            await self.first()
        except (AnonymiseError, AuditError):
            self.well = False


def has_keyset(settings: Settings) -> bool:
    """Whether a keyset was made, whether or not it opens.

    Raises:
        AnonymiseError: a token can't be asked.
        OpeningError: the token's PIN can't be read.
    """
    if settings.keys.keyset is not None:
        return settings.keys.keyset.exists()
    return existing_keyring(settings) is not None


def create_keyring(settings: Settings, countries: Collection[str]) -> Keyring:
    """Make the first roots.

    Raises:
        AnonymiseError: there are roots already, or they can't be made.
        OpeningError: the passphrase or PIN can't be read.
    """
    keys = settings.keys
    if keys.token is not None:
        return create_token(keys.token.module, keys.token.label, passphrase(settings), countries)
    return create_file(_keyset(settings), passphrase(settings), countries)


def _keyset(settings: Settings) -> Path:
    if settings.keys.keyset is None:
        raise OpeningError("[keys] names neither a keyset nor a token")
    return settings.keys.keyset


def passphrase(settings: Settings) -> str:
    """The keyset's passphrase or the token's PIN, from wherever the settings say.

    Raises:
        OpeningError: it is not there.
    """
    keys = settings.keys
    if keys.passphrase is not None:
        return keys.passphrase.get_secret_value()
    if keys.passphrase_env is not None:
        found = os.environ.get(keys.passphrase_env)
        if found is None:
            raise OpeningError(f"[keys] the environment variable {keys.passphrase_env} is not set")
        return found
    path = Path(keys.passphrase_file or "")
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except OSError:
        raise OpeningError(f"[keys] the passphrase file {path.name} can't be read") from None
