# SPDX-License-Identifier: EUPL-1.2
"""What an answer says of a look-up across a border: the flag of each country, and the match.

Each country is strong, possible, none, unavailable or not asked; the last also where the rules kept
the question from its register. "None" is the same bytes as "you may not know" and, padded, as long
on the wire as a hit. docs/formats/linkage-flag.md sections 2 and 4.
"""

from collections.abc import Sequence
from typing import Final

from anonymise.linkage.grading import Grade
from gateway.duties import CONDITIONS, Shape
from gateway.inquiry import Inquiry
from gateway.outcome import Match, Outcome
from gateway.questions import ConsultQuestion, FindQuestion

BLOCK: Final = 4096
NOT_ASKED: Final = "not_asked"
_HIT: Final = "hit"
_HUMAN: Final = "human_decides"


def is_flag(inquiry: Inquiry) -> bool:
    """Whether a question asks whether somebody is registered, and no more."""
    return isinstance(inquiry.asked, FindQuestion) and inquiry.asked.view == _HIT


def flag_of(outcome: Outcome) -> str:
    """What one country's register says of the person asked for.

    Too many candidates are "possible": there is somebody, but nobody can be singled out.
    """
    if outcome.status == "unavailable":
        return "unavailable"
    if outcome.status == "refused":
        return NOT_ASKED
    if outcome.status == "too_many":
        return Grade.POSSIBLE.value
    found = {row.get("strength") for result in outcome.results for row in result.rows}
    if Grade.STRONG.value in found:
        return Grade.STRONG.value
    return Grade.POSSIBLE.value if found else Grade.NONE.value


def not_asked(inquiry: Inquiry) -> list[str]:
    """The countries of the rules that the question left out."""
    asked = frozenset(inquiry.asked.owners)
    return sorted(set(inquiry.snapshot.vocabulary.countries) - asked)


def match_told(match: Match) -> dict[str, object]:
    """A match as it is told: every text is of a closed list, none is of the record."""
    told: dict[str, object] = {
        "grade": match.grade,
        "features": [
            {"feature": name, "state": state, "words": said} for name, state, said in match.features
        ],
        "decides": CONDITIONS[_HUMAN],
    }
    if match.confirm:
        told["confirm"] = (
            "A human at your side must compare the persons and confirm this match before anything "
            "of the record is told; ask again with the same token and `confirmation`."
        )
    return told


def conditions_of(shape: Shape | None, inquiry: Inquiry) -> Sequence[str]:
    """The sentences that bind the recipient; a consultation always says who decides."""
    told = () if shape is None else shape.conditions
    sentence = CONDITIONS[_HUMAN]
    if not isinstance(inquiry.asked, ConsultQuestion) or sentence in told:
        return told
    return (*told, sentence)


def padded(body: bytes) -> bytes:
    """JSON filled up with blanks to whole blocks, so that its length does not tell a hit."""
    return body.ljust(-(-len(body) // BLOCK) * BLOCK)
