# SPDX-License-Identifier: EUPL-1.2
"""Several tables over the same people: none tells what another leaves out."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymise import TableError
from anonymise.statistics import (
    Answered,
    Cube,
    Overlap,
    Refusal,
    Tie,
    intervals,
    layout_of,
    pattern_of,
    snapshot_of,
)
from anonymise.statistics.audit_lp import Protection
from anonymise.statistics.suppress import left_out
from tests.anonymise.statistics.people import DEMOGRAPHY, KEY, population

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
OCCUPANCY, ARRIVALS = layout_of("occupancy"), layout_of("arrivals")
CLAIMS, NEEDS = layout_of("claims"), layout_of("needs")
SEEDS = (4, 5, 7, 10)
WEEKS = {("2026-W45",): 82, ("2026-W46",): 112, ("2026-W47",): 103, ("2026-W48",): 3}


def cells(people, first=0):
    """Cells of so many people each, in the order of their references."""
    found = {}
    for cell, count in people.items():
        found[cell] = frozenset(f"P-{n}" for n in range(first, first + count))
        first += count
    return found


def snapshot(tables, minimum=10):
    return snapshot_of(tables, minimum=minimum, key=KEY)


def published(tables, answered=None):
    """(layout, *key) -> exact count behind each figure that may be published."""
    taken = snapshot(tables)
    pattern = pattern_of(taken, answered or Answered(), KEY)
    return {
        (name, *key): cohort.size
        for name, answer in pattern.answers.items()
        for key, cohort in answer.figures
    }


def demography(total):
    """A table whose total is certain to be published, were it alone."""
    return cells({("18-59", "F", "AF"): 100, ("18-59", "M", "AF"): total - 100})


def test_a_total_less_the_weeks_of_another_table_does_not_tell_the_week_left_out():
    told = published({DEMOGRAPHY: demography(300), ARRIVALS: cells(WEEKS)})
    weeks = sum(count for key, count in told.items() if key[0] == "arrivals")
    total = told.get((DEMOGRAPHY.name, "all", "all", "all"))
    assert ("arrivals", "2026-W48") not in told
    assert weeks
    assert total is None or total - weeks >= 10


def test_by_itself_the_table_of_weeks_would_tell_all_but_the_small_one():
    assert len(published({ARRIVALS: cells(WEEKS)})) == 3


def test_a_few_people_who_stand_in_one_table_only_cannot_be_told_by_subtracting():
    weeks = cells({("2026-W45",): 82, ("2026-W46",): 112, ("2026-W47",): 103})
    told = published({DEMOGRAPHY: demography(300), ARRIVALS: weeks})
    total = told.get((DEMOGRAPHY.name, "all", "all", "all"))
    everyone = sum(1 for key in told if key[0] == "arrivals") == len(weeks)
    assert total is None or not everyone


def test_a_few_people_who_are_counted_twice_cannot_be_told_by_subtracting():
    weeks = cells({("2026-W45",): 182, ("2026-W46",): 118})
    weeks["2026-W46",] |= frozenset(f"P-{n}" for n in range(4))
    told = published({DEMOGRAPHY: demography(300), ARRIVALS: weeks})
    total = told.get((DEMOGRAPHY.name, "all", "all", "all"))
    both = sum(1 for key in told if key[0] == "arrivals") == len(weeks)
    assert total is None or not both


def reception(seed, people=600):
    """People in centres of very different sizes."""
    dice = random.Random(seed)  # noqa: S311
    found = {}
    for who, (band, sex, _) in population(people, seed).items():
        centre = dice.choices("ABCDE", (60, 25, 10, 4, 1))[0]
        found.setdefault((centre, band, sex), set()).add(who)
    return {cell: frozenset(whom) for cell, whom in found.items()}


def attacked(members, told, *, centres):
    """What an attacker who also has the centres' table works out of `occupancy`: key -> interval.

    A program of his own: he knows the layout, and that any cell of a small centre may be empty.
    """
    keys = {key for key in members if members[key]}
    words = {key[1:] for key in keys}
    small = {c for c in "ABCDE" if sum(len(m) for k, m in members.items() if k[0] == c) < 10}
    keys |= {(c, *pair) for c in small & {key[0] for key in keys} for pair in words}
    margins = {}
    for key in sorted(keys):
        centre, band, sex = key
        for margin in (
            (centre, "all", "all"), ("all", band, sex), ("all", band, "all"), ("all", "all", sex),
            ("all", "all", "all"),
        ):  # fmt: skip
            margins.setdefault(margin, []).append(key)
    size = {key: len(members.get(key, ())) for key in keys}
    known = {m: sum(map(size.get, k)) for m, k in margins.items() if m[1:] == ("all", "all")}
    cube = Cube(tuple(sorted(keys)), {m: tuple(k) for m, k in margins.items()})
    exact = {key[1:]: count for key, count in told.items()}
    counts = cube.counts(size)
    wanted = [key for key in cube.figures if counts[key] and key not in known]
    wanted = [key for key in wanted if key not in exact]
    anyhow = intervals(cube, known, wanted)
    found = intervals(cube, exact | (known if centres else {}), wanted)
    return {key: (counts[key], anyhow[key], found[key]) for key in wanted}


def told_too_closely(found):
    """Figures exact, or narrower than their interval, where the centres alone leave that open."""
    return [
        key
        for key, (count, (least, most), (low, high)) in found.items()
        if high - low < min(5, most - least) - 1e-6
        or (count < 10 and (low > least + 1e-6 or high < min(10, most) - 1e-6))
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_centres_table_tells_nothing_that_occupancy_leaves_out(seed):
    members = reception(seed)
    told = published({OCCUPANCY: members})
    assert told
    found = attacked(members, told, centres=True)
    assert found
    assert told_too_closely(found) == []


def test_without_that_control_the_centres_table_tells_people():
    open_to = 0
    for seed in SEEDS:
        members = reception(seed)
        told = published({replace(OCCUPANCY, public=()): members})
        open_to += len(told_too_closely(attacked(members, told, centres=True)))
    assert open_to


def test_a_margin_that_one_table_leaves_out_is_not_told_by_the_other():
    """Everybody is in a centre: both tables have the same ages and sexes."""
    for seed in SEEDS:
        members, people = reception(seed), population(600, seed)
        ages = {}
        for who, cell in people.items():
            ages.setdefault(cell, set()).add(who)
        told = published(
            {OCCUPANCY: members, DEMOGRAPHY: {k: frozenset(v) for k, v in ages.items()}}
        )
        also = {
            ("occupancy", "all", key[1], key[2]): count
            for key, count in told.items()
            if key[0] == DEMOGRAPHY.name and key[3] == "all"
        }
        mine = {key: count for key, count in told.items() if key[0] == "occupancy"}
        found = attacked(members, {**also, **mine}, centres=True)
        assert (
            told_too_closely({k: v for k, v in found.items() if ("occupancy", *k) not in also})
            == []
        )


def layouts(count=300, weeks=WEEKS):
    return {
        DEMOGRAPHY: demography(count),
        ARRIVALS: cells(weeks),
        CLAIMS: cells({("open",): 200, ("refused",): 94}),
        NEEDS: cells({("SM",): 40}) | cells({("SC",): 25}, first=20),
    }


@pytest.mark.parametrize("turn", range(4))
def test_every_layout_of_one_moment_is_answered_in_any_order_and_always_the_same(turn):
    """Claims are six people short of all: by themselves the two would exclude each other."""
    tables = layouts()
    taken = snapshot(tables)
    alone = {
        one: pattern_of(taken, Answered(), KEY).table(one, Answered(), KEY).answer for one in tables
    }
    answered, order = Answered(), [*tables][turn:] + [*tables][:turn]
    for layout in order:
        made = pattern_of(taken, answered, KEY).table(layout, answered, KEY)
        assert made.answer == alone[layout]
        assert answered.fold(replace(made.answer, at=NOW)) is None
    for layout in order:
        again = pattern_of(taken, answered, KEY).table(layout, answered, KEY)
        assert answered.holds(again.answer)


def test_two_moments_a_few_people_apart_still_exclude_one_another():
    answered = Answered()
    first = pattern_of(snapshot(layouts()), answered, KEY).table(DEMOGRAPHY, answered, KEY)
    assert answered.fold(replace(first.answer, at=NOW)) is None
    later = snapshot(layouts(weeks={**WEEKS, ("2026-W48",): 5}))
    made = pattern_of(later, answered, KEY)
    assert isinstance(made.table(ARRIVALS, answered, KEY), Overlap)
    assert answered.refuses(made.answers["arrivals"]) is Refusal.OVERLAP


def test_two_figures_of_one_moment_a_few_people_apart_are_not_both_told():
    tables = {
        NEEDS: cells({("WR",): 96}, first=4),
        DEMOGRAPHY: demography(300)
        | {("18-59", "F", "AF"): frozenset(f"P-{n}" for n in range(4, 104))},
    }
    tables[DEMOGRAPHY]["18-59", "M", "AF"] = frozenset(f"M-{n}" for n in range(200))
    told = published(tables)
    assert (DEMOGRAPHY.name, "all", "F", "all") in told
    assert ("needs", "WR") not in told
    assert ("needs", "WR") in published({NEEDS: tables[NEEDS]})


def test_what_was_answered_at_another_moment_is_known_and_cannot_be_left_out_again():
    """The week that would go with the small one was told before, so another has to go."""
    answered, weeks = Answered(), cells(WEEKS)
    tables = {DEMOGRAPHY: demography(300), ARRIVALS: weeks}
    gone = ("2026-W45",)
    assert ("arrivals", *gone) not in published(tables)
    earlier = snapshot({ARRIVALS: {gone: weeks[gone]}})
    first = pattern_of(earlier, answered, KEY).table(ARRIVALS, answered, KEY)
    assert answered.fold(replace(first.answer, at=NOW)) is None
    told = published(tables, answered)
    known = {key: count for key, count in told.items() if key[0] == "arrivals"}
    known["arrivals", *gone] = len(weeks[gone])
    total = told.get((DEMOGRAPHY.name, "all", "all", "all"), 999)
    assert total - sum(known.values()) >= 10


def test_in_a_centre_with_one_person_nobody_knows_of_which_age_and_sex():
    members = {("A", "18-59", "M"): 60, ("A", "0-4", "F"): 30, ("B", "0-4", "F"): 1}
    taken = snapshot({OCCUPANCY: cells(members)})
    pattern = pattern_of(taken, Answered(), KEY)
    assert ("B", "0-4", "F") not in dict(pattern.answers["occupancy"].figures)
    figures = {("occupancy", *key): c.size for key, c in pattern.answers["occupancy"].figures}
    low, high = intervals(taken.cube, figures)["occupancy", "B", "0-4", "F"]
    assert (round(low), round(high)) == (0, 1)


def mixed(seed):
    """A register of all sizes in which hardly anybody is in every table."""
    dice = random.Random(seed)  # noqa: S311
    people = population(dice.choice((3, 40, 150)), seed)
    tables = {layout: {} for layout in (DEMOGRAPHY, OCCUPANCY, ARRIVALS, CLAIMS, NEEDS)}
    for who, (band, sex, nation) in people.items():
        put = {
            DEMOGRAPHY: [(band, sex, nation)],
            OCCUPANCY: [(dice.choice("AAAB"), band, sex)] if dice.random() < 0.9 else [],
            ARRIVALS: {(f"2026-W{dice.randrange(40, 45)}",) for _ in range(dice.choice((1, 1, 2)))},
            CLAIMS: [(dice.choice(("open", "refused")),)] if dice.random() < 0.95 else [],
            NEEDS: {(need,) for need in dice.sample(("SM", "SC", "WR"), dice.randrange(3))},
        }
        for layout, found in put.items():
            for cell in found:
                tables[layout].setdefault(cell, set()).add(who)
    return {k: {c: frozenset(w) for c, w in t.items()} for k, t in tables.items()}


@given(st.integers(0, 10_000), st.sampled_from([10, 20]))
@settings(max_examples=8, deadline=None)
def test_whatever_the_people_the_programs_find_a_pattern_and_prove_it(seed, minimum):
    pattern = pattern_of(snapshot(mixed(seed), minimum), Answered(), KEY)
    sizes = [cohort.size for a in pattern.answers.values() for _, cohort in a.figures]
    assert all(size >= minimum for size in sizes)


@given(st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_where_nothing_is_public_no_figure_is_held_to_less(seed):
    tables = mixed(seed)
    tables[replace(OCCUPANCY, public=())] = tables.pop(OCCUPANCY)
    taken = snapshot(tables)
    left = left_out(taken.cube, taken.counts, 10, secret=taken.secret)
    assert left.small
    for key in left.small | taken.secret:
        assert left.demands[key] == Protection(10, reach=10)


@pytest.mark.parametrize("minimum", [True, 0, 4])
def test_a_threshold_that_protects_nobody_is_refused(minimum):
    with pytest.raises(TableError, match="threshold"):
        snapshot({DEMOGRAPHY: demography(300)}, minimum)


def test_an_equation_between_tables_is_what_the_attacker_subtracts_with():
    cube = Cube((("a",), ("b",), ("c",)), {}, (Tie({("a",): 1, ("b",): 1, ("c",): -1}),))
    assert intervals(cube, {("b",): 297, ("c",): 300}) == {("a",): (3, 3)}
    assert intervals(replace(cube, public={("b",): 297}), {("c",): 300})["a",] == (3, 3)
