# SPDX-License-Identifier: EUPL-1.2
"""The bodies of the policy calls, parsed once into frozen types.

A draft travels as files laid over those in force. A file name, a word or a fact that does not exist
is for the rules to refuse, so that the answer names it; only the form is checked here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from gateway.questions import Basis, Country, OrganisationId, View, Word, plain_date

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,31}){0,2}$"
FileName = Annotated[str, StringConstraints(pattern=_NAME)]
Day = Annotated[date, BeforeValidator(plain_date)]
_FILES = 64


class Draft(BaseModel):
    """Files laid over the rules in force; null takes one away. None at all means those in force."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    files: dict[FileName, str | None] = Field(
        default_factory=dict,
        max_length=_FILES,
        description="name within the rule folder, for example BA/rules.csv, to its whole text",
    )


class CheckCall(Draft):
    """Load, lint, examples and invariants of the draft."""


class DiffCall(Draft):
    """Who would newly see, or no longer see, which field of whose data."""


class VerifyCall(Draft):
    """Which parts of the rules in force are signed, by whom, and until when they count."""


class MatrixCall(Draft):
    """Roles by categories for one owner and purpose."""

    owner: Country
    purpose: Word


class RenderCall(Draft):
    """Each line of one country as a sentence, in its language and in English."""

    country: Country


class ReplayCall(Draft):
    """Past accesses of the log, decided again under the draft: the newest, at most 100,000."""

    first: Day | None = Field(None, description="first day, UTC")
    last: Day | None = Field(None, description="last day, UTC")


class ExplainCall(Draft):
    """One question with stated facts. Facts of the question that are not stated are false."""

    role: Word
    org: OrganisationId
    country: Country | None = Field(None, description="needed where the organisation has stations")
    action: Word
    dataset: Word
    owner: Country
    categories: list[Word] = Field(
        default_factory=list, max_length=16, description="empty means all of the dataset"
    )
    view: View
    purpose: Word
    basis: Basis | None = Field(None, description="the first of the purpose when left out")
    named: bool = Field(default=True, description="whether exactly one person is named")
    sure: list[Word] = Field(default_factory=list, max_length=64, description="facts that are true")
    maybe: list[Word] = Field(
        default_factory=list, max_length=64, description="facts that are only possible"
    )


CALLS: Final[tuple[type[Draft], ...]] = (CheckCall, DiffCall, ExplainCall, MatrixCall, ReplayCall)
"""Those that have a route."""
