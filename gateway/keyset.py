# SPDX-License-Identifier: EUPL-1.2
"""The keyset behind pseudonyms, opened with the passphrase from wherever the settings say."""

import os
from pathlib import Path

from anonymise import Keyring
from gateway.errors import GatewayError
from gateway.settings import Settings


class OpeningError(GatewayError):
    """A part can't be opened for a reason of its own settings."""


def open_keyring(settings: Settings) -> Keyring:
    """The keyset of the settings.

    Raises:
        AnonymiseError: missing, damaged, or the passphrase is wrong.
        OpeningError: the passphrase can't be read.
    """
    return Keyring.open(settings.keys.keyset, passphrase(settings))


def passphrase(settings: Settings) -> str:
    """The keyset's passphrase, from wherever the settings say.

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
