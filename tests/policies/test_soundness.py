# SPDX-License-Identifier: EUPL-1.2
"""The whole check: every floor line is needed; what is broken is named with a counter-example."""

from dataclasses import replace

import pytest

from policies import RulesRefusedError
from policies.examples import FULL_HEADER, HEADER, read_examples
from policies.loader import build
from policies.proof import floor_points
from policies.snapshot import Snapshot
from policies.soundness import counterexamples, examine
from tests.policies.making import TODAY

ROW = "X1,BA-BP,BA,border_officer,read,persons,BA,direct_identifier,full,border_check,presence,-,"


@pytest.fixture(scope="module")
def sole_keepers(snapshot):
    """For each floor line, the invariants that it alone keeps."""
    found = {}
    for point in floor_points(snapshot.book):
        if len(point.keepers) == 1:
            found.setdefault(point.keepers[0], set()).add(point.invariant.id)
    return found


def test_the_shipped_rules_are_sound(snapshot):
    report = examine(snapshot)
    assert report.sound
    assert report.lines > 700
    assert report.examples > 500


def without(files, line):
    rows = files["floor.csv"].decode().splitlines(keepends=True)
    less = [row for row in rows if not row.startswith(f"{line},")]
    assert len(less) == len(rows) - 1
    return {**files, "floor.csv": "".join(less).encode()}


@pytest.mark.parametrize("number", range(1, 69))
def test_without_one_floor_line_the_broken_statement_is_named(snapshot, sole_keepers, number):
    line = f"F{number:02d}"
    book = snapshot.book
    less = replace(
        book,
        floor=tuple(kept for kept in book.floor if kept.id != line),
        invariants=tuple(row for row in book.invariants if row.floor),
    )
    found = {c.invariant.id: c for c in counterexamples(Snapshot(less, snapshot.engine))}
    assert sole_keepers[line]
    assert set(found) == sole_keepers[line]
    for name, counter in found.items():
        told = str(counter)
        assert told.startswith(f"invariants.csv:{counter.invariant.line}: {name} does not hold: ")
        assert counter.invariant.statement in told
        assert " for " in told.partition(counter.invariant.statement)[2]


@pytest.mark.parametrize("line", ["F01", "F14", "F27", "F56", "F68"])
def test_the_whole_check_without_a_floor_line_fails(files, sole_keepers, line):
    report = examine(build(without(files, line), on=TODAY))
    assert not report.sound
    assert {c.invariant.id for c in report.counterexamples} >= sole_keepers[line]


def test_a_counterexample_says_what_may_hold(files):
    found = counterexamples(build(without(files, "F20"), on=TODAY))
    (told,) = [str(counter) for counter in found if counter.invariant.id == "S05"]
    assert told.endswith("although origin_state may hold")


def test_further_examples_run_with_those_of_the_folder(snapshot):
    raw = f"{','.join(HEADER)}\n{ROW}full\n{ROW.replace('X1', 'X2')}refused\n".encode()
    report = examine(snapshot, read_examples("mine.csv", raw, snapshot.vocabulary))
    assert [str(f) for f in report.failures] == [
        "mine.csv:3: X2 gives direct_identifier full by BA-O01"
    ]
    full = f"{','.join(FULL_HEADER)}\n{ROW}full,BA-O01,log_reason\n".encode()
    assert examine(snapshot, read_examples("mine.csv", full, snapshot.vocabulary)).sound


def test_a_broken_file_of_examples_is_refused_with_file_and_line(snapshot):
    raw = f"{','.join(HEADER)}\n{ROW.replace('persons', 'people')}full\n".encode()
    with pytest.raises(RulesRefusedError, match=r"mine\.csv:2: dataset names people"):
        read_examples("mine.csv", raw, snapshot.vocabulary)
