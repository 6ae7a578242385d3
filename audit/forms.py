# SPDX-License-Identifier: EUPL-1.2
"""The narrow patterns that every text of an envelope must match, and how it is written as JSON.

No pattern leaves room for a sentence or a name in plain writing, and none admits a sign that JSON
would escape, so a checked text is written between quotes as it is. `audit.envelope` relies on it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from audit.errors import EnvelopeError

MAX_ITEMS = 512

_CODE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
PATTERNS = {
    "id": r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "country": r"[A-Z]{2,8}",
    "code": _CODE,
    "field": rf"{_NAME}(\.({_NAME}|\*))?",
    "rule": r"[A-Z]{1,8}[0-9]{0,3}(-[A-Z]{1,8}[0-9]{0,3}[a-z]?)?|[a-z]{1,16}( [a-z]{1,16}){0,3}",
    "view": r"[a-z]{1,16}(\+[a-z]{1,16}){0,4}",
    "word": r"[a-z]{1,16}",
    "name": _NAME,
    "digest": r"[0-9a-f]{64}",
    "month": r"[0-9]{4}-(0[1-9]|1[0-2])",
    "log": r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}",
    "t": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z",
}
_MATCH = {name: re.compile(pattern, re.ASCII).fullmatch for name, pattern in PATTERNS.items()}


@lru_cache(maxsize=8192)
def fits(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern as a whole."""
    return _MATCH[pattern](text) is not None


def checked(where: str, pattern: str, value: object) -> str:
    """The value, if it is a text of this pattern.

    Raises:
        EnvelopeError: it is not; the message names the place and never the value.
    """
    if not isinstance(value, str) or not fits(pattern, value):
        raise EnvelopeError(f"the envelope's {where} does not have the form the format gives it")
    return value


def checked_once(where: str, pattern: str, value: object) -> str:
    """As `checked`, for values that come once: remembered, they would push out the rest."""
    if not isinstance(value, str) or _MATCH[pattern](value) is None:
        raise EnvelopeError(f"the envelope's {where} does not have the form the format gives it")
    return value


def quoted(value: str | None) -> str:
    """A checked text as JSON, None as null."""
    return "null" if value is None else f'"{value}"'


def optional(where: str, pattern: str, value: object) -> str:
    """A checked text as JSON, or null."""
    return "null" if value is None else f'"{checked(where, pattern, value)}"'


def listing(where: str, pattern: str, values: Iterable[str]) -> str:
    """As `sorted_list`, for whatever a caller calls a list."""
    try:
        return sorted_list(where, pattern, tuple(values))
    except TypeError:  # something that can't be remembered is no text either
        raise EnvelopeError(f"the envelope's {where} is not a list of texts") from None


@lru_cache(maxsize=4096)
def sorted_list(where: str, pattern: str, values: tuple[str, ...]) -> str:
    """A sorted JSON list without repetition; the same few lists come back all day."""
    found = sorted({checked(where, pattern, value) for value in values})
    if len(found) > MAX_ITEMS:
        raise EnvelopeError(f"the envelope's {where} has more than {MAX_ITEMS} items")
    return "[" + ",".join([f'"{item}"' for item in found]) + "]"
