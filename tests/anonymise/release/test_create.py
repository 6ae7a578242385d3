# SPDX-License-Identifier: EUPL-1.2
"""A draft: what it keeps to, what stays in the house, and that it is made the same way twice."""

import stat
from collections import Counter

import pytest

from anonymise.errors import AnonymiseError, ReleaseError
from anonymise.release.columns import Columns, read_hierarchies
from anonymise.release.gate import find
from anonymise.release.keeping import kept
from anonymise.release.manifest import Draft
from tests.anonymise.release import making


def covers(folder):
    known = read_hierarchies(folder / "hierarchies", making.COLUMNS)
    nodes = [
        {label: set(h.leaves[lo : hi + 1]) for label, (lo, hi) in h.labelled().items()}
        for h in known
    ]
    return lambda shown, was: all(
        leaf in node[label] for node, label, leaf in zip(nodes, shown, was, strict=False)
    )


@pytest.mark.parametrize("method", ["local", "global"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_file_itself_keeps_what_was_demanded(tmp_path, method, ending):
    draft = making.made(
        tmp_path, f"out.{ending}", k=7, l=2, t=0.5, method=method, most_suppressed=0.2
    )
    found = find(draft.path, making.COLUMNS, kept(draft, draft.manifest())[0])
    assert found.k >= 7
    assert found.l >= 2
    assert found.t <= 0.5
    assert not found.strange


def test_what_the_maker_remembers_is_what_stands_in_the_file(tmp_path):
    draft = making.made(tmp_path, k=6, l=2)
    manifest = draft.manifest()
    found = find(draft.path, making.COLUMNS)
    assert (found.rows, found.classes) == (manifest.rows, sum(m for _, m in found.sizes))
    assert manifest.read == manifest.rows + manifest.held_back + manifest.summary.suppressed


def test_no_row_is_lost_or_added(tmp_path):
    """Sensitive values of the release and of the rows held back are those of the table."""
    draft = making.made(tmp_path)
    _, released = making.read(draft.path)
    _, control = making.read(draft.kept / "control.csv")
    _, source = making.read(tmp_path / "table.csv")
    told = Counter(row[3] for row in released) + Counter(row[3] for row in control)
    assert told == Counter(row[3] for row in source)


def test_known_rows_lie_under_the_labels_that_they_are_published_as(tmp_path):
    draft = making.made(tmp_path)
    _, targets = kept(draft, draft.manifest())
    _, released = making.read(draft.path)
    fits = covers(tmp_path)
    pairs = list(zip(targets.known, targets.shown, strict=True))
    assert len(pairs) == len(targets.control) == 75
    assert all(fits(shown, was) and shown[3] == was[3] for was, shown in pairs)
    assert {shown for _, shown in pairs} <= set(released)


def test_the_same_wish_makes_the_same_bytes(tmp_path):
    one, two = making.made(tmp_path, "one.csv"), making.made(tmp_path, "two.csv")
    assert one.path.read_bytes() == two.path.read_bytes()
    assert (one.kept / "known.csv").read_bytes() == (two.kept / "known.csv").read_bytes()


def test_where_a_row_stands_tells_nothing_of_the_register(tmp_path):
    """The same table in another order makes the same file."""
    draft = making.made(tmp_path, "one.csv")
    header, lines = making.read(tmp_path / "table.csv")
    making.write(tmp_path / "table.csv", [header, *lines[::-1]])
    assert making.made(tmp_path, "two.csv").path.read_bytes() == draft.path.read_bytes()


def test_nobody_is_coarsened_across_the_column_within(tmp_path):
    columns = Columns(("age", "sex"), "needs", "nationality")
    draft = making.made(tmp_path, columns=columns)
    header, lines = making.read(draft.path)
    assert header == ("nationality", "age", "sex", "needs")
    assert {line[0] for line in lines} == set(making.NATIONS)
    assert find(draft.path, columns).k >= 5


def test_what_stays_in_the_house_is_for_its_owner_alone(tmp_path):
    draft = making.made(tmp_path)
    assert stat.S_IMODE(draft.kept.stat().st_mode) == 0o700
    assert stat.S_IMODE(draft.path.stat().st_mode) == 0o600
    assert "person 3" not in "".join(p.read_text() for p in draft.kept.rglob("*.csv"))


def test_a_name_that_is_taken_stays_as_it_is(tmp_path):
    draft = making.made(tmp_path)
    before = draft.path.read_bytes()
    with pytest.raises(ReleaseError, match="not overwritten"):
        making.made(tmp_path, k=9)
    assert draft.path.read_bytes() == before


def test_what_cannot_be_met_leaves_nothing_under_the_name(tmp_path):
    with pytest.raises(AnonymiseError):
        making.made(tmp_path, k=4000)
    assert not (tmp_path / "out.csv").exists()


def test_a_changed_file_is_no_longer_the_draft(tmp_path):
    draft = making.made(tmp_path)
    with draft.path.open("a", encoding="utf-8") as file:
        file.write("1,F,AF,none\n")
    with pytest.raises(ReleaseError, match="was changed after it was made"):
        draft.manifest()


@pytest.mark.parametrize("content", ["", "{}", '{"format": "cuvar-release-9"}', "[1]"])
def test_a_damaged_manifest_is_refused(tmp_path, content):
    draft = Draft(tmp_path / "out.csv")
    draft.path.write_text("age\n")
    draft.manifest_path.write_text(content)
    with pytest.raises(ReleaseError, match="damaged"):
        draft.manifest()


@pytest.mark.parametrize("name", ["known.csv", "control.csv", "shown.csv", "hierarchies/age.csv"])
def test_a_house_that_lost_its_targets_has_no_gate(tmp_path, name):
    draft = making.made(tmp_path)
    (draft.kept / name).unlink()
    with pytest.raises(AnonymiseError):
        kept(draft, draft.manifest())
