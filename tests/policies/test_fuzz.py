# SPDX-License-Identifier: EUPL-1.2
"""Whatever is done to the bytes of a rule folder: refused with a place, or read to the last line.

A minute here; an hour is `CUVAR_FUZZ_SECONDS=3600 make test T=tests/policies/test_fuzz.py`. A
finding names its seed and number, and comes back with `CUVAR_SEED` and `CUVAR_FUZZ_FIRST`.
"""

import os
import time
from collections import Counter

import pytest

from policies import PolicyError, RulesRefusedError, agreements, invariants
from policies.errors import Problems
from policies.loader import build
from policies.ruleset import LineReader, Source
from policies.vocabulary_loader import FILES, load_vocabulary
from tests.policies.fuzzing import case, vocabulary_words
from tests.policies.making import TODAY
from tests.policies.seeds import seed, tell

SECONDS = float(os.environ.get("CUVAR_FUZZ_SECONDS", "60"))
SEED = seed()
FIRST = int(os.environ.get("CUVAR_FUZZ_FIRST", "0"))
SLOWEST = 30.0
LINE_FILES = ("rules.csv", "asking.csv", "floor.csv")


def written(files, name):
    """The data rows of a file as plain bytes say it: cells by header, without our reader."""
    header, *rows = [line.split(b",") for line in files[name].rstrip(b"\n").split(b"\n")]
    assert all(len(row) == len(header) for row in rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


def check_problems(files, problems):
    """Each place that is named can be opened: a file that was read or is missed, a line in it."""
    assert problems
    for problem in problems:
        assert problem.file
        assert problem.message
        most = files.get(problem.file, b"").count(b"\n") + 1
        assert 0 <= problem.line <= most, problem


def check_lines(files, name, lines):
    """No line was lost, none invented, and each says what is written there."""
    rows = written(files, name)
    assert len(rows) == len(lines)
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), start=2):
        assert (line.file, line.number) == (name, number)
        assert row[b"id"].decode() == line.id
        assert row[b"eft"].decode() == line.eft
        assert line.eft in ("allow", "deny")
        assert (line.eft == "deny") or line.law
        guards = "-" if not line.guards else " + ".join(line.guards)
        if b"*" not in row[b"guards"]:
            assert row[b"guards"].decode() == guards


def check_snapshot(files, snapshot):
    """What was accepted decides by every line that is written, and the floor stands in each set."""
    book = snapshot.book
    check_lines(files, "floor.csv", book.floor)
    assert {line.eft for line in book.floor} == {"deny"}
    folders = {f"{name}/rules.csv": lines for name, lines in book.owners.items()}
    for name, lines in book.asking.items():
        inner = name if name in book.vocabulary.countries else f"INT/{name}"
        folders[f"{inner}/asking.csv"] = lines
    for name, lines in folders.items():
        check_lines(files, name, lines)
    read = {"floor.csv", *folders}
    assert {name for name in files if name.endswith(LINE_FILES)} == read
    for owner, rules in snapshot.engine.owners.items():
        assert rules.lines == (*book.floor, *book.owners[owner])
        assert rules.denies.bit_count() == sum(line.eft == "deny" for line in rules.lines)
        assert all(line.owner == (owner,) for line in book.owners[owner])
    assert len(book.agreements.rows) == len(written(files, "agreements.csv"))
    assert len(book.invariants) == len(written(files, "invariants.csv"))
    assert set(book.vocabulary.duties) == {
        row[b"id"].decode() for row in written(files, "vocabulary/duties.csv")
    }


def whole(files):
    """The folder through the loader: what came of it."""
    try:
        snapshot = build(files, on=TODAY)
    except RulesRefusedError as refusal:
        check_problems(files, refusal.problems)
        return "refused"
    except PolicyError as refusal:
        raise AssertionError(f"refused without a place: {refusal}") from refusal
    check_snapshot(files, snapshot)
    return "accepted"


def part(files, words, broken):
    """Only the files that were broken, each through its own reader against the good vocabulary."""
    problems = Problems()
    if broken & set(FILES):
        load_vocabulary(files, problems)
    for name in sorted(broken & set(files)):
        if name.endswith(LINE_FILES):
            read_lines(files, name, words, problems)
        elif name == agreements.FILE:
            agreements.load_agreements(files, words, problems)
        elif name == invariants.FILE:
            invariants.load_invariants(files, words, problems)
    try:
        problems.raise_if_any()
    except RulesRefusedError as refusal:
        check_problems(files, refusal.problems)
        return "part refused"
    return "part accepted"


def read_lines(files, name, words, problems):
    """One file of lines; what no reader objects to must be all there."""
    found = Problems()
    folder = None if name == "floor.csv" else name.split("/")[-2]
    kind = name.rsplit("/", 1)[-1]
    source = {"floor.csv": Source.FLOOR, "rules.csv": Source.OWNER}.get(kind, Source.ASKING)
    lines = LineReader(files, words, found).read(name, source, folder)
    try:
        found.raise_if_any()
    except RulesRefusedError as refusal:
        for problem in refusal.problems:
            problems.add(problem.file, problem.line, problem.message)
    else:
        check_lines(files, name, lines)


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 300)
def test_no_broken_folder_is_read_as_something_else(files, snapshot, capsys):
    words = vocabulary_words(files)
    seen = Counter()
    number, end = FIRST, time.monotonic() + SECONDS
    while time.monotonic() < end:
        broken, done = case(files, words, SEED, number)
        started = time.monotonic()
        try:
            changed = {name for name in {*files, *broken} if files.get(name) != broken.get(name)}
            # A name that is new is read by nobody: the whole loader refuses it.
            came = part(broken, snapshot.vocabulary, changed & set(files))
            # Few edits leave a folder whole; those, and some others, go through all of the loader.
            if came == "part accepted" or number % 8 == 0:
                came = whole(broken)
            assert time.monotonic() - started < SLOWEST
        except Exception as error:
            again = f"CUVAR_SEED={SEED} CUVAR_FUZZ_FIRST={number} CUVAR_FUZZ_SECONDS=0.1"
            raise AssertionError(f"{done}: {error!r}; again with {again}") from error
        seen[came] += 1
        number += 1
    with capsys.disabled():
        tell(f"\nfuzzing, seed {SEED}: {dict(seen)}")
    assert seen
