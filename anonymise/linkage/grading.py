# SPDX-License-Identifier: EUPL-1.2
"""The grade of an answer: strong, possible or none; never a silent yes or no (matching.md 2).

No grade decides anything about a person: a "possible" is looked at by a human before it is used,
and a "strong" is still no more than a reason to ask (GDPR Article 22, Directive 2016/680 Article
11).
"""

from collections.abc import Collection
from enum import StrEnum

from anonymise.linkage.keys import KeyKind
from anonymise.linkage.weights import Weights


class Grade(StrEnum):
    """How surely two records are of one person."""

    STRONG = "strong"
    POSSIBLE = "possible"
    NONE = "none"


def score_kinds(kinds: Collection[KeyKind], weights: Weights | None = None) -> float:
    """The log-odds that a record is of the person, from the kinds of key that agree alone."""
    used = weights or Weights.packaged()
    return used.index_prior + sum(used.kinds[kind] for kind in KeyKind if kind in kinds)


def grade_kinds(kinds: Collection[KeyKind], weights: Weights | None = None) -> Grade:
    """The grade of the index alone.

    One kind by itself is never strong, whatever it weighs: a document number may be borrowed.
    """
    used = weights or Weights.packaged()
    score = score_kinds(kinds, used)
    if score >= used.index_grades.strong and len(set(kinds)) > 1:
        return Grade.STRONG
    return Grade.POSSIBLE if score >= used.index_grades.possible else Grade.NONE
