# SPDX-License-Identifier: EUPL-1.2
"""Who can open sealed details: the keys of the settings, and the gateway's own for its ledger."""

from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from anonymise import Keyring
from audit import Journal, Sealer, read_public_key
from gateway.entries import SUPERVISOR, Readers
from gateway.ledger import LABEL, OverlapLedger
from gateway.settings import Settings


def open_sealer(settings: Settings, clock: Callable[[], datetime]) -> tuple[Sealer, Readers]:
    """The sealer, and whose keys it holds."""
    return Sealer(_keys(settings), clock), _readers(settings)


def open_ledger(
    settings: Settings, log: Journal, keyring: Keyring, clock: Callable[[], datetime]
) -> OverlapLedger:
    """The overlap ledger of these logs; nothing of it is read yet."""
    secret = keyring.service_key(LABEL)
    return OverlapLedger(log, _keys(settings), _readers(settings), secret, clock)


def _keys(settings: Settings) -> dict[str, X25519PublicKey]:
    log = settings.log
    keys = {name: read_public_key(path) for name, path in (log.dpo_keys | log.court_keys).items()}
    if log.supervisor_key is not None:
        keys[SUPERVISOR] = read_public_key(log.supervisor_key)
    return keys


def _readers(settings: Settings) -> Readers:
    log = settings.log
    return Readers(
        frozenset(log.dpo_keys),
        frozenset(log.court_keys),
        None if log.supervisor_key is None else SUPERVISOR,
    )
