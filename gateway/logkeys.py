# SPDX-License-Identifier: EUPL-1.2
"""Which logs a gateway keeps, and the keys that sign them: one file for each country."""

from pathlib import Path

from audit import LogKey, create_log_key, read_log_key
from audit.shards import HOUSE
from gateway.errors import GatewayError
from gateway.settings import Settings


class LogKeyError(GatewayError):
    """A log's key file is not that of its country."""


def log_countries(settings: Settings) -> tuple[str, ...]:
    """Every country that keeps a log here, and the house log's."""
    return (*sorted(settings.log.dpo_keys), HOUSE)


def key_name(settings: Settings, country: str) -> str:
    """The name of a country's key."""
    return f"{settings.log.origin}/{country}"


def key_file(settings: Settings, country: str) -> Path:
    """Where a country's key lies."""
    return settings.log.keys / f"{country}.key"


def read_log_keys(settings: Settings) -> dict[str, LogKey]:
    """The key of every log kept here, by country.

    Raises:
        KeyFileError: one is missing, malformed, or readable by others.
        LogKeyError: one is of another country or origin.
    """
    return {country: _read(settings, country) for country in log_countries(settings)}


def _read(settings: Settings, country: str) -> LogKey:
    file, name = key_file(settings, country), key_name(settings, country)
    key = read_log_key(file)
    if key.name != name:
        raise LogKeyError(f"[log] {file.name} is the key {key.name}, not {name}")
    return key


def create_missing_keys(settings: Settings) -> int:
    """Make the keys that are not there; how many.

    Raises:
        KeyFileError: the folder can't be written.
    """
    missing = [c for c in log_countries(settings) if not key_file(settings, c).exists()]
    for country in missing:
        create_log_key(key_file(settings, country), key_name(settings, country))
    return len(missing)
