# SPDX-License-Identifier: EUPL-1.2
"""Case numbers: what a caseworker reads out on the telephone instead of a name.

Form "BA-7K3D-9QXR-2F-M4": owner country, fifty bits in Crockford's base 32, two check symbols.
The number is issued at random for each pseudonym of a domain and kept in a table; it is not
computed from the pseudonym. The check is a Reed-Solomon code over GF(32) of distance 3 that
covers the country too: every one or two wrong symbols are found, so every transposition is.
It could repair one; it never does, for a wrong repair is another person.
docs/formats/pseudonym.md §5.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import xor
from typing import Protocol

from anonymise.domain import Domain
from anonymise.errors import CaseNumberError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_BITS = 50

_SYMBOLS = NUMBER_BITS // 5
_LONGEST_TEXT = 40
_COUNTRY = re.compile(r"[A-Z]{2}")
_ASK_AGAIN = "this case number was not read correctly; ask for it again, and compare each group"

_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
# Read as what they look like (Crockford): the letters that the alphabet leaves out, but U.
_VALUE |= {"O": 0, "I": 1, "L": 1}
_SPACING = str.maketrans("", "", " -\t\u00a0\u2010\u2011\u2012\u2013\u2014")


def _exponentials() -> list[int]:
    """Powers of the primitive element 2 of GF(32), modulus x^5 + x^2 + 1, twice round."""
    powers = [1]
    while len(powers) < 62:  # noqa: PLR2004 - two rounds of the 31 non-zero elements
        doubled = powers[-1] << 1
        powers.append(doubled ^ 0b100101 if doubled & 0b100000 else doubled)
    return powers


_EXP = _exponentials()
_LOG = {value: power for power, value in enumerate(_EXP[:31])}


class CaseNumbers(Protocol):
    """Where case numbers are issued and kept; the gateway has the SQL one."""

    async def issue(self, domain: Domain, pseudonyms: Sequence[bytes]) -> Mapping[bytes, str]:
        """The case number of each pseudonym in the domain, made where there was none."""
        ...

    async def resolve(self, domain: Domain, case_no: str) -> bytes | None:
        """The pseudonym behind a case number of this domain, or None."""
        ...


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """A case number read and checked.

    Attributes:
        country: Owner of the data.
        number: 0 to 2**50 - 1; redacted in the repr.
    """

    country: str
    number: int = field(repr=False)


def draw_number(token_bytes: Callable[[int], bytes]) -> int:
    """A fresh number of 50 random bits; the caller checks at issue that it is new.

    Args:
        token_bytes: Secret source, n -> n random bytes.
    """
    return int.from_bytes(token_bytes(7), "big") >> 56 - NUMBER_BITS


def format_case_no(country: str, number: int) -> str:
    """Write a case number.

    Raises:
        CaseNumberError: The country is not two capital letters, or the number not of 50 bits.
    """
    if not _COUNTRY.fullmatch(country) or not 0 <= number < 1 << NUMBER_BITS:
        raise CaseNumberError("a case number needs a country of two letters and fifty bits")
    data = [number >> 5 * place & 31 for place in reversed(range(_SYMBOLS))]
    check = _check_symbols(_country_symbols(country) + data)
    text = "".join(ALPHABET[value] for value in (*data, *check))
    return "-".join((country, text[:4], text[4:8], text[8:10], text[10:]))


def parse_case_no(text: str) -> CaseNumber:
    """Read a case number as people write it: any case, spaces or hyphens anywhere, O I L as 0 1 1.

    Raises:
        CaseNumberError: A symbol is missing, strange or wrong; nothing is corrected.
    """
    # Upper-casing can lengthen or translate strange letters, so only ASCII passes it.
    written = text.translate(_SPACING)
    if len(text) > _LONGEST_TEXT or not written.isascii():
        raise CaseNumberError(_ASK_AGAIN)
    country, body = written[:2].upper(), written[2:].upper()
    values = [_VALUE.get(symbol, -1) for symbol in body]
    if not _COUNTRY.fullmatch(country) or len(values) != _SYMBOLS + 2 or -1 in values:
        raise CaseNumberError(_ASK_AGAIN)
    if any(_syndromes(_country_symbols(country) + values)):
        raise CaseNumberError(_ASK_AGAIN)
    number = 0
    for value in values[:_SYMBOLS]:
        number = number << 5 | value
    return CaseNumber(country, number)


def _country_symbols(country: str) -> list[int]:
    return [ord(letter) - ord("A") for letter in country]


def _times(left: int, right: int) -> int:
    return _EXP[_LOG[left] + _LOG[right]] if left and right else 0


def _syndromes(word: Sequence[int]) -> tuple[int, int]:
    """The word as a polynomial, first symbol highest, at the powers 1 and 2 of the element."""
    first = second = 0
    for value in word:
        first = _times(first, _EXP[1]) ^ value
        second = _times(second, _EXP[2]) ^ value
    return first, second


def _check_symbols(data: Sequence[int]) -> tuple[int, int]:
    """The two symbols that make both syndromes zero: remainder by (x - a)(x - a^2)."""
    linear, constant = xor(_EXP[1], _EXP[2]), _times(_EXP[1], _EXP[2])
    high = low = 0
    for value in (*data, 0, 0):
        # One step of the division by x^2 + linear x + constant.
        high, low = low ^ _times(high, linear), value ^ _times(high, constant)
    return high, low
