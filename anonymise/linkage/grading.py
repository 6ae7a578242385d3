# SPDX-License-Identifier: EUPL-1.2
"""Stand-in until the grammar is merged: the types alone."""

from collections.abc import Collection
from enum import StrEnum

from anonymise.linkage.keys import KeyKind


class Grade(StrEnum):
    """How surely."""

    STRONG = "strong"
    POSSIBLE = "possible"
    NONE = "none"


def grade_kinds(kinds: Collection[KeyKind]) -> Grade:
    """The index alone."""
    if not kinds:
        return Grade.NONE
    return Grade.STRONG if len(kinds) > 1 else Grade.POSSIBLE
