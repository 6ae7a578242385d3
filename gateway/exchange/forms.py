# SPDX-License-Identifier: EUPL-1.2
"""The simple types that both forms are made of."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from gateway.questions import plain_date
from gateway.sources.countries import ALPHA2, FROM_ALPHA3

_LETTERS: Final = 3
_OF_PAPERS: Final = {"XX": "XXA", "XK": "RKS", "DE": "DEU"}
"""What a passport says: stateless, Kosovo*, and Germany, whose passports may say D alone."""
_TO_ALPHA3: Final = {two: three for three, two in FROM_ALPHA3.items()} | _OF_PAPERS


class Form(BaseModel):
    """A closed, frozen object: a member that is not named is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def alpha3(two: str) -> str:
    """The three letters of a country of the rules; stateless is XXA.

    Raises:
        KeyError: no such country.
    """
    return _TO_ALPHA3[two]


def alpha2(three: str) -> str:
    """The two letters that registers and rules use.

    Raises:
        KeyError: no such country.
    """
    return FROM_ALPHA3[three]


def _state(code: str) -> str:
    if code not in ALPHA2:
        raise ValueError("is no state's code of two letters (ISO 3166-1)")
    return code


def _nationality(code: str) -> str:
    if code not in FROM_ALPHA3:
        raise ValueError("is no code of three letters (ISO 3166-1, ICAO Doc 9303)")
    return code


def _instant(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no day and time") from None
    return text


State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_state)]
Nationality = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_nationality)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
Day = Annotated[date, BeforeValidator(plain_date)]
Instant = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z?$"),
    AfterValidator(_instant),
]
Sex = Literal["M", "F", "X"]
Precision = Literal["day", "month", "year", "unknown"]
Category = Literal["ASY", "RSA", "RSX", "RSN", "IRR", "ILL", "SAR", "TMP"]
