# SPDX-License-Identifier: EUPL-1.2
"""The log as a dataset: what data-protection officers and the other overseers read.

Each country's log is read, its newest half-year first. Envelopes come as they were hashed; details
come sealed, since only the officer's own key opens them. Each entry is decided on its own
(`log_party`: the asker's country is its owner or its requester, AUD-05). An entry without parties,
such as a rule change, is the country's whose log it stands in. Reading the log is itself an entry,
of the kind review. A reference is an index of the current log, or `<half-year>/<index>`.
"""

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import orjson

from audit import AuditLog, Journal, StoredEntry
from audit.shards import parse_origin
from gateway.errors import GatewayError
from gateway.facts import FactRegister
from gateway.facts.register import strictest
from gateway.inquiry import Inquiry
from gateway.outcome import Outcome, Result
from gateway.questions import ListQuestion, ReadQuestion
from gateway.subjects import NobodyError, Subjects
from policies import Decision, Truth

_ENVELOPE: Final = "log_envelope"
_DETAIL: Final = "log_detail"
_CHUNK: Final = 1000
_POLICE: Final = "law_enforcement"


class LogbookError(GatewayError):
    """The log is asked in a way it has no answer to."""


class Logbook:
    """Reads entries for those whom the rules let read them.

    `_counts` and `_counted` are owned by `law_enforcement_questions`.
    """

    def __init__(self, journal: Journal, subjects: Subjects, facts: FactRegister) -> None:
        """Use the running gateway's own logs."""
        self._journal = journal
        self._facts = facts
        self._subjects = subjects
        self._counts: Counter[tuple[str, str]] = Counter()
        self._counted: Counter[str] = Counter()

    async def outcome(
        self, inquiry: Inquiry, base: Outcome, decision: Decision, facts: Mapping[str, Truth]
    ) -> Outcome:
        """Entries of one owner, newest first, or one by its index.

        Raises:
            LogUnavailableError: the log can't be read.
            NobodyError: no such entry, or none of this owner.
        """
        entries, after = await self._entries(inquiry, base.owner)
        rows = []
        verdicts: dict[bool, frozenset[str]] = {}
        scope = inquiry.scope(base.owner)
        attested = [a.truth for a in self._facts.matching("log_party", scope, inquiry.now)]
        for log, entry in entries:
            envelope = orjson.loads(entry.envelope)
            if "neutral_le" in base.duties and envelope["purpose"] == _POLICE:
                continue  # told only through the authority, and told like nothing (LED Art. 17)
            party = inquiry.asker.country in (_parties(envelope) or {base.owner})
            if party not in verdicts:
                truth = strictest([Truth.TRUE if party else Truth.FALSE, *attested], harmful=False)
                again = inquiry.snapshot.decide_record(
                    inquiry.question, base.owner, {**facts, "log_party": truth}
                )
                verdicts[party] = frozenset(again.granted) & frozenset(decision.granted)
            row = _row(log, entry, envelope, verdicts[party])
            if row:
                rows.append(row)
        categories = tuple(sorted(decision.granted))
        return replace(
            base,
            results=(Result("full", categories, list(rows)),),
            released=categories,
            next=None if after is None else self._subjects.cursor(inquiry, base.owner, after),
        )

    def _logs(self, owner: str) -> list[AuditLog]:
        """A country's logs, newest first."""
        shards = [parse_origin(origin) for origin in self._journal.origins]
        own = sorted((s for s in shards if s.country == owner), key=lambda s: s.age, reverse=True)
        return [self._journal.log(shard.origin) for shard in own]

    async def _entries(
        self, inquiry: Inquiry, owner: str
    ) -> tuple[list[tuple[AuditLog, StoredEntry]], str | None]:
        asked, logs = inquiry.asked, self._logs(owner)
        if isinstance(asked, ReadQuestion):
            log, index = _place(logs, asked.reference.kind, asked.reference.ref)
            return [(log, entry) for entry in await log.read(index, index + 1)], None
        if not isinstance(asked, ListQuestion):
            raise LogbookError("the log is read or listed")
        position = self._subjects.position(inquiry, owner)
        last, before = (None, None) if position is None else position.rsplit("/", 1)
        found: list[tuple[AuditLog, StoredEntry]] = []
        for log in logs:
            if last is not None and log.origin != last:
                continue
            start, last = None if before is None else int(before), None
            before = None
            wanted = asked.limit - len(found)
            if wanted:
                found += [(log, entry) for entry in await log.newest(start, wanted)]
        if len(found) < asked.limit:
            return found, None
        log, entry = found[-1]
        return found, f"{log.origin}/{entry.index}"

    async def law_enforcement_questions(self, owner: str) -> dict[tuple[str, ...], int]:
        """How many questions for law enforcement an owner was asked, by month.

        Counts what is new since the last time, so an interrupted first count goes on.

        Raises:
            LogUnavailableError: the log can't be read.
        """
        for log in self._logs(owner):
            while self._counted[log.origin] < log.size:
                start = self._counted[log.origin]
                stop = min(start + _CHUNK, log.size)
                for entry in await log.read(start, stop):
                    envelope = orjson.loads(entry.envelope)
                    about = envelope["owner"]
                    if envelope["purpose"] == _POLICE and about and about["country"] == owner:
                        self._counts[owner, envelope["t"][:7]] += 1
                self._counted[log.origin] = stop
        return {(month,): n for (country, month), n in self._counts.items() if country == owner}


def _place(logs: list[AuditLog], kind: str, ref: str) -> tuple[AuditLog, int]:
    """The log and index that a reference means.

    Raises:
        LogbookError: it is none.
        NobodyError: there is no such entry.
    """
    half, _, index = ref.rpartition("/")
    if kind != "record" or not (index.isascii() and index.isdigit()):
        raise LogbookError(
            "an entry is read by its index or half-year/index, reference kind record"
        )
    for log in logs:
        if not half or log.origin.endswith(f"/{half}"):
            if int(index) < log.size:
                return log, int(index)
            break
    raise NobodyError("no such entry")


def _parties(envelope: Mapping[str, Mapping[str, str] | None]) -> set[str]:
    sides = (envelope["owner"], envelope["requester"])
    return {side["country"] for side in sides if side is not None}


def _row(
    log: AuditLog, entry: StoredEntry, envelope: Mapping[str, object], granted: frozenset[str]
) -> dict[str, object]:
    row: dict[str, object] = {}
    if _ENVELOPE in granted:
        row["log_envelope.envelope"] = envelope
    if _DETAIL in granted and entry.sealed is not None:
        row["log_detail.detail"] = {
            "blob": base64.b64encode(entry.sealed.blob).decode("ascii"),
            "salt": base64.b64encode(entry.sealed.salt).decode("ascii"),
            "window": base64.b64encode(entry.sealed.window).decode("ascii"),
        }
    return {"log": log.origin, "index": entry.index, **row} if row else row
