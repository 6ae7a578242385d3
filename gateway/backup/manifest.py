# SPDX-License-Identifier: EUPL-1.2
"""The manifest of a backup (docs/formats/backup.md): what it holds, each file with its SHA-256.

It tells damage from what was written, not a forger: what vouches for the logs are their signed
checkpoints, and for the rest whoever keeps the manifest's own digest elsewhere.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from audit.backup import KeptLog
from audit.backup.files import digest_of, read_file
from audit.store import Cosigned, Head
from gateway.errors import GatewayError

FORMAT: Final = "cuvar-backup-1"
NAME: Final = "manifest.json"


class KeepingError(GatewayError):
    """A backup that cannot be made, read or put in place."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made: when it was begun, UTC.
        gateway: name of the gateway.
        logs: each log, with its newest checkpoint.
        tables: rows by database and table.
        rules: digest of each rule folder, by its name; the folders themselves are not kept.
        log_keys: whether the keys that sign the logs are in it.
        files: by name within the backup.
    """

    made: str
    gateway: str
    logs: tuple[KeptLog, ...]
    tables: Mapping[str, Mapping[str, int]]
    rules: Mapping[str, str]
    log_keys: bool
    files: Mapping[str, Listed] = field(default_factory=dict)

    def data(self) -> bytes:
        """The file: JSON with sorted members and no spaces."""
        document = {
            "files": {name: [file.sha256, file.size] for name, file in self.files.items()},
            "format": FORMAT,
            "gateway": self.gateway,
            "log_keys": self.log_keys,
            "logs": [_log_document(log) for log in self.logs],
            "made": self.made,
            "rules": dict(self.rules),
            "tables": {name: dict(tables) for name, tables in self.tables.items()},
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the file, to be kept elsewhere."""
        return hashlib.sha256(self.data()).hexdigest()

    def listing(self, folder: Path) -> "Manifest":
        """The same with the files that lie in a folder now."""
        return replace(self, files={name: _listed(folder / name) for name in present(folder)})


def _listed(path: Path) -> Listed:
    return Listed(*digest_of(path))


def present(folder: Path) -> list[str]:
    """The names of all files of a backup but the manifest, in order."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != NAME)


def _log_document(log: KeptLog) -> dict[str, object]:
    head, seen = log.head, log.cosigned
    return {
        "closed": head.closed,
        "cosigned": None if seen is None else {"note": seen.note, "size": seen.size},
        "details": list(log.details),
        "entries": list(log.entries),
        "note": head.note,
        "number": head.number,
        "origin": head.origin,
        "root": base64.b64encode(head.root).decode("ascii"),
        "size": head.size,
    }


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup; nothing is checked against the files yet.

    Raises:
        BackupError: there is none.
        KeepingError: it is not in its only form.
    """
    data = read_file(folder / NAME)
    try:
        found = _manifest(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        found = None
    if found is None or found.data() != data:
        raise KeepingError(f"{NAME} is not one that {FORMAT} writes; take another backup")
    return found


def _manifest(document: Any) -> Manifest | None:
    if document["format"] != FORMAT:
        return None
    files = {_safe(name): Listed(*file) for name, file in document["files"].items()}
    return Manifest(
        made=document["made"],
        gateway=document["gateway"],
        logs=tuple(_log(one) for one in document["logs"]),
        tables=document["tables"],
        rules=document["rules"],
        log_keys=document["log_keys"],
        files=files,
    )


def _log(one: Any) -> KeptLog:
    root = base64.b64decode(one["root"], validate=True)
    head = Head(one["origin"], one["size"], root, one["note"], one["number"], one["closed"])
    seen = one["cosigned"]
    return KeptLog(
        head,
        None if seen is None else Cosigned(seen["size"], seen["note"]),
        _names(one["entries"]),
        _names(one["details"]),
    )


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(_safe(name) for name in names)


def _safe(name: str) -> str:
    """A name that stays within the backup."""
    parts = name.split("/")
    if not all(parts) or ".." in parts or "." in parts or "\\" in name:
        raise ValueError
    return name
