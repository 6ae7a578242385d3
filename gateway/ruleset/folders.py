# SPDX-License-Identifier: EUPL-1.2
"""The rule folders of the settings, and the set among them that is in force on a day.

Signed mode takes one folder or several; each is a whole set. On a day, the newest set whose parts
are all valid is in force: no part of it is older than in any other valid set. Sets that cannot be
ordered so are refused, since taking either would be a guess. A folder is read again when anything
about its files changed, and built again for another day.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gateway.ruleset.errors import Refusal, RuleSetError, Trouble, troubles
from gateway.ruleset.keys import PinnedKeys
from gateway.ruleset.sealing import SignedPart, check_set, valid_on
from policies import PolicyError, RulesRefusedError, Snapshot
from policies.loader import build, read_folder
from policies.proof import require_sound

_Stamp = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A rule set for one day; `parts` is empty in development mode, where nothing is signed."""

    snapshot: Snapshot
    parts: tuple[SignedPart, ...]

    def span(self) -> tuple[date, date]:
        """The first and the last day on which every part is valid."""
        first = max((part.manifest.start for part in self.parts), default=date.min)
        ends = (part.manifest.end for part in self.parts)
        return first, min((end for end in ends if end is not None), default=date.max)

    def on(self, day: date) -> "Chosen":
        """The same files for another day.

        Raises:
            PolicyError: they can't be used on that day.
        """
        return Chosen(build(self.snapshot.book.files, on=day), self.parts)


@dataclass(frozen=True, slots=True)
class Found:
    """One look at the folders: the set for the day, if any, and what is wrong with the rest.

    `settled` says that nothing was being written: the same bytes as at the look before.
    """

    chosen: Chosen | None
    troubles: tuple[Trouble, ...]
    settled: bool


class RuleFolders:
    """Reads the folders. Owned by one caller at a time: what was read is kept between looks."""

    def __init__(self, folders: tuple[Path, ...], keys: PinnedKeys | None) -> None:
        """`keys` is None in development mode, which takes a folder unsigned."""
        self._folders = [_Folder(path, keys) for path in folders]
        self.signed = keys is not None

    def look(self, day: date) -> Found:
        """Read what changed and choose for a day; never raises for what a folder holds."""
        wrong: list[Trouble] = []
        sound: list[Chosen] = []
        settled = [folder.read() for folder in self._folders]
        for folder in self._folders:
            try:
                chosen = folder.on(day)
            except RuleSetError as error:
                wrong += troubles(folder.path.name, error)
            else:
                if chosen is not None:
                    sound.append(chosen)
        try:
            found = _newest(sound)
        except RuleSetError as error:
            return Found(None, (*wrong, *troubles("", error)), all(settled))
        return Found(found, tuple(wrong), all(settled))

    def chosen(self, day: date) -> Chosen:
        """The set for a day, or why there is none; other folders' faults are not told.

        Raises:
            RuleSetError: none is sound and valid, or two can't be ordered.
        """
        sound: list[Chosen] = []
        failed: list[RuleSetError] = []
        for folder in self._folders:
            folder.read()
            try:
                chosen = folder.on(day)
            except RuleSetError as error:
                failed.append(error)
            else:
                sound += [] if chosen is None else [chosen]
        found = _newest(sound)
        if found is not None:
            return found
        if failed:
            raise failed[0]
        raise RuleSetError(Refusal.DATES, f"no rule set is valid on {day.isoformat()}")


class _Folder:
    """One folder as it was last read; the fields are its memory between looks."""

    def __init__(self, path: Path, keys: PinnedKeys | None) -> None:
        self.path = path
        self._keys = keys
        self._stamp: _Stamp | None = None
        self._files: Mapping[str, bytes] = {}
        self._parts: tuple[SignedPart, ...] = ()
        self._error: RuleSetError | None = None
        self._built: Chosen | None = None

    def read(self) -> bool:
        """Read the files if any changed; whether none did."""
        stamp = _stamp(self.path)
        if stamp is not None and stamp == self._stamp:
            return True
        self._stamp, self._built, self._error = stamp, None, None
        try:
            self._files = read_folder(self.path)
            self._parts = () if self._keys is None else check_set(self._files, self._keys)
        except RulesRefusedError as error:
            self._error = RuleSetError(
                Refusal.UNREADABLE, "the rule folder can't be read", error.problems
            )
        except RuleSetError as error:
            self._error = error
        return False

    def on(self, day: date) -> Chosen | None:
        """The folder's set for a day; None when it is not valid then.

        Raises:
            RuleSetError: the folder is not sound.
        """
        if self._error is not None:
            raise self._error
        if not valid_on(self._parts, day):
            return None
        if self._built is None or self._built.snapshot.book.on != day:
            self._built = self._build(day)
        return self._built

    def _build(self, day: date) -> Chosen:
        try:
            snapshot = require_sound(build(self._files, on=day))
        except PolicyError as error:
            raise RuleSetError(Refusal.RULES, "the rules are refused", error.problems) from error
        return Chosen(snapshot, self._parts)


def _newest(sound: list[Chosen]) -> Chosen | None:
    """The set that no other one is newer than in any part.

    Raises:
        RuleSetError: there are several, and none is newer in all.
    """
    if len(sound) < 2:  # noqa: PLR2004  nothing to compare
        return sound[0] if sound else None
    for one in sound:
        if all(_covers(one, other) for other in sound):
            return one
    raise RuleSetError(
        Refusal.DATES, "two rule sets are valid on this day and neither is newer in every part"
    )


def _covers(one: Chosen, other: Chosen) -> bool:
    theirs = {part.part: part for part in other.parts}
    return all(
        part.manifest.version > theirs[part.part].manifest.version
        or (
            part.manifest.version == theirs[part.part].manifest.version
            and part.digest == theirs[part.part].digest
        )
        for part in one.parts
    )


def _stamp(folder: Path) -> _Stamp | None:
    """What tells that no file changed: name, size, times and inode of each; None if unreadable."""
    found = []
    try:
        for root, _, names in os.walk(folder):
            for name in names:
                path = Path(root, name)
                stat = path.stat()
                where = path.relative_to(folder).as_posix()
                found.append((where, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
    except OSError:
        return None
    return tuple(sorted(found))
