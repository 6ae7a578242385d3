# SPDX-License-Identifier: EUPL-1.2
"""What a gateway keeps, by its settings: logs, databases, keys, the settings file itself.

Registers belong to the countries and are never kept. Rule folders come from their countries,
signed; only their digest is kept, to tell which set was in force.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from audit import NoteVerifier, read_log_key
from audit.shards import parse_origin
from gateway.backup.manifest import KeepingError
from gateway.backup.tables import Database
from gateway.facts.attestation import METADATA as FACTS
from gateway.linkage.tables import LINKAGE
from gateway.logkeys import key_file, log_countries
from gateway.settings import Settings
from gateway.state import METADATA as STATE

SETTINGS = "settings/cuvar.toml"
KEYSET = "keys/keyset"


def databases(settings: Settings) -> tuple[Database, ...]:
    """The gateway's own databases."""
    return (
        Database("facts", settings.facts.url.get_secret_value(), FACTS),
        Database("state", settings.state.url.get_secret_value(), STATE, LINKAGE),
    )


def key_files(settings: Settings, *, log_keys: bool) -> dict[str, Path]:
    """Key files by their name in a backup; the keyset is encrypted, the logs' keys are not.

    Roots in a token are backed up by the token's own means, and by nothing else.
    """
    found = {} if settings.keys.keyset is None else {KEYSET: settings.keys.keyset}
    if log_keys:
        for country in log_countries(settings):
            found[f"keys/log/{country}"] = key_file(settings, country)
    return found


def verifier(settings: Settings, origin: str) -> NoteVerifier:
    """The public key of a log, from the settings' own keys and not from any backup.

    Raises:
        KeepingError: no key is configured for its country.
        AuditError: the key can't be read.
    """
    path = key_file(settings, parse_origin(origin).country)
    if not path.exists():
        raise KeepingError(f"no key signs the log {origin}; put it into the folder [log] keys")
    return read_log_key(path).signer(origin).verifier


def kept_verifier(settings: Settings, folder: Path, origin: str) -> NoteVerifier:
    """The same at a restore, where a key may be in the backup only.

    Raises:
        KeepingError: there is no key for its country anywhere.
        AuditError: the key can't be read.
    """
    country = parse_origin(origin).country
    kept = folder / "keys/log" / country
    if key_file(settings, country).exists() or not kept.exists():
        return verifier(settings, origin)
    return read_log_key(kept).signer(origin).verifier


def rule_digests(settings: Settings) -> Mapping[str, str]:
    """SHA-256 over the names and contents of each rule folder, by the folder's name."""
    rules = settings.policies.rules
    if rules == "example":
        return {}
    folders = rules if isinstance(rules, tuple) else (Path(rules),)
    return {folder.name: _digest(folder) for folder in folders}


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        total.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n".encode())
    return total.hexdigest()
