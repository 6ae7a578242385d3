# SPDX-License-Identifier: EUPL-1.2
"""Reading the log is logged: the officer's own record of her look-ups, until the log has them.

Copies are read on her machine, where no gateway sees it. So each command writes a line here before
it shows anything, and hands it to the gateway as an entry of kind `review` when it can. What was
looked for is encrypted under her search key: neither the file nor the gateway can tell whom she
looked for. Each line holds the hash of the one above. docs/formats/review-index.md, section 5.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from audit.errors import LogCorruptError, LogUnavailableError

_START: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Look:
    """One reading of one log.

    Attributes:
        id: identity of the reading.
        at: when, as times are written in entries.
        command: which, in words.
        log: origin of the log that was read.
        first: the first entry that was shown or counted.
        last: the last one.
        query: what was looked for, encrypted, base64.
        number: which reading of this record it is, from 1; 0 of older records. Numbers that begin
            again tell the supervisor that a record was thrown away.
    """

    id: str
    at: str
    command: str
    log: str
    first: int
    last: int
    query: str
    number: int = 0


class Looks:
    """The record in one file; one command at a time appends to it."""

    def __init__(self, path: Path) -> None:
        """The file is made with the first line."""
        self._path = path

    @property
    def begun(self) -> bool:
        """Whether the record's file is there."""
        return self._path.exists()

    def record(self, look: Look) -> None:
        """Write a reading down, durably. Nothing may be shown if this fails.

        Raises:
            LogUnavailableError: it cannot be written.
            LogCorruptError: the record was changed by another hand.
        """
        readings = sum("look" in line for line in self._lines()[0])
        self._append({"look": asdict(replace(look, number=readings + 1))})

    def sent(self, look: Look, entry: str) -> None:
        """Note that the log has a reading now, and where (`origin/index`).

        Raises:
            LogUnavailableError: it cannot be written.
            LogCorruptError: the record was changed by another hand.
        """
        self._append({"sent": look.id, "entry": entry})

    def pending(self) -> list[Look]:
        """Readings that no log has yet, oldest first.

        Raises:
            LogUnavailableError: the record cannot be read.
            LogCorruptError: the record was changed by another hand.
        """
        waiting: dict[str, Look] = {}
        for line in self._lines()[0]:
            if "sent" in line:
                waiting.pop(line["sent"], None)
            else:
                look = Look(**line["look"])
                waiting[look.id] = look
        return list(waiting.values())

    def _lines(self) -> tuple[list[dict[str, Any]], str]:
        """Every line, and the hash of the last."""
        try:
            data = self._path.read_bytes() if self._path.exists() else b""
        except OSError:
            raise LogUnavailableError(
                f"{self._path.name} cannot be read; check its permissions"
            ) from None
        found: list[dict[str, Any]] = []
        above = _START
        for raw in data.splitlines(keepends=True):
            try:
                line = json.loads(raw)
                known = line.pop("above") == above and raw.endswith(b"\n")
            except (ValueError, KeyError, AttributeError):
                known = False
            if not known:
                raise LogCorruptError(
                    f"line {len(found) + 1} of {self._path.name} does not follow from the one"
                    " above; keep the file and tell the supervisor"
                )
            above = hashlib.sha256(raw).hexdigest()
            found.append(line)
        return found, above

    def _append(self, line: dict[str, Any]) -> None:
        above = self._lines()[1]
        text = json.dumps({"above": above, **line}) + "\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            raise LogUnavailableError(
                f"the reading cannot be written to {self._path.name}, so nothing is shown;"
                " check the folder's permissions and free space"
            ) from None
