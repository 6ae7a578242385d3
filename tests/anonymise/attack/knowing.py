# SPDX-License-Identifier: EUPL-1.2
"""What an attacker who knows some people well finds out of a view: who they are, what they need.

He knows of each everything that is not sensitive, exactly; he treats it as the view does and
keeps the rows that agree. His guess at a sensitive value is the commonest among those rows.
"""

from collections import Counter
from dataclasses import dataclass

from tests.anonymise.attack.linking import classes
from tests.anonymise.attack.views import OWN, SENSITIVE


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it, as shares from 0 to 1.

    Attributes:
        singled_out: known people to whom exactly one row fits.
        reidentified: right guesses at which row is whose, to be expected.
        smallest: rows in the smallest class that fits a known person.
        guessed: sensitive column -> right guesses at its value for the known.
        anyhow: the same for guessing the commonest value of the whole view.
    """

    singled_out: float
    reidentified: float
    smallest: int
    guessed: dict
    anyhow: dict


def attack(view, known):
    """Look the known people up in a view."""
    quasi = [c for c in view.rows[0] if c not in OWN and c not in SENSITIVE]
    told = {person.reference: place for place, person in enumerate(view.persons)}
    fitting = classes(view, quasi)
    sensitive = [column for column in SENSITIVE if column in view.rows[0]]
    commonest = {
        column: Counter(row[column] for row in view.rows).most_common(1)[0][0]
        for column in sensitive
    }
    seen = [person for person in known if person.reference in told]
    likes = {}
    for person in seen:
        row = view.rows[told[person.reference]]
        likes[person.reference] = fitting[tuple(row[column] for column in quasi)]
    right, anyhow = Counter(), Counter()
    for person in seen:
        row = view.rows[told[person.reference]]
        for column in sensitive:
            values = Counter(view.rows[p][column] for p in likes[person.reference])
            right[column] += values.most_common(1)[0][0] == row[column]
            anyhow[column] += commonest[column] == row[column]
    sizes = [len(places) for places in likes.values()]
    many = len(known)
    return Found(
        singled_out=sum(size == 1 for size in sizes) / many,
        reidentified=sum(1 / size for size in sizes) / many,
        smallest=min(sizes),
        guessed={column: right[column] / len(seen) for column in sensitive},
        anyhow={column: anyhow[column] / len(seen) for column in sensitive},
    )
