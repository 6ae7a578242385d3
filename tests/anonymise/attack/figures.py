# SPDX-License-Identifier: EUPL-1.2
"""Every attack once, as figures: what docs/anonymisation/attacks.md tells and tests hold against.

All dice are seeded, so the figures are the same on every machine; a change that lets an attacker
learn more changes them, and with them the page. Run: `python -m tests.anonymise.attack`.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache

from tests.anonymise.attack import knowing, linking, tables
from tests.anonymise.attack.register import known, register
from tests.anonymise.attack.views import generalised_view, pseudonym_view

DRAWS = 10
CASELOAD = 300
RECIPIENTS = (("UNHCR", 11), ("BA-RK", 12))


@dataclass(frozen=True, slots=True)
class Join:
    """The best join by a number of columns."""

    columns: tuple
    bound: float
    deviation: float
    right: int


@cache
def people():
    """The register that is attacked."""
    return tuple(register())


@cache
def pseudonym_views():
    """The two recipients' complete pseudonym views."""
    return tuple(pseudonym_view(people(), name, seed) for name, seed in RECIPIENTS)


@cache
def generalised_views():
    """The two recipients' complete generalised views."""
    return tuple(generalised_view(people(), seed) for _, seed in RECIPIENTS)


@cache
def joins(view):
    """Every combination that was tried, with what it allows and what it gave."""
    one, other = pseudonym_views() if view == "pseudonym" else generalised_views()
    columns = linking.shared_columns(one, other)
    tried = []
    for chosen in linking.chosen_combinations(one, columns):
        expected, deviation = linking.bound(one, other, chosen)
        right = linking.right_links(one, other, chosen)
        tried.append(Join(chosen, expected, deviation, right))
    return tried


def best(tried):
    """By number of columns, the join that allows most."""
    found = {}
    for join in tried:
        known_best = found.get(len(join.columns))
        if known_best is None or join.bound > known_best.bound:
            found[len(join.columns)] = join
    return [found[size] for size in sorted(found)]


@cache
def caseload_join():
    """Two case loads of a tenth of the register each, joined on all columns they share.

    Returns: rows that were linked, right ones, people in both loads.
    """
    loads = [known(list(people()), seed=seed, share=CASELOAD / len(people())) for seed in (21, 22)]
    one, other = (
        pseudonym_view(load, name, seed)
        for load, (name, seed) in zip(loads, RECIPIENTS, strict=True)
    )
    columns = linking.shared_columns(one, other)
    theirs = linking.classes(other, columns)
    linked = sum(
        min(len(places), len(theirs.get(values, ())))
        for values, places in linking.classes(one, columns).items()
    )
    both = {person.reference for person in loads[0]} & {person.reference for person in loads[1]}
    return linked, linking.right_links(one, other, columns), len(both)


@cache
def knowledge(view):
    """What people who know one in a hundred find out, on average over several draws."""
    seen = (pseudonym_views() if view == "pseudonym" else generalised_views())[0]
    found = [knowing.attack(seen, known(list(people()), seed)) for seed in range(DRAWS)]
    return knowing.Found(
        singled_out=sum(one.singled_out for one in found) / DRAWS,
        reidentified=sum(one.reidentified for one in found) / DRAWS,
        smallest=min(one.smallest for one in found),
        guessed=_mean(one.guessed for one in found),
        anyhow=_mean(one.anyhow for one in found),
    )


def _mean(tables_of_shares):
    total = Counter()
    for shares in tables_of_shares:
        total.update(shares)
    return {name: value / DRAWS for name, value in total.items()}


@cache
def arrivals(new=3):
    """A complete generalised view before and after so many arrivals.

    Returns: rows that the second has and the first has not.
    """
    everybody = list(people())
    before, after = (
        Counter(tuple(sorted(row.items())) for row in generalised_view(seen, 31).rows)
        for seen in (everybody[:-new], everybody)
    )
    return (after - before).total()


@cache
def month():
    """Every statistic that two recipients were answered in a month."""
    return tables.month()


@cache
def least_apart(recipient):
    """The fewest people between two answered figures, and of how many pairs."""
    editions, _ = month()
    return tables.least_apart([e for e in editions if e.recipient == recipient])


@cache
def colluding():
    """Two recipients together: pairs of figures under ten people apart, and guesses at which
    counts more; a guess on equal figures is half right.
    """
    editions, _ = month()
    names = sorted(tables.ASKED_ON)
    sides = [
        {
            (e.layout, key, whom): tables.figures(e)[key]
            for e in editions
            if e.recipient == name
            for key, whom in e.counted.items()
        }
        for name in names
    ]
    pairs, right = 0, 0.0
    for (layout, key, whom), figure in sides[0].items():
        for (layout2, key2, whom2), figure2 in sides[1].items():
            near = 0 < len(whom ^ whom2) < tables.THRESHOLD and len(whom) != len(whom2)
            if (layout, key) == (layout2, key2) and near:
                pairs += 1
                said, true = figure - figure2, len(whom) - len(whom2)
                right += 0.5 if said == 0 else said * true > 0
    return pairs, right / pairs


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Figures left out, and how closely they can be told."""

    figures: int
    told: int
    least_exact: float
    least_real: float


@cache
def suppressed(*, apart=False):
    """All figures left out in the month, attacked with all tables of their day together."""
    count, told, exact_widths, real_widths = 0, 0, [], []
    for exact, _, strong, weak in _attacked(apart=apart):
        for key, (low, high) in strong.items():
            count += 1
            told += high - low < tables.THRESHOLD - 1 or not low - 1e-6 <= exact[key] <= high + 1e-6
            exact_widths.append(high - low)
        real_widths += [high - low for low, high in weak.values()]
    return Suppressed(count, told, min(exact_widths), min(real_widths))


@cache
def _attacked(*, apart):
    editions, _ = tables.month(apart=True) if apart else month()
    return list(tables.left_out(editions, both=not apart))


def small_held(width=tables.THRESHOLD):
    """Figures under the threshold that the exact attacker bounds below it."""
    return sum(
        exact[key] < width and high < width - 1e-6
        for exact, _, strong, _ in _attacked(apart=False)
        for key, (_, high) in strong.items()
    )
