# SPDX-License-Identifier: EUPL-1.2
"""The bodies of the review calls, parsed once into frozen types.

The texts are for the log's sealed part and for the officer asked; nothing of them stands in an
envelope, an address or an error.
"""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from audit import EnvelopeError
from audit.alerts import RULES, SAMPLE
from audit.ranges import ranges
from gateway.questions import Country, Word

AlertId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Origin = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$")]
Finding = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=255)]
RULE_NAMES: Final = frozenset({SAMPLE, "own-finding", *(rule.id for rule in RULES)})
_MOST_VALUES: Final = 32


def _known(rule: str) -> str:
    if rule not in RULE_NAMES:
        raise ValueError("not in list")
    return rule


def _in_form(about: list[str]) -> list[str]:
    try:
        ranges(about)
    except EnvelopeError:
        raise ValueError("ranges in order that do not touch, such as 12 and 17-40") from None
    return about


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class OfficerAsked(_Call):
    """An officer as the sealed detail of his access names him."""

    issuer: Short
    officer: Short


class AlertCall(_Call):
    """Raise an alert about entries of a log of the own country."""

    log: Origin = Field(description="origin of the log in which the entries stand")
    about: Annotated[list[str], AfterValidator(_in_form)] = Field(
        min_length=1, max_length=512, description='entries and ranges, "12" and "17-40"'
    )
    rule: Annotated[str, AfterValidator(_known)] = Field(
        description="id of the rule, `sample`, or `own-finding`"
    )
    officer: OfficerAsked
    unit: Annotated[str, StringConstraints(max_length=255)] = ""
    score: int = Field(0, ge=0, le=100)
    finding: Finding | None = Field(None, description="id that the scan gave it")
    text: Text = Field(description="what gives rise to it, for the sealed part")


class AskCall(_Call):
    """Put a question to the officer, or put it again."""

    alert: AlertId
    officer: OfficerAsked
    text: Text


class AnswerCall(_Call):
    """Answer a question that was put to oneself."""

    alert: AlertId
    text: Text


class CloseCall(_Call):
    """Close an alert; `unjustified` opens a breach (GDP-11)."""

    alert: AlertId
    outcome: Literal["justified", "unjustified", "withdrawn"]
    text: Text
    officer: OfficerAsked | None = Field(
        None, description="needed where the gateway no longer knows whom the alert is about"
    )


class ReadCall(_Call):
    """Say that entries of a country's log were read with a tool of one's own."""

    country: Country
    log: Origin
    first: int = Field(ge=0, lt=2**53)
    last: int = Field(ge=0, lt=2**53)
    command: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z -]{0,39}$")]
    query: dict[Word, Annotated[str, StringConstraints(max_length=1000)]] = Field(
        default_factory=dict, max_length=_MOST_VALUES, description="what was looked for; sealed"
    )


CALLS: Final[dict[str, type[_Call]]] = {
    "alert": AlertCall,
    "question": AskCall,
    "answer": AnswerCall,
    "close": CloseCall,
    "read": ReadCall,
}
PATH: Final = "/v1/reviews"
MINE: Final = "mine"
REVIEW_PATHS: Final = tuple(f"{PATH}/{name}" for name in (*CALLS, MINE))
