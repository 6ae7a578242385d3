# SPDX-License-Identifier: EUPL-1.2
"""The gate counts what stands in the file, as pycanon does, and never takes silence for a pass."""

import json
import subprocess
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns, read_hierarchies
from anonymise.release.gate import find
from anonymise.release.verdict import FEWEST, Attack, Found, Limits, failures
from tests.anonymise.release import making
from tests.environments import environment

GOOD = Found(100, 0, 10, 5, 2, 0.1, ((5, 10),))
PASSED = (Attack("inference", FEWEST, 0.0, 0.1, 0.5, 0.5),)
PYCANON = """
import json, sys
import pandas as pd
from pycanon import anonymity
told = []
for path in sys.argv[1:]:
    frame = pd.read_csv(path, dtype=str, comment="#")
    quasi = ["age", "sex", "nationality"]
    told.append([
        int(anonymity.k_anonymity(frame, quasi)),
        int(anonymity.l_diversity(frame, quasi, ["needs"])),
        float(anonymity.t_closeness(frame, quasi, ["needs"])),
    ])
print(json.dumps(told))
"""


def counted(lines):
    """k, l and t by hand."""
    kept = [line for line in lines if any(value != "*" for value in line[:3])]
    classes, whole = defaultdict(Counter), Counter(line[3] for line in kept)
    for line in kept:
        classes[line[:3]][line[3]] += 1
    return (
        min(one.total() for one in classes.values()),
        min(len(one) for one in classes.values()),
        max(
            sum(abs(one[v] / one.total() - n / len(kept)) for v, n in whole.items()) / 2
            for one in classes.values()
        ),
    )


@given(
    st.lists(
        st.tuples(*(st.sampled_from(["a", "*"]),) * 3, st.sampled_from(["x", "y", "z"])),
        min_size=1,
        max_size=30,
    ).filter(lambda lines: any(set(line[:3]) != {"*"} for line in lines))
)
def test_k_l_and_t_are_what_counting_by_hand_gives(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("gate") / "table.csv"
    making.write(path, [making.HEADER, *lines])
    found = find(path, making.COLUMNS)
    k, l, t = counted(lines)  # noqa: E741 - the literature's name
    assert (found.k, found.l, found.t) == (k, l, pytest.approx(t))
    assert found.suppressed == sum(set(line[:3]) == {"*"} for line in lines)


def test_suppressed_rows_are_no_class_that_hides_a_small_one(tmp_path):
    """ARX keeps suppressed rows with their secrets; four of them looked like a class of four."""
    lines = [("1", "F", "AF", s) for s in ("x", "y", "x", "y", "x")] + [("*", "*", "*", "x")] * 4
    found = find(making.write(tmp_path / "t.csv", [making.HEADER, *lines]), making.COLUMNS)
    assert (found.k, found.l, found.suppressed, found.classes) == (5, 2, 4, 1)


def test_pycanon_confirms_k_l_and_t_of_released_files(tmp_path):
    drafts = [
        making.made(tmp_path, "one.csv", k=5, l=2),
        making.made(tmp_path, "two.csv", k=8, l=3, t=0.4),
        making.made(tmp_path, "three.csv", k=5, method="global", most_suppressed=0.1),
    ]
    told = subprocess.run(
        [environment("pycanon"), "-c", PYCANON, *(str(d.path) for d in drafts)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for draft, (k, l, t) in zip(drafts, json.loads(told), strict=True):  # noqa: E741
        found = find(draft.path, making.COLUMNS)
        assert (found.k, found.l, found.t) == (k, l, pytest.approx(t))


def test_a_value_that_is_no_node_is_noticed(tmp_path):
    known = read_hierarchies(making.hierarchies(tmp_path / "h"), making.COLUMNS)
    path = making.write(tmp_path / "t.csv", [making.HEADER, ("1", "F", "Mars", "x")])
    assert find(path, making.COLUMNS, known).strange == ("nationality",)
    assert "hierarchy lacks" in failures(find(path, making.COLUMNS, known), Limits(1), PASSED)[0]


def test_closeness_within_a_country_is_to_that_country(tmp_path):
    columns = Columns(("age", "sex"), "needs", "nationality")
    lines = [(n, "1", "F", s) for n, s in (("AF", "x"), ("AF", "y"), ("PK", "z"), ("PK", "z"))]
    header = ("nationality", "age", "sex", "needs")
    assert find(making.write(tmp_path / "t.csv", [header, *lines]), columns).t == 0


@pytest.mark.parametrize(
    ("lines", "words"),
    [([], "no row that is not suppressed"), ([("1", "", "AF", "x")], "leaves values empty")],
)
def test_what_is_no_release_is_refused(tmp_path, lines, words):
    with pytest.raises(ReleaseError, match=words):
        find(making.write(tmp_path / "t.csv", [making.HEADER, *lines]), making.COLUMNS)


def test_a_release_that_keeps_to_everything_passes():
    assert failures(GOOD, Limits(5, 2, 0.1, 0.2), PASSED) == ()


@pytest.mark.parametrize(
    ("limits", "attacks", "words"),
    [
        (Limits(6), PASSED, "smallest class has 5 rows, not 6"),
        (Limits(5, 3), PASSED, "2 sensitive values, not 3"),
        (Limits(5, 2, 0.05), PASSED, "0.1000 away"),
        (Limits(5), None, "no attack was tried"),
        (Limits(5, 2, 1.0, 0.05), PASSED, "up to 0.100 more often"),
        (Limits(5), (Attack("inference", 0),), "only 0 times, which is no result"),
        (Limits(5), (Attack("inference", FEWEST - 1, 0.0, 0.0, 0.5, 0.5),), "no result"),
    ],
)
def test_each_demand_that_is_missed_is_named(limits, attacks, words):
    (missed,) = failures(GOOD, limits, attacks)
    assert words in missed


def test_l_and_t_of_a_release_without_a_sensitive_column_are_missed_not_passed():
    blind = Found(100, 0, 10, 5, None, None, ((5, 10),))
    assert len(failures(blind, Limits(5, 2, 0.9), PASSED)) == 2


@pytest.mark.parametrize("other", ["Yes", "yes ", " YES", "\uff59es", "yes\u00a0"])
def test_one_value_spelt_in_two_ways_is_one_value(tmp_path, other):
    lines = [("1", "F", "AF", value) for value in ("yes", other)] * 3
    path = making.write(tmp_path / "t.csv", [making.HEADER, *lines])
    assert find(path, making.COLUMNS).l == 1


def test_a_file_with_suppressed_rows_does_not_pass():
    """They would go out with their sensitive values, counted by nobody."""
    assert failures(GOOD, Limits(5, 2), PASSED) == ()
    (missed,) = failures(replace(GOOD, suppressed=3), Limits(5, 2), PASSED)
    assert "3 rows are suppressed" in missed
