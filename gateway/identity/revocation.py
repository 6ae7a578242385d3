# SPDX-License-Identifier: EUPL-1.2
"""Who and what is suspended: the list that ends a token's effect before it expires.

A JWT cannot show that it was revoked, so the operator keeps a small file (format in
docs/formats/tokens.md) of tokens, clients, officers, units, organisations and issuers. It is read
again within `RELOAD_S` of a change. The rule F01 (a suspended asker gets nothing) takes `status`
as its fact; a list that cannot be read makes everybody "possible", so F01 refuses everybody.
"""

import csv
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.identity.principal import Clock, Principal

__all__ = ["Change", "Revocations", "Status", "read_list", "row_of", "write_list"]

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


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the list: rows of kind, value and issuer, as in the file."""

    added: _Entries
    lifted: _Entries
    now: _Entries


def read_list(path: Path) -> _Entries:
    """The rows of a list, checked like the gateway checks them.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not in the format.
    """
    try:
        return _read(path)
    except csv.Error:
        raise ValueError("quotes") from None


def write_list(path: Path, entries: _Entries) -> None:
    """Replace the list as a whole; a reader sees the old one or the new one.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    lines = [_HEADER, *map(list, sorted(entries))]
    text = "".join(",".join(row) + "\n" for row in lines)
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(path.stat().st_mode & 0o777)
    fresh.replace(path)


def row_of(kind: str, value: str, issuer: str) -> tuple[str, str, str]:
    """A row for the list.

    Raises:
        ValueError: such a row would make the list unreadable.
    """
    if "," in value or '"' in value:
        raise ValueError("row")
    return _entry([kind, value, issuer])


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
        recorder: changes are written into the log by somebody who calls `change` and `recorded`. A
            suspension counts at once; lifting one counts only when it was recorded.
    """

    def __init__(self, path: Path | None, clock: Clock, *, recorder: bool = False) -> None:
        self._path, self._clock = path, clock
        # Owned by the event loop's thread.
        self._entries: _Entries | None = frozenset() if path is None else None
        self._written: _Entries | None = self._entries
        self._known: _Entries = frozenset()
        self._recorder = recorder
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
        self._written = entries
        self._take()

    def _take(self) -> None:
        """What counts: what the file says, and what was lifted without being recorded yet."""
        entries = self._written
        if entries is not None and self._recorder:
            entries |= self._known
        if entries != self._entries:
            self._generation += 1
        self._entries = entries

    def restore(self, known: _Entries) -> None:
        """What the log was last told, by this gateway or the one before it."""
        self._known = known
        self._take()

    def current(self) -> "Change | None":
        """The list as it is, to be recorded although nothing may have changed; None if unread."""
        self.generation()
        if self._path is None or self._written is None:
            return None
        return Change(self._written - self._known, self._known - self._written, self._written)

    def change(self) -> "Change | None":
        """What the list says otherwise than the log; None when there is nothing to record."""
        found = self.current()
        return None if found is None or found.now == self._known else found

    def recorded(self, change: "Change") -> None:
        """The change stands in the log, so what it lifts is lifted."""
        self._known = change.now
        self._take()

    def status(self, principal: Principal) -> Status:
        """Whether this asker is suspended: officer, unit, organisation, issuer, client or token.

        Possible when a unit of the organisation is on the list and the token names none: leaving
        the unit out must not be a way around.
        """
        found = self._find(principal, _suspended, _void)
        if found == "false" and principal.unit is None and self._entries:
            prefix = f"{principal.org}/"
            if any(kind == "unit" and v.startswith(prefix) for kind, v, _ in self._entries):
                return "possible"
        return found

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
