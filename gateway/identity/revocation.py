# SPDX-License-Identifier: EUPL-1.2
"""Who and what is suspended: the list that ends a token's effect before it expires.

A JWT cannot show that it was revoked, so the operator keeps a small file (format in
docs/formats/tokens.md) of tokens, clients, officers, units, organisations and issuers. It is read
again within `RELOAD_S` of a change. The rule F01 (a suspended asker gets nothing) takes `status`
as its fact; a list that cannot be read makes everybody "possible", so F01 refuses everybody.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.identity.principal import Clock, Principal

__all__ = ["Revocations", "Status"]

Status = Literal["true", "possible", "false"]

RELOAD_S = 1.0
_OF_ISSUER = frozenset({"jti", "client", "officer"})
"""Kinds whose values one issuer chooses, so that another issuer's equal value is not meant."""
_EVERYWHERE = frozenset({"unit", "org", "issuer"})
_HEADER = ["kind", "value", "issuer"]
_WIDTH = 3
_LARGEST = 16 * 1024 * 1024
_VALUE = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_Entries = frozenset[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class _Mark:
    """Identity of a file's state, from stat."""

    inode: int
    changed_ns: int
    written_ns: int
    size: int


def _read(path: Path) -> _Entries:
    with path.open(newline="", encoding="utf-8") as file:
        text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError("too large")
    # a line cut off while the list was being written must not pass for a shorter value
    if not text.endswith("\n"):
        raise ValueError("last line incomplete")
    rows = csv.reader(text.splitlines(), strict=True)
    if next(rows, None) != _HEADER:
        raise ValueError("header")
    return frozenset(_entry(row) for row in rows)


def _entry(row: list[str]) -> tuple[str, str, str]:
    if len(row) != _WIDTH:
        raise ValueError("columns")
    kind, value, issuer = row
    if kind in _OF_ISSUER:
        known = _VALUE.fullmatch(issuer) is not None
    else:
        known = kind in _EVERYWHERE and not issuer
    if not known or not _VALUE.fullmatch(value):
        raise ValueError("row")
    return kind, value, issuer


class Revocations:
    """The list, read again when the file changes.

    Args:
        path: the CSV file; None means that no list is kept (development), so nobody is on it.
        clock: seconds since the epoch.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path, self._clock = path, clock
        # Owned by the event loop's thread.
        self._entries: frozenset[tuple[str, str, str]] | None = (
            frozenset() if path is None else None
        )
        self._mark: _Mark | None = None
        self._looked_at = float("-inf")
        self._generation = 0

    def generation(self) -> int:
        """Look at the file when it is time; the number rises with every change of the list."""
        now = self._clock()
        # a clock set back must not stop the reloading
        if self._path is not None and not 0 <= now - self._looked_at < RELOAD_S:
            self._looked_at = now
            self._look(self._path)
        return self._generation

    def readable(self) -> bool:
        """Whether the list was read and holds (readiness)."""
        self.generation()
        return self._entries is not None

    def _look(self, path: Path) -> None:
        try:
            stat = path.stat()
            mark = _Mark(stat.st_ino, stat.st_ctime_ns, stat.st_mtime_ns, stat.st_size)
            if mark == self._mark:
                return
            entries = _read(path)
        except (OSError, ValueError, csv.Error):
            # no mark is kept, so that the list is tried again at the next look
            self._mark, entries = None, None
        else:
            self._mark = mark
        if entries != self._entries:
            self._generation += 1
        self._entries = entries

    def status(self, principal: Principal) -> Status:
        """Whether this asker is suspended: officer, unit, organisation, issuer, client or token."""
        return self._find(principal, _suspended, _void)

    def token_status(self, principal: Principal) -> Status:
        """Whether this very token or its client is void; the verifier refuses those itself."""
        return self._find(principal, _void)

    def _find(self, principal: Principal, *keys: Callable[[Principal], _Entries]) -> Status:
        self.generation()
        if self._entries is None:
            return "possible"
        # an empty list, the usual case, costs no look-up
        listed = self._entries and any(self._entries & make(principal) for make in keys)
        return "true" if listed else "false"


def _suspended(principal: Principal) -> _Entries:
    entries = {
        ("officer", principal.officer, principal.issuer),
        ("org", principal.org, ""),
        ("issuer", principal.issuer, ""),
    }
    if principal.unit is not None:
        entries.add(("unit", f"{principal.org}/{principal.unit}", ""))
    return frozenset(entries)


def _void(principal: Principal) -> _Entries:
    issuer = principal.issuer
    return frozenset({("jti", principal.jti, issuer), ("client", principal.client_id, issuer)})
