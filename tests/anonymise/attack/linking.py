# SPDX-License-Identifier: EUPL-1.2
"""Joining two recipients' views: the most that equal columns allow, and what an attacker gets.

Rows that agree in every compared column cannot be told apart by them, so whoever joins at random
within such a class gets one right link for each class on average: classes / people is the bound.
An attacker who gets more has found something else that joins, an order or a code, say.
"""

from collections import defaultdict
from itertools import combinations
from math import sqrt

from tests.anonymise.attack.views import OWN

DEVIATIONS = 4


def shared_columns(one, other):
    """Columns that both recipients have and that are no codes of their own domains."""
    return sorted((set(one.rows[0]) & set(other.rows[0])) - OWN)


def classes(view, columns):
    """Values -> places of the rows that show them, in the order of the view."""
    found = defaultdict(list)
    values = [view.columns[column] for column in columns]
    keys = zip(*values, strict=True) if values else [()] * len(view.rows)
    for place, key in enumerate(keys):
        found[key].append(place)
    return found


def bound(view, other, columns):
    """Right links to be expected from the columns alone, and their standard deviation."""
    mine, theirs = classes(view, columns), classes(other, columns)
    expected = variance = 0.0
    for values, places in mine.items():
        whose = {view.persons[place].reference for place in places}
        likes = theirs.get(values, ())
        right = sum(other.persons[place].reference in whose for place in likes)
        if likes:
            chance = right / max(len(places), len(likes))
            expected += chance
            variance += chance if len(likes) > 1 else 0
    return expected, sqrt(variance)


def _rank(view, column):
    """Places in the order of one column: what sorting by a code would show."""
    return sorted(
        range(len(view.rows)), key=lambda place: (str(view.rows[place].get(column)), place)
    )


def right_links(one, other, columns, sort_by=None):
    """Right links of an attacker who joins equal rows in order, his own or that of a code."""
    order = [
        {place: rank for rank, place in enumerate(_rank(view, sort_by))}
        if sort_by is not None
        else {place: place for place in range(len(view.rows))}
        for view in (one, other)
    ]
    theirs = classes(other, columns)
    right = 0
    for values, places in classes(one, columns).items():
        likes = sorted(theirs.get(values, ()), key=order[1].__getitem__)
        mine = sorted(places, key=order[0].__getitem__)
        right += sum(
            one.persons[place].reference == other.persons[like].reference
            for place, like in zip(mine, likes, strict=False)
        )
    return right


def chosen_combinations(view, columns, each=2):
    """Every combination of up to two columns, then from each size those that separate most.

    For a view of many columns: the number of classes only grows with more columns, so the best of
    a size are looked for among those that add one column to the best of the size before.
    """
    best = [()]
    yield ()
    for size in range(1, len(columns) + 1):
        if size <= 2:
            grown = list(combinations(columns, size))
        else:
            grown = sorted(
                {tuple(sorted({*chosen, column})) for chosen in best for column in columns}
            )
            grown = [chosen for chosen in grown if len(chosen) == size]
        grown.sort(key=lambda chosen: -len(classes(view, chosen)))
        best = grown[:each]
        yield from grown if size <= 2 else best
