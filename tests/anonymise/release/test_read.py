# SPDX-License-Identifier: EUPL-1.2
"""Reading a table into codes, and what is refused in words that repeat no value."""

import numpy as np
import polars as pl
import pytest

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns, read_hierarchies
from anonymise.release.read import read_extract
from tests.anonymise.release import making


@pytest.fixture
def folder(tmp_path):
    making.hierarchies(tmp_path / "hierarchies")
    return tmp_path


def extract(folder, lines, columns=making.COLUMNS, name="table.csv"):
    path = folder / name
    if path.suffix == ".csv":
        making.write(path, lines)
    else:
        header, *rest = lines
        pl.DataFrame(rest, schema=list(header), orient="row").write_parquet(path)
    return read_extract(path, columns, read_hierarchies(folder / "hierarchies", columns))


def same(one, other):
    return all(
        (a.codes == b.codes).all() and (a.counts == b.counts).all()
        for a, b in zip(one.tables.values(), other.tables.values(), strict=True)
    )


def test_rows_that_are_alike_are_counted_once_and_none_is_lost(folder):
    lines = making.rows(400)
    found = extract(folder, [making.HEADER, *lines])
    assert found.size == 400
    assert sum(int(rows.counts.sum()) for rows in found.tables.values()) == 400
    assert len(found.tables[""].counts) == len(set(lines))


def test_the_order_of_a_table_makes_no_difference(folder):
    lines = making.rows(300)
    assert same(
        extract(folder, [making.HEADER, *lines]), extract(folder, [making.HEADER, *lines[::-1]])
    )


def test_a_parquet_file_reads_like_a_csv_file(folder):
    lines = [making.HEADER, *making.rows(300)]
    assert same(extract(folder, lines), extract(folder, lines, name="table.parquet"))


def test_numbers_in_a_parquet_file_are_read_as_their_leaves(folder):
    header, *lines = [making.HEADER, *making.rows(200)]
    numbers = [(int(age), *rest) for age, *rest in lines]
    assert same(
        extract(folder, [header, *lines]),
        extract(folder, [header, *numbers], name="table.parquet"),
    )


def test_columns_that_nobody_named_are_told_and_not_read(folder):
    making.table(folder / "table.csv", 100)
    known = read_hierarchies(folder / "hierarchies", making.COLUMNS)
    assert read_extract(folder / "table.csv", making.COLUMNS, known).dropped == ("name",)


def test_each_value_of_the_column_within_is_a_table_of_its_own(folder):
    columns = Columns(("age", "sex"), "needs", "nationality")
    found = extract(folder, [making.HEADER, *making.rows(300)], columns)
    assert list(found.tables) == sorted(making.NATIONS)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_value_that_no_hierarchy_has_is_refused_by_place_and_not_repeated(folder, ending):
    lines = making.rows(50)
    lines[7] = ("canary", *lines[7][1:])
    with pytest.raises(ReleaseError) as told:
        extract(folder, [making.HEADER, *lines], name=f"table.{ending}")
    assert "column age: 1 rows" in str(told.value)
    assert "row 8 below the header" in str(told.value)
    assert "canary" not in str(told.value)


@pytest.mark.parametrize("place", range(4))
def test_a_missing_value_is_refused_with_its_column(folder, place):
    lines = making.rows(50)
    lines[3] = tuple("" if p == place else v for p, v in enumerate(lines[3]))
    with pytest.raises(ReleaseError, match=f"column {making.HEADER[place]}: 1 rows hold no value"):
        extract(folder, [making.HEADER, *lines])


def test_a_sensitive_value_with_a_line_break_is_refused(folder):
    lines = [*making.rows(50), ("1", "F", "AF", "two\nlines")]
    with pytest.raises(ReleaseError, match="line break"):
        extract(folder, [making.HEADER, *lines])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (Columns(()), "at least one quasi-identifier"),
        (Columns(("age", "age")), "named twice"),
        (Columns(("age",), "age"), "named twice"),
        (Columns(("age", "ref")), "column ref of its own"),
        (Columns(("age",), "religion"), "no column religion"),
    ],
)
def test_columns_that_make_no_release_are_refused(folder, columns, words):
    known = read_hierarchies(folder / "hierarchies", Columns(("age",) * len(columns.together)))
    making.table(folder / "table.csv", 20)
    with pytest.raises(ReleaseError, match=words):
        read_extract(folder / "table.csv", columns, known)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.csv", None, "there is no file"),
        ("table.xlsx", "x", "ends in .csv or .parquet"),
        ("table.csv", "", "can't be read as a table"),
        ("table.csv", "age,sex,nationality,needs\n", "no rows"),
        ("table.csv", "age,sex,nationality,needs\n1,F\n1,F,AF,none,more,more\n", "can't be read"),
        ("table.parquet", "no parquet", "can't be read as a table"),
    ],
)
def test_what_is_no_table_is_refused(folder, name, content, words):
    if content is not None:
        (folder / name).write_text(content, encoding="utf-8")
    known = read_hierarchies(folder / "hierarchies", making.COLUMNS)
    with pytest.raises(ReleaseError, match=words):
        read_extract(folder / name, making.COLUMNS, known)


def test_sensitive_values_that_differ_in_spelling_only_are_refused(folder):
    lines = [making.HEADER, ("1", "F", "AF", "Legal"), ("1", "F", "AF", "legal ")]
    with pytest.raises(ReleaseError, match="column needs has values that differ in spelling only"):
        extract(folder, lines)


def test_codes_that_do_not_fit_one_number_are_read_as_well(tmp_path):
    """Six columns of four thousand leaves: more than 64 bits."""
    names = [f"c{n}" for n in range(6)]
    for name in names:
        making.write(tmp_path / f"{name}.csv", [(str(leaf), "*") for leaf in range(4000)])
    dice = np.random.default_rng(1)
    rows = [tuple(map(str, row)) for row in dice.integers(0, 4000, (50, 6))]
    columns = Columns(tuple(names))
    making.write(tmp_path / "table.csv", [names, *rows])
    found = read_extract(tmp_path / "table.csv", columns, read_hierarchies(tmp_path, columns))
    codes = found.tables[""].codes
    assert [tuple(map(str, row)) for row in codes.tolist()] == sorted(
        rows, key=lambda row: tuple(map(int, row))
    )
