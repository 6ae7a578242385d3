# SPDX-License-Identifier: EUPL-1.2
"""Proof for a data protection officer that she was shown every entry of her country.

The envelopes name owner and requester, so whoever holds them all can tell which entries a country
must be shown: those that name it, and in its own log also what names nobody and whatever erases or
holds, so that no detail goes unseen. They are compared with what the gateway showed her: each
there, byte for byte, and with a detail that her own key opens unless its erasure was declared.
Verify the copy first, against a checkpoint that witnesses cosigned: then the gateway could neither
leave an entry out of the list nor show her another log than everybody else. Other countries' logs
are for `audit.reconcile`.
"""

import base64
import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from audit.concern import country_of
from audit.errors import AuditError, EnvelopeError, NoteError, SealError
from audit.glance import Glance, glance
from audit.marks import Marks
from audit.sealing import Sealed, Unsealer, commit_detail
from audit.standing import CHUNK, Envelopes, read_envelopes
from audit.vocabulary import Kind

MAX_FINDINGS: Final = 1000
_ENVELOPE: Final = ("log_envelope.envelope", "envelope")
_DETAIL: Final = ("log_detail.detail", "detail")
_PARTS: Final = frozenset({"blob", "salt", "window"})
_NONE, _OPEN, _UNTRIED, _CLOSED, _OTHER = range(5)
_TABLE: Final = (
    "CREATE TABLE shown (place INTEGER PRIMARY KEY, digest BLOB NOT NULL, state INTEGER NOT NULL)"
)
# What changes the standing of details in a log concerns its country, whomever it names.
_OF_DETAILS: Final = frozenset({Kind.ERASURE, Kind.LEGAL_HOLD, Kind.HOLD_LIFTED})
_TELLING: Final = frozenset(
    {Kind.ACCESS, Kind.DENIAL, Kind.EXPORT, Kind.REIDENTIFICATION}
    | {Kind.SUBJECT_REQUEST, Kind.BREAK_GLASS}
)
_SAID: Final = {
    "missing": "an entry of {country} that was not shown",
    "changed": "it was shown otherwise than it stands in the log",
    "foreign": "it concerns neither data nor officers of {country} and was shown",
    "absent": "it was shown and the log holds no such entry",
    "no detail": "it was shown without its detail, and no entry declares that erased",
    "other detail": "it was shown with a detail that is not its own",
    "sealed": "the key does not open its detail",
    "unsealed": "it tells of a question and has no detail that says who asked and why",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """An entry with which the list and the log disagree; `what` is a word of this module."""

    index: int
    what: str
    country: str

    @property
    def said(self) -> str:
        """In a sentence."""
        return _SAID[self.what].format(country=self.country)


@dataclass(frozen=True, slots=True)
class Completeness:
    """What came of it.

    Attributes:
        size: entries under the checkpoint, each of which was looked at.
        expected: those that the country must be shown.
        opened: details that her key opened.
        erased: entries shown without a detail because its erasure was declared.
        later: rows beyond the checkpoint, of which nothing is said.
        elsewhere: rows of other logs, of which nothing is said.
        gaps: at most 1,000, by entry.
        more: gaps beyond those.
    """

    size: int
    expected: int
    opened: int
    erased: int
    later: int
    elsewhere: int
    gaps: tuple[Gap, ...]
    more: int

    @property
    def ok(self) -> bool:
        """Whether nothing was kept from her."""
        return not self.gaps


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose list it is: her country, and her key if the details are to be tried."""

    country: str
    unsealer: Unsealer | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Run:
    reader: Reader
    own: bool  # the log is that of her country
    gaps: list[Gap] = field(default_factory=list)
    more: int = 0
    expected: int = 0
    opened: int = 0
    erased: int = 0
    later: int = 0
    elsewhere: int = 0

    def find(self, index: int, what: str) -> None:
        if len(self.gaps) < MAX_FINDINGS:
            self.gaps.append(Gap(index, what, self.reader.country))
        else:
            self.more += 1

    def entry(self, index: int, data: bytes, row: tuple[bytes, int] | None, gone: Marks) -> None:
        try:
            told = glance(data)
        except EnvelopeError:
            raise AuditError(f"entry {index} is no entry; run `cuvar audit verify`") from None
        hers = self._is_hers(told)
        self.expected += hers
        if row is None:
            if hers:
                self.find(index, "missing")
            return
        if not hers:
            self.find(index, "foreign")
        elif row[0] != hashlib.sha256(data).digest():
            self.find(index, "changed")
        elif told.kind in _TELLING and told.owner is not None and not told.sealed:
            self.find(index, "unsealed")
        else:
            self.detail(index, row[1], sealed=told.sealed, gone=gone)

    def _is_hers(self, told: Glance) -> bool:
        """Whether she must be shown it: it names her country, or it is of nobody in her own log."""
        if self.reader.country in told.parties:
            return True
        return self.own and (not told.parties or told.kind in _OF_DETAILS)

    def detail(self, index: int, state: int, *, sealed: bool, gone: Marks) -> None:
        if state == _OTHER:
            self.find(index, "other detail")
        elif state == _CLOSED:
            self.find(index, "sealed")
        elif state == _NONE and sealed and index not in gone:
            self.find(index, "no detail")
        self.opened += state == _OPEN
        self.erased += state == _NONE and sealed and index in gone


def complete(
    copy: Envelopes,
    size: int,
    shown: Iterable[str],
    reader: Reader,
    erased: Marks,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Completeness:
    """Compare a list with the log.

    Args:
        copy: the log, verified before.
        size: entries under the checkpoint against which it was verified.
        shown: the rows of the gateway's list, one JSON object a line: `index`, the envelope, and
            the detail's blob, salt and window in base64.
        reader: whose list it is.
        erased: entries whose erasure the country's logs declare (`audit.standing`).
        on_progress: is told entries done and entries to do.

    Raises:
        AuditError: a line of the list is no row.
        LogCorruptError: the copy is not whole.
    """
    head = copy.head()
    origin = head.origin if head is not None else ""
    run = _Run(reader, _is_of(origin, reader.country))
    with contextlib.closing(sqlite3.connect("")) as spool:  # on disk, gone when closed
        spool.execute(_TABLE)
        _spool(spool, shown, run, origin, size)
        rows = _rows(spool)
        place, row = next(rows, (size, None))
        for index, data in read_envelopes(copy, 0, size):
            found = None
            if place == index:
                found = row
                place, row = next(rows, (size, None))
            run.entry(index, data, found, erased)
            if index % CHUNK == 0:
                on_progress(index, size)
    on_progress(size, size)
    gaps = tuple(sorted(run.gaps, key=lambda gap: gap.index))
    return Completeness(
        *(size, run.expected, run.opened, run.erased, run.later, run.elsewhere, gaps, run.more)
    )


def _is_of(origin: str, country: str) -> bool:
    try:
        return country_of(origin) == country
    except NoteError:
        return False


def _rows(spool: sqlite3.Connection) -> Iterator[tuple[int, tuple[bytes, int]]]:
    for place, digest, state in spool.execute("SELECT * FROM shown ORDER BY place"):
        yield place, (digest, state)


def _spool(
    spool: sqlite3.Connection, shown: Iterable[str], run: _Run, origin: str, size: int
) -> None:
    for number, line in enumerate(shown, start=1):
        if not line.strip():
            continue
        index, envelope, detail = _row(line, number)
        if envelope.get("log") != origin:
            run.elsewhere += 1
        elif index >= size:
            run.later += 1
        else:
            digest = hashlib.sha256(_canonical(envelope)).digest()
            state = _state(envelope, detail, run.reader.unsealer)
            known = spool.execute("SELECT digest FROM shown WHERE place = ?", (index,)).fetchone()
            if known is not None and known[0] != digest:
                digest = bytes(32)  # shown twice, not alike: one of them is not what stands there
            sql = "INSERT OR REPLACE INTO shown VALUES (?, ?, ?)"
            spool.execute(sql, (index, digest, state))


def _row(line: str, number: int) -> tuple[int, Mapping[str, Any], object]:
    try:
        row = json.loads(line)
        index = row["index"]
        envelope = next(row[name] for name in _ENVELOPE if name in row)
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        index, envelope, row = None, None, {}
    if type(index) is not int or index < 0 or not isinstance(envelope, dict):
        raise AuditError(
            f"line {number} of the list is no row of the log; give the rows as the gateway"
            " listed them, one JSON object a line"
        )
    return index, envelope, next((row[name] for name in _DETAIL if name in row), None)


def _canonical(envelope: Mapping[str, Any]) -> bytes:
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode("ascii")


def _state(envelope: Mapping[str, Any], detail: object, unsealer: Unsealer | None) -> int:
    """What the row's own detail is worth."""
    if detail is None:
        return _NONE
    sealed = _sealed(detail)
    if sealed is None or sealed.commitment.hex() != envelope.get("detail"):
        return _OTHER
    if unsealer is None:
        return _UNTRIED
    try:
        unsealer.open(sealed)
    except SealError:
        return _CLOSED
    return _OPEN


def _sealed(detail: object) -> Sealed | None:
    if not isinstance(detail, dict) or detail.keys() != _PARTS:
        return None
    try:
        blob, salt, window = (
            base64.b64decode(detail[name], validate=True) for name in ("blob", "salt", "window")
        )
    except (ValueError, TypeError):
        return None
    return Sealed(blob, salt, commit_detail(salt, window, blob), window)
