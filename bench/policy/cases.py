# SPDX-License-Identifier: EUPL-1.2
"""The questions that every engine is asked: a fixed list, allowed and refused, several fact sets.

Half of the refused ones lie next to something allowed (one word or one fact away), because those
are what an engine must look at longest; the rest is drawn from the vocabulary.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from policies.facts import Known, known
from policies.line import Line
from policies.masks import Request, RuleSet
from policies.question import Truth
from policies.snapshot import RuleBook
from policies.table import EVERY
from policies.vocabulary import Vocabulary
from policies.zones import asker_name

SEED = 11
_TRIES = 200_000
Cell = tuple[str, str]


class Case(NamedTuple):
    """A question about one cell, with what is known."""

    request: Request
    facts: Known


class Asking(NamedTuple):
    """The fixed list for one rule set.

    Attributes:
        cases: half of them allowed, in mixed order.
        whole: those of the cases in which some cell is allowed; `cells` is asked of each.
        cells: six datasets by nine categories: the cells of one question.
    """

    cases: Sequence[Case]
    whole: Sequence[Case]
    cells: Sequence[Cell]


def asking(book: RuleBook, rules: RuleSet, size: int) -> Asking:
    """`size` cases for a rule set."""
    draw = random.Random(SEED)  # noqa: S311  the same cases at each run
    half = size // 2
    allowed: dict[Case, None] = {}
    near: dict[Case, None] = {}
    far: dict[Case, None] = {}
    sets = _fact_sets(book.vocabulary, draw)
    for case in _drawn(book.vocabulary, rules, sets, draw):
        if rules.allowed(*case):
            allowed.setdefault(case)
            near.setdefault(_beside(case, sets, book.vocabulary, draw))
        else:
            far.setdefault(case)
        near = {beside: None for beside in near if not rules.allowed(*beside)}
        if len(allowed) >= half and len(near) >= half // 2 and len(far) >= half:
            break
    else:
        raise AssertionError(f"of {_TRIES} cases only {len(allowed)} are allowed")
    refused = [*list(near)[: half // 2], *far][: size - half]
    cases = [*list(allowed)[:half], *refused]
    draw.shuffle(cases)
    cells = _cells(book.vocabulary)
    whole = [case for case in cases if any(rules.allowed_cells(case.request, cells, case.facts))]
    return Asking(cases, whole, cells)


def _fact_sets(words: Vocabulary, draw: random.Random) -> list[Known]:
    """Everything at its best, nothing known, and six in between; each derived fact both ways."""
    best = {g.id: Truth.FALSE if g.harmful else Truth.TRUE for g in words.guards.values()}
    stated = [best, {}]
    for share in (2, 4, 6, 8, 10, 12):
        doubtful = [name for name in best if draw.randrange(share) == 0]
        stated.append({**best, **dict.fromkeys(doubtful, Truth.POSSIBLE)})
    derived = [frozenset[str](), frozenset({"abroad"}), frozenset({"abroad", "outside_union"})]
    return [known(words, facts, implied) for facts, implied in product(stated, derived)]


def _drawn(
    words: Vocabulary, rules: RuleSet, sets: list[Known], draw: random.Random
) -> Iterator[Case]:
    """Every other case is aimed at a line, the rest anywhere."""
    allows = [line for line in rules.lines if line.eft == "allow"]
    orgs = _orgs(words)
    for number in range(_TRIES):
        facts = sets[0] if number % 4 == 0 else draw.choice(sets)
        request = _anywhere(words, orgs, draw)
        yield Case(_at(draw.choice(allows), request, draw) if number % 2 == 0 else request, facts)


def _anywhere(words: Vocabulary, orgs: list[str], draw: random.Random) -> Request:
    cell = draw.choice(sorted(words.cells))
    purpose = draw.choice(list(words.purposes.values()))
    return Request(
        role=draw.choice(sorted(purpose.roles)),
        org=draw.choice(orgs),
        owner=draw.choice(sorted(words.countries)),
        dataset=cell.dataset,
        category=cell.category,
        view=cell.view,
        action=cell.action,
        purpose=purpose.id,
    )


def _at(line: Line, request: Request, draw: random.Random) -> Request:
    """The request with words of the line wherever the line names words."""
    words = {}
    for column in Request._fields:
        cell: tuple[str, ...] = getattr(line, column)
        if cell != (EVERY,):
            words[column] = draw.choice(cell)
    return request._replace(**words)


def _beside(case: Case, sets: list[Known], words: Vocabulary, draw: random.Random) -> Case:
    """The case with one thing changed."""
    changed = draw.randrange(4)
    if changed == 0:
        return case._replace(facts=draw.choice(sets))
    if changed == 1:
        return case._replace(request=case.request._replace(purpose=draw.choice([*words.purposes])))
    if changed == 2:
        return case._replace(request=case.request._replace(org=draw.choice(_orgs(words))))
    return case._replace(request=case.request._replace(owner=draw.choice([*words.countries])))


def _orgs(words: Vocabulary) -> list[str]:
    return sorted(
        asker_name(org, place)
        for org in words.organisations.values()
        for place in (words.countries if org.stations else (org.country,))
    )


def _cells(words: Vocabulary) -> list[Cell]:
    """Nine categories of each of six datasets; a category that a dataset lacks is asked as well."""
    datasets = [name for name, dataset in words.datasets.items() if dataset.personal][:6]
    categories = list(
        dict.fromkeys(c for name in datasets for c in words.datasets[name].categories)
    )
    return list(product(datasets, categories[:9]))
