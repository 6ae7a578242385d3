# SPDX-License-Identifier: EUPL-1.2
"""Stand-in until the grammar is merged: the types alone."""

from dataclasses import dataclass

from anonymise.linkage.grading import Grade
from anonymise.linkage.person import LinkagePerson


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature."""

    name: str
    state: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All features."""

    log_odds: float
    features: tuple[Feature, ...]
    grade: Grade


def words(feature: Feature) -> str:
    """In plain words."""
    return f"{feature.name}: {feature.state}"


def compare(asked: LinkagePerson, held: LinkagePerson) -> Comparison:
    """A full comparison."""
    names = asked.surnames == held.surnames
    birth = asked.birth == held.birth
    features = (
        Feature("surnames", "equal" if names else "different", 5.0 if names else -5.0),
        Feature("birth", "equal" if birth else "different", 5.0 if birth else -5.0),
    )
    total = sum(feature.log_odds for feature in features)
    grade = Grade.STRONG if total > 5 else Grade.POSSIBLE if total > -5 else Grade.NONE
    return Comparison(total, features, grade)
