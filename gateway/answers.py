# SPDX-License-Identifier: EUPL-1.2
"""The answer as bytes: one part per owner, joined only after the parts were recorded.

The digest of a part stands in its entry, so each part is encoded once, before the log, and
never again. Receipts' addresses travel in the headers, because the entry's index is known
only once it is durable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from audit import Position
from gateway.entries import Occasion
from gateway.identity import TokenError
from gateway.inquiry import Inquiry
from gateway.linkage.telling import (
    conditions_of,
    flag_of,
    is_flag,
    match_told,
    not_asked,
    padded,
)
from gateway.outcome import Outcome, Result
from gateway.printing import MEDIA_TYPE, media_of, printed
from gateway.problems import Problem, ProblemError

_GENERALISED: Final = "generalised"
_STEP_UP: Final = frozenset({"F04", "F05"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What leaves the gateway."""

    status: int
    body: bytes = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...]
    media_type: str = MEDIA_TYPE


def part_of(outcome: Outcome, inquiry: Inquiry) -> bytes:
    """One owner's part of the answer; a sheet or a chart is the whole of it."""
    if media_of(outcome, inquiry.asked) != MEDIA_TYPE:
        return printed(outcome, inquiry)
    shape = outcome.shape
    part: dict[str, object] = {
        "owner": outcome.owner,
        "status": outcome.status,
        "results": [_told(result) for result in outcome.results],
        "withheld": [{"category": cell.category, "rules": cell.rules} for cell in outcome.withheld],
        "conditions": conditions_of(shape, inquiry),
        "next": outcome.next,
    }
    if is_flag(inquiry):
        part["flag"] = flag_of(outcome)
    if outcome.match is not None:
        part["match"] = match_told(outcome.match)
    if outcome.status == "unavailable":
        part["reason"] = outcome.reason
    if outcome.note:
        part["note"] = outcome.note
    if shape is not None and shape.expires is not None:
        part["expires"] = shape.expires
    if shape is not None and shape.watermark:
        part["watermark"] = f"{inquiry.asker.org} {inquiry.correlation}"
    return orjson.dumps(part)


def _told(result: Result) -> dict[str, object]:
    told: dict[str, object] = {
        "view": result.view,
        "categories": result.categories,
        "rows": result.rows,
    }
    if result.view == _GENERALISED:
        told["held_back"] = result.held_back
    return told


def answer_of(
    inquiry: Inquiry,
    occasion: Occasion,
    outcomes: Sequence[Outcome],
    parts: Sequence[bytes],
    positions: Sequence[Position],
    challenge: TokenError,
    *,
    media_type: str = MEDIA_TYPE,
) -> Reply:
    """The whole answer, once every entry is durable; `media_type` is that of a sheet or chart.

    Raises:
        ProblemError: every owner refused; the document names the rules.
    """
    headers = receipts(positions)
    if all(outcome.status == "refused" for outcome in outcomes):
        raise _refusal(outcomes, headers, challenge)
    if media_type != MEDIA_TYPE:
        return Reply(200, parts[0], headers, media_type)
    body = b"".join(
        (
            b'{"correlation":"',
            occasion.correlation.encode("ascii"),
            b'","policy":"',
            occasion.policy.encode("ascii"),
            b'","owners":[',
            b",".join(parts),
            b"]}",
        )
    )
    if is_flag(inquiry):
        rest = orjson.dumps({"not_asked": not_asked(inquiry)})
        body = padded(b"%b,%b" % (body[:-1], rest[1:]))
    return Reply(200, body, headers)


def receipts(positions: Sequence[Position]) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that say where the entries and their receipts are, in the owners' order."""
    headers = []
    for position in positions:
        entry = f"{position.log}/{position.index}"
        place = f"/v1/logs/{position.log}/receipts/{position.index}"
        link = f'<{place}>; rel="receipt"; type="text/plain"'
        headers.append((b"audit-entry", entry.encode("ascii")))
        headers.append((b"link", link.encode("ascii")))
    return tuple(headers)


def _refusal(
    outcomes: Sequence[Outcome], headers: tuple[tuple[bytes, bytes], ...], challenge: TokenError
) -> ProblemError:
    owners = [
        {
            "owner": outcome.owner,
            "withheld": [
                {"category": cell.category, "rules": list(cell.rules)} for cell in outcome.withheld
            ],
        }
        for outcome in outcomes
    ]
    rules = {rule for outcome in outcomes for rule in outcome.rules}
    told = {name.decode("ascii"): value.decode("ascii") for name, value in headers}
    if rules and rules <= _STEP_UP:
        return ProblemError(
            Problem.INSUFFICIENT_AUTHENTICATION,
            members={"owners": owners},
            headers={**told, **challenge.headers},
        )
    return ProblemError(Problem.REFUSED, members={"owners": owners}, headers=told)
