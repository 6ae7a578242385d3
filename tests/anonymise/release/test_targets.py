# SPDX-License-Identifier: EUPL-1.2
"""Whom the gate attacks: nobody but people of this release can be put in their place."""

import json
import shutil
from dataclasses import replace

import pytest

from anonymise.errors import GateError, ReleaseError
from anonymise.release.check import check
from anonymise.release.keeping import kept
from anonymise.release.placing import digest
from anonymise.release.remake import require_remade
from anonymise.release.targets import require_true
from tests.anonymise.release import making


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return making.made(tmp_path_factory.mktemp("draft"), k=5, l=2)


@pytest.fixture
def draft(made, tmp_path):
    """A draft of one's own to spoil."""
    for path in made.path.parent.iterdir():
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / path.name)
    return type(made)(tmp_path / made.path.name)


def judged(draft, change):
    hierarchies, targets = kept(draft, draft.manifest())
    require_true(change(targets), draft.path, making.COLUMNS, hierarchies)


def signed(draft, **more):
    """The maker writes the digests of what he has put in into his manifest."""
    document = json.loads(draft.manifest_path.read_bytes())
    document["kept"] = {name: digest(draft.kept / f"{name}.csv") for name in document["kept"]}
    draft.manifest_path.write_text(json.dumps(document | more), encoding="utf-8")


def test_the_targets_of_an_honest_draft_are_its_own(made):
    judged(made, lambda targets: targets)


@pytest.mark.parametrize("name", ["known", "shown", "control"])
def test_a_table_that_was_put_in_the_place_of_another_is_noticed(draft, name, tmp_path):
    other = draft.kept / ("control.csv" if name == "known" else "known.csv")
    shutil.copy(other, draft.kept / f"{name}.csv")
    with pytest.raises(ReleaseError, match=f"{name}.csv was changed"):
        check(draft, tmp_path / "no-attack-is-reached", making.silent)


def test_people_held_back_are_no_targets_even_when_the_manifest_says_so(draft, tmp_path):
    shutil.copy(draft.kept / "control.csv", draft.kept / "known.csv")
    signed(draft)
    with pytest.raises(GateError, match="not what it is published as"):
        check(draft, tmp_path / "no-attack-is-reached", making.silent)


def test_a_target_in_a_class_that_does_not_cover_it_is_noticed(made):
    moved = lambda t: replace(t, shown=[*t.shown[1:], t.shown[0]])  # noqa: E731
    with pytest.raises(GateError, match="not what it is published as"):
        judged(made, moved)


def test_a_target_with_another_secret_than_its_class_tells_is_noticed(made):
    def lied(targets):
        first = (*targets.known[0][:3], "other")
        return replace(targets, known=[first, *targets.known[1:]])

    with pytest.raises(GateError, match="not what it is published as"):
        judged(made, lied)


def test_a_class_that_is_not_in_the_file_has_no_targets(made):
    def vague(targets):
        rows = [("*", "*", "*", was[3]) for was in targets.known]
        return replace(targets, shown=rows)

    with pytest.raises(GateError, match="does not stand in the file"):
        judged(made, vague)


def test_a_class_has_no_more_targets_than_rows(made):
    def repeated(targets):
        many = 600
        return replace(targets, known=[targets.known[0]] * many, shown=[targets.shown[0]] * many)

    with pytest.raises(GateError, match="does not stand in the file"):
        judged(made, repeated)


def test_people_held_back_who_are_the_targets_are_noticed(made):
    with pytest.raises(GateError, match="are those held back"):
        judged(made, lambda targets: replace(targets, control=targets.known))


def test_a_row_held_back_is_one_of_the_hierarchies_too(made):
    strange = ("700", "F", "AF", "none")
    with pytest.raises(GateError, match="held back holds a value"):
        judged(made, lambda targets: replace(targets, control=[strange]))


def test_a_draft_made_anew_from_its_table_is_the_same(made):
    require_remade(made, made.manifest(), made.path.parent / "table.csv", making.silent)
    assert not list(made.kept.glob("tmp*"))


def test_targets_that_were_chosen_by_hand_do_not_come_of_the_table_again(draft):
    control = draft.kept / "control.csv"
    lines = control.read_text(encoding="utf-8").splitlines()
    control.write_text("\n".join([lines[0], *lines[2:], lines[2], ""]), encoding="utf-8")
    signed(draft)
    table = draft.path.parent / "table.csv"
    with pytest.raises(GateError, match="something else comes of the table"):
        require_remade(draft, draft.manifest(), table, making.silent)


def test_another_table_is_not_taken_for_the_drafts_own(draft, tmp_path):
    making.table(tmp_path / "other.csv", seed=2)
    with pytest.raises(GateError, match="of another table"):
        require_remade(draft, draft.manifest(), tmp_path / "other.csv", making.silent)
