# SPDX-License-Identifier: EUPL-1.2
"""The logs' static layout over HTTP (C2SP tlog-tiles v0.1.0), for those who are known.

Tiles of hashes tell nothing about anybody and are for everybody in good standing. Entry bundles
hold envelopes, so a bundle of a country's log is given only to whom the rules let read every entry
of that log, and details bundles only to that country's own officer (AUD-05, GDP-07). Each bundle is
recorded before it leaves. `gateway.transparency` relies on it.
"""

from hashlib import sha256
from typing import Final

from fastapi import Request
from starlette.responses import Response

from audit import AuditLog, Kind, ProofError
from audit.layout import (
    DETAILS,
    ENTRIES,
    Resource,
    StoredDetail,
    parse_path,
    write_bundle,
    write_details,
)
from audit.shards import parse_origin
from audit.tiles import TILE_WIDTH, TileId
from gateway.asker import Asker
from gateway.correlation import correlation_of
from gateway.entries import Occasion
from gateway.facts import question_facts
from gateway.identity import Principal
from gateway.inquiry import Rules, inquiry_of
from gateway.policy.routes import ENTITLED, Reception, fitting_roles
from gateway.problems import Problem, ProblemError
from gateway.questions import ListQuestion
from gateway.runtime import Runtime
from policies import Truth

_BYTES: Final = "application/octet-stream"
_FOR_EVER: Final = "private, max-age=31536000, immutable"
_NEVER: Final = "no-store"
_PURPOSE: Final = "oversight"
_NEEDED: Final = {ENTRIES: "log_envelope", DETAILS: "log_detail"}
_REASON: Final = "a bundle of the published log, entry by entry as it was hashed"


class Publishing:
    """Gives out tiles and bundles."""

    def __init__(self, runtime: Runtime, reception: Reception) -> None:
        """Of the running gateway's own logs."""
        self._runtime = runtime
        self._reception = reception

    async def resource(
        self, request: Request, principal: Principal, log: AuditLog, path: str
    ) -> Response:
        """The tile or bundle of this name under a log.

        Raises:
            LayoutError: no name of the layout.
            ProofError: the log has no such tile.
            ProblemError: not for this asker; recorded.
            LogUnavailableError: the log does not answer, or the entry can't be made.
        """
        wanted = parse_path(path)
        if wanted.folder not in _NEEDED:
            return await _tile(log, wanted)
        start = wanted.number * TILE_WIDTH
        if start + wanted.width > log.size:
            raise ProofError("the log has no such bundle")
        asker = await self._entitled(request, principal, log, wanted)
        entries = await log.read(start, start + wanted.width)
        if wanted.folder == ENTRIES:
            content = write_bundle(entry.envelope for entry in entries)
        else:
            sealed = {n: entry.sealed for n, entry in enumerate(entries) if entry.sealed}
            content = write_details(
                {n: StoredDetail(one.blob, one.salt, one.window) for n, one in sealed.items()}
            )
        await self._recorded(request, asker, log, path, content)
        cached = _FOR_EVER if wanted.folder == ENTRIES else _NEVER
        return Response(content, media_type=_BYTES, headers={"cache-control": cached})

    async def _entitled(
        self, request: Request, principal: Principal, log: AuditLog, wanted: Resource
    ) -> Asker:
        """The asker in a role that lets him read every entry of the log.

        Raises:
            ProblemError: he has none; recorded.
        """
        rules, country = self._runtime.rules(), parse_origin(log.origin).country
        held = fitting_roles(principal, rules.snapshot)
        for role in (role for role in ENTITLED if role in held):
            asker = self._runtime.pipeline.asker(principal, role, rules.snapshot)
            if asker is not None and self._may_read(asker, rules, country, wanted):
                return asker
        await self._reception.note(request, Kind.DENIAL, "not entitled", principal)
        raise ProblemError(Problem.NOT_ENTITLED)

    def _may_read(self, asker: Asker, rules: Rules, country: str, wanted: Resource) -> bool:
        """What the rules say of an entry of this log that may touch anybody."""
        words, category = rules.snapshot.vocabulary, _NEEDED[wanted.folder]
        own = asker.country == country
        if country not in words.countries or (wanted.folder == DETAILS and not own):
            return False
        asked = ListQuestion.model_validate(
            {
                "role": asker.role,
                "dataset": "log",
                "owners": [country],
                "categories": [category],
                "view": "full",
                "purpose": _PURPOSE,
                "basis": words.purposes[_PURPOSE].bases[0],
                "reason": _REASON,
            }
        )
        now = self._runtime.clock()
        inquiry = inquiry_of("list", asker, asked, rules, now, "")
        scope = inquiry.scope(country)
        facts = question_facts(
            rules.snapshot, self._runtime.facts, asker.facts, scope, now, inquiry.question
        )
        facts["log_party"] = Truth.TRUE if own else Truth.FALSE
        decision = rules.snapshot.decide_record(inquiry.question, country, facts)
        return category in decision.granted

    async def _recorded(
        self, request: Request, asker: Asker, log: AuditLog, path: str, content: bytes
    ) -> None:
        occasion = Occasion(
            policy=self._runtime.rules().snapshot.digest,
            correlation=correlation_of(request.scope) or "",
            at=self._runtime.clock(),
            action="list",
        )
        query = {"log": log.origin, "bundle": path}
        await self._runtime.pipeline.review(occasion, asker, query, sha256(content).hexdigest())


async def _tile(log: AuditLog, wanted: Resource) -> Response:
    level = int(wanted.folder.rpartition("/")[2])
    hashes = await log.tile(TileId(level, wanted.number), wanted.width)
    if hashes is None:
        raise ProofError("the log has no such tile")
    return Response(hashes, media_type=_BYTES, headers={"cache-control": _FOR_EVER})
