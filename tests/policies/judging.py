# SPDX-License-Identifier: EUPL-1.2
"""Stock casbin as the judge of compiled sets, and dice that say how to throw them again.

The equality tests rely on it, in the gateway's environment and in the one of `pycasbin`.
"""

from dataclasses import replace
from random import Random

from policies.facts import Known
from policies.masks import Request
from policies.matcher import stock_enforcer
from tests.policies.seeds import seed

SEED = seed()
COLUMNS = Request._fields
UNKNOWN = ("unheard-of", "", "*", "a + b")


def dice(name):
    """Dice of one test; `CUVAR_SEED` throws them again."""
    return Random(f"{SEED}/{name}")  # noqa: S311  # repeatable, no secret


def told(request, facts):
    """What a failing comparison says: the question, and the seed."""
    return f"{request} sure {sorted(facts.sure)} maybe {sorted(facts.maybe)}; seed {SEED}"


def enforce(judge, request, facts):
    """Stock casbin's answer."""
    return judge.enforce(*request, facts.sure, facts.maybe)


def alone(conf, line, groups):
    """A stock enforcer that allows exactly when it matches this one line, or exactly when not.

    A denial shows only beside a line that allows everything, which comes with it; the second value
    says what `enforce` answers when the line matches.
    """
    if line.eft == "allow":
        return stock_enforcer(conf, (line,), groups), True
    roles = tuple(sorted({*groups["anyone"], *UNKNOWN} - {"", "*", "a + b"}))
    stars = dict.fromkeys(COLUMNS[1:], ("*",))
    every = replace(line, id="ALL", role=roles, **stars, guards=(), eft="allow")
    return stock_enforcer(conf, (every, line), groups), False


def askers(words):
    """Every asker name that the org column may hold."""
    return [
        f"{org.id}/{place}" if org.stations else org.id
        for org in words.organisations.values()
        for place in (words.countries if org.stations else (org.country,))
    ]


def column_words(words):
    """Every word that a question may hold, by column."""
    return {
        "role": sorted(words.roles),
        "org": askers(words),
        "owner": sorted(words.countries),
        "dataset": sorted(words.datasets),
        "category": sorted({cell.category for cell in words.cells}),
        "view": sorted(words.views),
        "action": sorted(words.actions),
        "purpose": sorted(words.purposes),
    }


def aimed(line, words, groups, throw):
    """A request that the columns of a line accept; "*" and groups are drawn from the vocabulary."""
    found = {}
    for column, every in words.items():
        cell = getattr(line, column)
        if column == "role":
            cell = sorted(frozenset().union(*(groups.get(role, {role}) for role in cell)))
        found[column] = throw.choice(every if tuple(cell) == ("*",) else cell)
    return Request(**found)


def some_facts(guards, every, throw):
    """Facts around the guards of a line: mostly met, sometimes only possible or unknown."""
    sure, maybe = set(), set()
    for guard in every:
        near = guard in guards
        state = throw.choices(("sure", "maybe", "no"), (8, 1, 1) if near else (1, 1, 3))[0]
        if state != "no":
            maybe.add(guard)
        if state == "sure":
            sure.add(guard)
    return Known(frozenset(sure), frozenset(maybe))
