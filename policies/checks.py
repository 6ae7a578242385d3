# SPDX-License-Identifier: EUPL-1.2
"""What refuses a question before any line is looked at (access matrix, "Checks before any line").

Each check has an id that stands in the decision where a rule id would, so that an officer reads why
and a log shows it. `policies.engine` relies on it.
"""

from __future__ import annotations

from policies.question import Question
from policies.vocabulary import INTERNATIONAL, CellKey, Vocabulary

WORD = "Q-WORD"
"""A word of the question is not in the vocabulary, or is empty."""
KIND = "Q-KIND"
"""This organisation may not hold that role, or not in that country."""
ROLE = "Q-ROLE"
"""This role may not state that purpose."""
BASIS = "Q-BASIS"
"""The legal basis is not one of that purpose."""
CELL = "Q-CELL"
"""No such dataset, category, view and action."""
NAMED = "Q-NAMED"
"""The action names exactly one person, and the question does not."""


def refusal(vocabulary: Vocabulary, question: Question, owner: str) -> str | None:
    """The first check that fails for the whole question, apart from CELL and NAMED."""
    if not _known_words(vocabulary, question, owner):
        return WORD
    if not _may_act(vocabulary, question):
        return KIND
    purpose = vocabulary.purposes[question.purpose]
    if question.role not in purpose.roles:
        return ROLE
    if question.basis not in purpose.bases:
        return BASIS
    return None


def named_refusal(vocabulary: Vocabulary, question: Question) -> str | None:
    """NAMED when the action needs exactly one named person and the question has none."""
    # Anything but the one true value counts as "not named": a question may come from afar.
    named = question.named is True
    return NAMED if vocabulary.actions[question.action].named and not named else None


def categories(vocabulary: Vocabulary, question: Question) -> tuple[str, ...]:
    """The categories asked, once each; every one of the dataset when none is named."""
    if question.categories:
        return tuple(dict.fromkeys(question.categories))
    dataset = vocabulary.datasets.get(question.dataset)
    return tuple(dataset.categories) if dataset is not None else ()


def views(vocabulary: Vocabulary, question: Question, category: str) -> tuple[str, ...]:
    """The views to try for one category, strongest first; () when there is no such cell."""
    return tuple(
        view
        for view in vocabulary.ladder(question.view)
        if CellKey(question.dataset, category, view, question.action) in vocabulary.cells
    )


def _known_words(vocabulary: Vocabulary, question: Question, owner: str) -> bool:
    dataset = vocabulary.datasets.get(question.dataset)
    return (
        question.role in vocabulary.roles
        and question.org in vocabulary.organisations
        and question.country in (*vocabulary.countries, INTERNATIONAL)
        and owner in vocabulary.countries
        and owner in question.owners
        and dataset is not None
        and set(question.categories) <= set(dataset.categories)
        and question.view in vocabulary.views
        and question.action in vocabulary.actions
        and question.purpose in vocabulary.purposes
    )


def _may_act(vocabulary: Vocabulary, question: Question) -> bool:
    """The organisation may hold the role, and speaks from where it can be."""
    org = vocabulary.organisations[question.org]
    if not vocabulary.may_hold(org, question.role):
        return False
    return (
        question.country in vocabulary.countries
        if org.stations
        else question.country == org.country
    )
