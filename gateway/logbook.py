# SPDX-License-Identifier: EUPL-1.2
"""The log as a dataset: what data-protection officers and the other overseers read.

Envelopes come as they were hashed; details come sealed, since only the officer's own key opens
them. Each entry is decided on its own (`log_party`: the asker's country is its owner or its
requester, AUD-05). Reading the log is itself an entry, of the kind review.
"""

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import orjson

from audit import AuditLog, StoredEntry
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

    def __init__(self, log: AuditLog, subjects: Subjects, facts: FactRegister) -> None:
        """Use the running gateway's own log."""
        self._log = log
        self._facts = facts
        self._subjects = subjects
        self._counts: Counter[tuple[str, str]] = Counter()
        self._counted = 0

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
        for entry in entries:
            envelope = orjson.loads(entry.envelope)
            if "neutral_le" in base.duties and envelope["purpose"] == _POLICE:
                continue  # told only through the authority, and told like nothing (LED Art. 17)
            party = inquiry.asker.country in _parties(envelope)
            if party not in verdicts:
                truth = strictest([Truth.TRUE if party else Truth.FALSE, *attested], harmful=False)
                again = inquiry.snapshot.decide_record(
                    inquiry.question, base.owner, {**facts, "log_party": truth}
                )
                verdicts[party] = frozenset(again.granted) & frozenset(decision.granted)
            row = _row(entry, envelope, verdicts[party])
            if row:
                rows.append(row)
        categories = tuple(sorted(decision.granted))
        return replace(
            base,
            results=(Result("full", categories, list(rows)),),
            released=categories,
            next=None if after is None else self._subjects.cursor(inquiry, base.owner, after),
        )

    async def _entries(self, inquiry: Inquiry, owner: str) -> tuple[list[StoredEntry], str | None]:
        asked = inquiry.asked
        if isinstance(asked, ReadQuestion):
            if asked.reference.kind != "record" or not asked.reference.ref.isdigit():
                raise LogbookError("an entry is read by its index, reference kind record")
            index = int(asked.reference.ref)
            if index >= self._log.size:
                raise NobodyError("no such entry")
            found = await self._log.read(index, index + 1)
            if not found or owner not in _parties(orjson.loads(found[0].envelope)):
                raise NobodyError("no such entry of this owner")
            return found, None
        if not isinstance(asked, ListQuestion):
            raise LogbookError("the log is read or listed")
        position = self._subjects.position(inquiry, owner)
        before = None if position is None else int(position)
        owned = await self._log.search(owner=owner, before=before, limit=asked.limit)
        asking = await self._log.search(requester=owner, before=before, limit=asked.limit)
        newest = sorted({e.index: e for e in (*owned, *asking)}.items(), reverse=True)
        found = [entry for _, entry in newest[: asked.limit]]
        after = str(found[-1].index) if len(found) == asked.limit else None
        return found, after

    async def law_enforcement_questions(self, owner: str) -> dict[tuple[str, ...], int]:
        """How many questions for law enforcement an owner was asked, by month.

        Counts what is new since the last time, so an interrupted first count goes on.

        Raises:
            LogUnavailableError: the log can't be read.
        """
        while self._counted < self._log.size:
            stop = min(self._counted + _CHUNK, self._log.size)
            for entry in await self._log.read(self._counted, stop):
                envelope = orjson.loads(entry.envelope)
                if envelope["purpose"] == _POLICE and envelope["owner"] is not None:
                    self._counts[envelope["owner"]["country"], envelope["t"][:7]] += 1
            self._counted = stop
        return {(month,): n for (country, month), n in self._counts.items() if country == owner}


def _parties(envelope: Mapping[str, Mapping[str, str] | None]) -> set[str]:
    sides = (envelope["owner"], envelope["requester"])
    return {side["country"] for side in sides if side is not None}


def _row(
    entry: StoredEntry, envelope: Mapping[str, object], granted: frozenset[str]
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
    return {"index": entry.index, **row} if row else row
