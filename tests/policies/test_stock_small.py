# SPDX-License-Identifier: EUPL-1.2
"""Random small policies, every question of a small world, against stock casbin (engine §1.6, 3).

Lines here need not be lawful: masks must equal casbin's matcher for whatever the loader may one
day let through. `pytest -m exhaustive` draws more policies.
"""

from itertools import product

import pytest

from policies import example_rules
from policies.facts import Known
from policies.line import Line
from policies.masks import Request, RuleSet
from policies.matcher import stock_enforcer
from tests.policies.judging import COLUMNS, SEED, dice, enforce, told
from tests.policies.seeds import tell

CONF = (example_rules().parent / "model.conf").read_text(encoding="utf-8")
WORLD = {
    "role": ("officer", "worker", "stranger"),
    "org": ("A", "B/A"),
    "owner": ("A", "B"),
    "dataset": ("files", "stays"),
    "category": ("name", "place"),
    "view": ("full", "count"),
    "action": ("read", "find"),
    "purpose": ("check", "care"),
}
GROUPS = {"all": frozenset({"officer", "worker"}), "few": frozenset({"worker"}), "no": frozenset()}
GUARDS = ("near", "late")
FACTS = [
    Known(frozenset(sure), frozenset(maybe))
    for maybe in ((), ("near",), ("late",), GUARDS)
    for sure in ((), ("near",), ("late",), GUARDS)
    if set(sure) <= set(maybe)
]
FREE = 4


def random_line(throw, number):
    def cell(words):
        shape = throw.random_shape
        if shape == "star":
            return ("*",)
        return tuple(throw.sample(words, 1 if shape == "one" else throw.randint(1, len(words))))

    columns = {}
    for name, words in WORLD.items():
        throw.random_shape = throw.choice(("star", "star", "one", "some"))
        columns[name] = cell(words)
    roles = (*WORLD["role"], *GROUPS)
    columns["role"] = tuple(throw.sample(roles, throw.randint(1, 3)))
    return Line(
        file="made.csv",
        number=number + 2,
        id=f"L{number}",
        **columns,
        guards=tuple(throw.sample(GUARDS, throw.randint(0, 2))),
        eft=throw.choice(("allow", "allow", "deny")),
        duties=(),
        law=("LAW",),
        status="verified",
        note="-",
    )


def questions(throw):
    """Every question of the world, with some columns held at one word; a word of none included."""
    free = set(throw.sample(COLUMNS, FREE))
    columns = [
        (*words, "other") if name in free else (throw.choice(words),)
        for name, words in WORLD.items()
    ]
    return [Request(*values) for values in product(*columns)]


def compare(throw):
    """One random policy: how many decisions were compared, and how many of them allowed."""
    lines = [random_line(throw, number) for number in range(throw.randint(1, 7))]
    rules = RuleSet(CONF, lines, GROUPS)
    judge = stock_enforcer(CONF, lines, GROUPS)
    compared = allowed = 0
    for request in questions(throw):
        for facts in throw.sample(FACTS, 4):
            answer = enforce(judge, request, facts)
            assert rules.allowed(request, facts) is answer, f"{lines}: {told(request, facts)}"
            cells = [(request.dataset, request.category)]
            assert rules.allowed_cells(request, cells, facts) == [answer]
            compared, allowed = compared + 1, allowed + answer
    return compared, allowed


def total(name, policies):
    throw = dice(name)
    found = [compare(throw) for _ in range(policies)]
    compared, allowed = (sum(column) for column in zip(*found, strict=True))
    tell(f"{policies} policies, {compared} decisions, {allowed} allowed, seed {SEED}")
    assert allowed > policies
    return compared


def test_small_policies_answer_every_question_as_stock_casbin_does():
    assert total("small", 30) > 5_000


@pytest.mark.exhaustive
def test_many_small_policies_answer_every_question_as_stock_casbin_does():
    assert total("many", 400) > 75_000
