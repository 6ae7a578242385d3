# SPDX-License-Identifier: EUPL-1.2
"""Names of logs: one for each country and half-year, `<prefix>/<country>/<half>`; pure.

Half-years make retention a matter of whole logs, as in certificate transparency. A log that was
restored from a backup is never continued: its successor in the same half-year has a number behind
the half, `2026h2.2`. Entries of nobody's country stand in the house log, country `GATEWAY`.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from audit.envelope import is_origin
from audit.errors import NoteError

HOUSE = "GATEWAY"
_JULY = 7
_SHARD = re.compile(r"(.+)/([A-Z]{2,8})/([0-9]{4}h[12])(?:\.([2-9]|[1-9][0-9]{1,13}))?", re.ASCII)


def half_of(t: datetime) -> str:
    """The half-year of a time in UTC, such as `2026h2`."""
    moment = t.astimezone(UTC)
    return f"{moment.year:04}h{1 if moment.month < _JULY else 2}"


@dataclass(frozen=True, slots=True)
class Shard:
    """One log's name in its parts; `part` counts the logs of one half-year from 1."""

    prefix: str
    country: str
    half: str
    part: int = 1

    @property
    def origin(self) -> str:
        """The name as checkpoints bear it."""
        return f"{self.prefix}/{self.country}/{self.half}" + (f".{self.part}" * (self.part > 1))

    @property
    def key_name(self) -> str:
        """The name of the country's signing key."""
        return f"{self.prefix}/{self.country}"

    def after(self, t: datetime) -> "Shard":
        """The successor: of the half-year of `t`, or the next part of the same one."""
        half = half_of(t)
        if half > self.half:
            return replace(self, half=half, part=1)
        return replace(self, part=self.part + 1)

    @property
    def age(self) -> tuple[str, int]:
        """Orders the logs of one country, oldest first."""
        return self.half, self.part


def first_shard(key_name: str, t: datetime) -> Shard:
    """The first log of a country's half-year.

    Raises:
        NoteError: the key's name is not `<prefix>/<country>`.
    """
    return parse_origin(f"{key_name}/{half_of(t)}")


@lru_cache(maxsize=1024)
def parse_origin(origin: str) -> Shard:
    """The parts of a log's name.

    Raises:
        NoteError: not the name of a country's log.
    """
    found = _SHARD.fullmatch(origin)
    if found is None or not is_origin(origin):
        raise NoteError(
            "a log's name is <prefix>/<COUNTRY>/<year>h<1 or 2>, of letters, digits, . _ / -"
        )
    return Shard(found[1], found[2], found[3], int(found[4] or 1))
