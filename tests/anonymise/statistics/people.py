# SPDX-License-Identifier: EUPL-1.2
"""Made-up people as members of a table's cells."""

import random

from anonymise.statistics import layout_of

KEY = bytes(range(32))
AGES = (("0-4", 5), ("5-11", 6), ("12-17", 9), ("18-59", 76), ("60+", 4))
SEXES = (("M", 84), ("F", 15), ("X", 1))
NATIONS = (("AF", 40), ("SY", 25), ("PK", 15), ("MA", 9), ("IQ", 6), ("BD", 3), ("NP", 2))
DEMOGRAPHY = layout_of("age_sex_nationality")


def _one(rng, words):
    return rng.choices([word for word, _ in words], [weight for _, weight in words])[0]


def population(count, seed=0):
    """Reference -> cell."""
    rng = random.Random(seed)  # noqa: S311 - made-up people need a seed, not a secret
    return {
        f"P-{number}": (_one(rng, AGES), _one(rng, SEXES), _one(rng, NATIONS))
        for number in range(count)
    }


def members(people):
    cells = {}
    for who, cell in people.items():
        cells.setdefault(cell, set()).add(who)
    return {cell: frozenset(whom) for cell, whom in cells.items()}


def without(people, count, first=0):
    """The same people but for so many of them."""
    gone = set(list(people)[first : first + count])
    return {who: cell for who, cell in people.items() if who not in gone}
