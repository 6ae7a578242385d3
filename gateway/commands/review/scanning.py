# SPDX-License-Identifier: EUPL-1.2
"""What the alert commands read of a copy: its accesses, the queue so far, and a scan of both."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from audit import LogUnavailableError, read_private_key
from audit.alerts import (
    STEPS,
    Queue,
    Scan,
    Seed,
    Step,
    View,
    accesses_of,
    load_context,
    scan,
)
from audit.copies import Copy, origins
from audit.review.opened import Opened, open_entries
from gateway.commands.review.desk import Desk, origin_of, progress
from gateway.errors import GatewayError

_MODE: Final = 0o600
_TOLD_EVERY: Final = 1000
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class NoSuchAlertError(GatewayError):
    """An alert is named that this copy does not show; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A pass over one log."""

    origin: str
    size: int
    found: Scan


class Known:
    """Which alerts earlier scans found: names without meaning, and how far each log was read."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist.

        Raises:
            NoSuchAlertError: it is no file of this kind.
        """
        self._path = path
        self._logs: dict[str, list[str]] = {}
        if not path.exists():
            return
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            self._logs = {str(log): [str(n) for n in names] for log, names in told.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            raise NoSuchAlertError(
                f"{path.name} is no record of earlier scans; move it away to begin anew"
            ) from None

    def names(self, log: str) -> frozenset[str]:
        """What was found before in a log."""
        return frozenset(self._logs.get(log, ()))

    def remember(self, log: str, names: Sequence[str]) -> None:
        """Keep what was found now.

        Raises:
            NoSuchAlertError: the file can't be written.
        """
        self._logs[log] = sorted(self.names(log) | set(names))
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with os.fdopen(
                os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "w"
            ) as file:
                json.dump(self._logs, file)
            fresh.replace(self._path)
        except OSError:
            raise NoSuchAlertError(f"{self._path.name} can't be written") from None


@contextlib.contextmanager
def logs_of(desk: Desk) -> Iterator[list[Copy]]:
    """The copies of the officer's own country's logs, oldest first.

    Raises:
        LogUnavailableError: several logs lie there and none is named.
    """
    if not desk.origin and len(origins(desk.log)) > 1:
        raise LogUnavailableError("several logs lie there; name your country's with --origin")
    with desk.copies() as copies:
        yield copies


def size_of(copy: Copy) -> int:
    """How many entries a copy says that it has."""
    head = copy.head()
    return 0 if head is None else head.size


class Reader:
    """Reads copies once, oldest log first, and keeps the queue and whom its alerts are about."""

    def __init__(self, desk: Desk) -> None:
        """`queue`, `concerns` and `until` are owned by `entries`."""
        self._desk = desk
        self.queue = Queue()
        self.concerns: dict[str, dict[str, Any]] = {}
        self.until = _NEVER

    def entries(self, copy: Copy) -> Iterator[Opened]:
        """Every entry of a copy; the steps among them move the queue."""
        size = size_of(copy)
        for entry in open_entries(copy, self._desk.unsealer(), 0, size):
            if entry.index % _TOLD_EVERY == 0:
                progress(entry.index, size)
            self.until = entry.envelope.t
            if entry.envelope.kind in STEPS:
                self._step(entry)
            yield entry

    def follow(self, copies: Sequence[Copy]) -> Queue:
        """The queue alone."""
        for copy in copies:
            for _ in self.entries(copy):
                pass
        return self.queue

    def _step(self, entry: Opened) -> None:
        item = self.queue.take(Step(entry.index, entry.envelope, entry.detail))
        about = (entry.detail or {}).get("concerns")
        if item is not None and isinstance(about, dict):
            self.concerns[item.alert] = about


def scan_all(desk: Desk, copies: Sequence[Copy], context: Path) -> tuple[list[Scanned], Queue]:
    """Every log scanned, and the queue so far.

    Raises:
        ContextError: the folder can't be taken as it is.
    """
    known = load_context(context)
    seed = Seed(read_private_key(desk.key))
    reader, views = Reader(desk), []
    for copy in copies:
        accesses = accesses_of(reader.entries(copy))
        views.append((View(origin_of(copy), accesses, known, reader.until), size_of(copy)))
    past = reader.queue.past()
    found = [Scanned(view.log, size, scan(view, seed, past)) for view, size in views]
    return found, reader.queue
