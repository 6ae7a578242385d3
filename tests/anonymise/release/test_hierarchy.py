# SPDX-License-Identifier: EUPL-1.2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise.errors import HierarchyError
from anonymise.release.hierarchy import MOST_LEAVES, make_hierarchy, read_hierarchy
from tests.anonymise.release.tables import DATA, binary

SMALL = [["a", "ab", "*"], ["c", "c", "*"], ["b", "ab", "*"]]


def test_leaves_of_a_node_stand_side_by_side():
    hierarchy = make_hierarchy("letter", SMALL)
    assert hierarchy.leaves == ("a", "b", "c")
    assert hierarchy.codes() == {"a": 0, "b": 1, "c": 2}
    assert hierarchy.labelled() == {
        "a": (0, 0),
        "b": (1, 1),
        "c": (2, 2),
        "ab": (0, 1),
        "*": (0, 2),
    }


def test_a_range_is_told_as_the_lowest_node_over_it():
    hierarchy = make_hierarchy("letter", SMALL)
    assert [hierarchy.label(0, 0), hierarchy.label(0, 1), hierarchy.label(1, 2)] == ["a", "ab", "*"]
    lo, hi = hierarchy.node(np.array([0, 1, 2], np.int32), np.array([1, 2, 2], np.int32))
    assert list(zip(lo, hi, strict=True)) == [(0, 1), (0, 2), (2, 2)]


def test_a_node_costs_its_leaves_less_one_by_all_less_one():
    assert make_hierarchy("letter", SMALL).cost.tolist() == [[0, 0.5, 1], [0.5, 0, 1], [1, 1, 0]]


def test_a_column_of_one_value_costs_nothing():
    assert make_hierarchy("one", [["a", "*"]]).cost.tolist() == [[0]]


@given(st.integers(0, 31), st.integers(0, 31))
def test_every_range_lies_in_its_node_and_costs_what_the_node_does(one, other):
    hierarchy = binary("leaf", 5)
    lo, hi = min(one, other), max(one, other)
    first, last = hierarchy.labelled()[hierarchy.label(lo, hi)]
    assert first <= lo <= hi <= last
    assert hierarchy.cost[lo, hi] == pytest.approx((last - first) / 31)
    assert hierarchy.cost[lo, hi] == hierarchy.cost[hi, lo]


@pytest.mark.parametrize("path", sorted(DATA.glob("*/hierarchies/*.csv")), ids=lambda p: p.stem)
def test_the_shipped_hierarchies_are_read(path):
    hierarchy = read_hierarchy(path)
    assert hierarchy.name == path.stem
    for label, (lo, hi) in hierarchy.labelled().items():
        assert hierarchy.labelled()[hierarchy.label(lo, hi)] == (lo, hi), label


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "is empty"),
        ("a,ab,*\nb,*\n", "line 2: 2 columns where line 1 has 3"),
        ("a;ab;*\n", "separated by commas"),
        ("a,,*\n", "line 1, column 2: the label is empty"),
        ("a, ab,*\n", "line 1, column 2: the label is empty or has spaces"),
        ("a,ab\n", "line 1, column 2: \\* stands in the last column"),
        ("a,*,*\n", "line 1, column 2: \\* stands in the last column"),
        ("a,ab,*\na,ab,*\n", "line 2, column 1: the same value stands in line 1"),
        (
            "a,x,p,*\nb,x,q,*\n",
            "line 2, column 3: the label before it has another parent in line 1",
        ),
        ("a,b,*\nb,c,*\n", "line 1, column 2: the label stands in column 1 for other values"),
        ('a,"b,*\n', "is no CSV file"),
    ],
)
def test_what_is_no_tree_is_refused_with_its_place(tmp_path, text, where):
    path = tmp_path / "column.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(HierarchyError, match=where):
        read_hierarchy(path)


def test_no_message_tells_a_value(tmp_path):
    path = tmp_path / "column.csv"
    path.write_text("secret,x,p,*\nb,x,q,*\nsecret,x,p,*\n", encoding="utf-8")
    with pytest.raises(HierarchyError) as told:
        read_hierarchy(path)
    assert "secret" not in str(told.value)


def test_a_file_that_is_missing_or_in_another_encoding_is_refused(tmp_path):
    with pytest.raises(HierarchyError, match="No such file"):
        read_hierarchy(tmp_path / "none.csv")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("Šid,*\n".encode("iso8859-2"))
    with pytest.raises(HierarchyError, match="not UTF-8"):
        read_hierarchy(latin)


def test_a_byte_order_mark_is_no_part_of_the_first_value(tmp_path):
    path = tmp_path / "column.csv"
    path.write_text("a,*\nb,*\n", encoding="utf-8-sig")
    assert read_hierarchy(path).leaves == ("a", "b")


def test_too_many_leaves_are_refused():
    with pytest.raises(HierarchyError, match=f"at most {MOST_LEAVES}"):
        make_hierarchy("many", ([str(leaf), "*"] for leaf in range(MOST_LEAVES + 1)))
