# SPDX-License-Identifier: EUPL-1.2
"""Common code lists, and a register's own codes translated into them.

docs/formats/mapping.md §Codes. A native code that no list names reads as unknown, never as itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.sources.countries import ALPHA2, FROM_ALPHA3

__all__ = ["BUILT_IN", "COMMON", "CodeList", "common_name"]

COMMON: Final[dict[str, frozenset[str]]] = {
    "sex": frozenset({"M", "F", "X"}),
    "yesno": frozenset({"yes", "no"}),
    "country": ALPHA2,
    "provenance": frozenset({"national", "eurodac", "aid_body", "abroad"}),
    "dob_precision": frozenset({"day", "month", "year", "unknown"}),
    "person_category": frozenset({"ASY", "IRR", "ILL", "SAR", "RSA", "RSX", "RSN", "TMP"}),
    "claim_state": frozenset({"open", "granted", "refused", "withdrawn", "closed"}),
    "relation_code": frozenset({"spouse", "parent", "child", "sibling", "guardian", "other"}),
    "needs_codes": frozenset({"CR", "SC", "WR", "ER", "SP", "DS", "SM", "FU", "LP", "TR", "SV"}),
}
"""Closed lists: the only values that their fields may take in the common form."""


@dataclass(frozen=True, slots=True)
class CodeList:
    """One register's codes: native value to common value.

    `name` is as written in the file; `common` the closed list that it translates into, or "" when
    the list is the register's own affair.
    """

    name: str
    common: str
    line: int
    native: Mapping[str, str]

    def natives(self, value: str) -> tuple[str, ...]:
        """The native codes that mean `value`, sorted; empty when none does."""
        return tuple(sorted(code for code, common in self.native.items() if common == value))


def common_name(name: str) -> str:
    """The closed list that a list of this name translates into, "" for an open one.

    `country` and `country/old` both translate into `country`.
    """
    head = name.partition("/")[0]
    return head if head in COMMON else ""


def _identity(name: str) -> CodeList:
    return CodeList(name, name, 0, {value: value for value in COMMON[name]})


BUILT_IN: Final[dict[str, CodeList]] = {
    **{name: _identity(name) for name in COMMON},
    "country/alpha3": CodeList("country/alpha3", "country", 0, FROM_ALPHA3),
}
"""Lists that need no writing: each closed list as itself, and countries in alpha-3."""
