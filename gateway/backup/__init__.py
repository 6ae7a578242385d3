# SPDX-License-Identifier: EUPL-1.2
"""Backup and restore of all that a gateway keeps (docs/formats/backup.md).

`create` copies logs, databases, keys and settings while the gateway runs and reads back what it
wrote; `check` does that at any time later; `restore` fills an empty place, its logs closed; `erase`
takes details out of a backup that were erased in the logs since.
"""

from gateway.backup.creating import Report, check, create
from gateway.backup.erasures import erasures_of
from gateway.backup.manifest import KeepingError, Manifest, read_manifest
from gateway.backup.places import verifier
from gateway.backup.restoring import Restored, erase, restore

__all__ = [
    "KeepingError",
    "Manifest",
    "Report",
    "Restored",
    "check",
    "create",
    "erase",
    "erasures_of",
    "read_manifest",
    "restore",
    "verifier",
]
