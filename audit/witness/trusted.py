# SPDX-License-Identifier: EUPL-1.2
"""Which logs a witness cosigns: a plain file that its operator edits.

    log <vkey>          one log; the key's name is its origin
    country <vkey>      all half-year logs of a country; the key's name is `<prefix>/<COUNTRY>`

A country signs each of its half-year logs with one key, under the origin
`<prefix>/<COUNTRY>/<half>` (docs/formats/log.md). So the next half-year's log needs no hand at the
witness: any origin of that form is accepted under the country's key. The file is read again when
it changes.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit.errors import NoteError, WitnessError
from audit.note import SIGNATURE, NoteVerifier

LARGEST = 1 << 20
_MOST_LINES = 1_000
_LOG, _COUNTRY = "log", "country"
# Half-years of this century, the second to ninety-ninth log of one, and successors by the time of
# their opening. How many logs a country may have is the witness's to limit (MOST_LOGS).
_SHARD = re.compile(r"(.+)/20[0-9]{2}h[12](\.([2-9]|[1-9][0-9]|20[0-9]{12}))?", re.ASCII)


def country_of(origin: str) -> str | None:
    """`<prefix>/<COUNTRY>` of a half-year log's origin, None for another name."""
    shard = _SHARD.fullmatch(origin)
    return shard[1] if shard else None


@dataclass(frozen=True, slots=True)
class Trusted:
    """Keys by origin, and keys by country name."""

    logs: Mapping[str, tuple[NoteVerifier, ...]]
    countries: Mapping[str, tuple[NoteVerifier, ...]]

    def verifiers(self, origin: str) -> tuple[NoteVerifier, ...]:
        """The keys that may sign checkpoints of this origin; none if it is unknown."""
        found = self.logs.get(origin, ())
        country = country_of(origin)
        keys = self.countries.get(country, ()) if country else ()
        return found + tuple(NoteVerifier.of(origin, SIGNATURE, key.public) for key in keys)


def parse_trusted(data: bytes) -> Trusted:
    """Read the file.

    Raises:
        WitnessError: malformed; the message names the line.
    """
    tables: dict[str, dict[str, tuple[NoteVerifier, ...]]] = {_LOG: {}, _COUNTRY: {}}
    lines = data.decode("utf-8", "replace").split("\n")
    if len(lines) > _MOST_LINES or len(data) > LARGEST:
        raise WitnessError(f"the list of trusted logs has at most {_MOST_LINES} lines")
    for number, line in enumerate(lines, start=1):
        items = line.split()
        if not items or items[0].startswith("#"):
            continue
        if len(items) != 2 or items[0] not in tables:  # noqa: PLR2004 - a word and a key
            raise WitnessError(f"trusted logs, line {number}: the form is `log|country <vkey>`")
        try:
            verifier = NoteVerifier.parse(items[1])
        except NoteError as error:
            raise WitnessError(f"trusted logs, line {number}: {error}") from None
        if verifier.kind != SIGNATURE:
            raise WitnessError(f"trusted logs, line {number}: a log's key is of type 0x01")
        table = tables[items[0]]
        if verifier in table.get(verifier.name, ()):
            raise WitnessError(f"trusted logs, line {number}: this key stands above already")
        table[verifier.name] = (*table.get(verifier.name, ()), verifier)
    return Trusted(tables[_LOG], tables[_COUNTRY])


_Stamp = tuple[int, int, int]


@dataclass(slots=True)
class TrustedFile:
    """The file as it stands now; a broken edit leaves the list before it in force.

    Attributes:
        path: where it stands.
        problem: why the newest edit is not in force, None if it is.
    """

    path: Path
    problem: str | None = None
    _stamp: _Stamp | None = None
    _trusted: Trusted = field(default_factory=lambda: Trusted({}, {}))

    @classmethod
    def open(cls, path: Path) -> "TrustedFile":
        """Read the file for the first time.

        Raises:
            WitnessError: missing or malformed.
        """
        found = cls(path)
        found.current()
        if found.problem is not None:
            raise WitnessError(found.problem)
        return found

    def current(self) -> Trusted:
        """The list, read again if the file changed."""
        try:
            told = os.stat(self.path)  # noqa: PTH116 - the one call on the way of every request
            stamp = (told.st_mtime_ns, told.st_size, told.st_ino)
            if stamp != self._stamp:
                self._stamp = stamp
                self._trusted = parse_trusted(self.path.read_bytes())
                self.problem = None
        except OSError:
            self.problem = f"{self.path.name} can't be read; check its name and permissions"
            self._stamp = None
        except WitnessError as error:
            self.problem = str(error)
        return self._trusted
