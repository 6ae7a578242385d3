# SPDX-License-Identifier: EUPL-1.2
"""What stays in the house is never cleared away with a record in it."""

import pytest

from anonymise.errors import ReleaseError
from anonymise.release.keeping import clear
from tests.anonymise.release import making


def test_records_of_published_copies_outlive_the_file_that_they_are_of(tmp_path):
    draft = making.made(tmp_path)
    record = draft.publications / "entry.json"
    record.write_text("the keys of a watermark")
    draft.path.unlink()
    with pytest.raises(ReleaseError, match="records of published copies"):
        making.made(tmp_path)
    assert record.read_text() == "the keys of a watermark"
    assert not draft.path.exists()
    assert (draft.kept / "known.csv").exists()


@pytest.mark.parametrize("name", ["mine.csv", "hierarchies/mine.txt"])
def test_files_of_others_are_not_cleared_away(tmp_path, name):
    draft = making.made(tmp_path)
    (draft.kept / name).write_text("mine")
    draft.path.unlink()
    with pytest.raises(ReleaseError, match="files of others"):
        making.made(tmp_path)
    assert (draft.kept / name).read_text() == "mine"


def test_what_a_killed_process_left_makes_room(tmp_path):
    draft = making.made(tmp_path)
    draft.path.unlink()
    (draft.kept / "shown.csv").unlink()
    assert making.made(tmp_path).path.exists()


def test_a_link_is_not_followed(tmp_path):
    draft = making.made(tmp_path)
    draft.path.unlink()
    elsewhere = draft.kept.rename(tmp_path / "elsewhere")
    draft.kept.symlink_to(elsewhere)
    with pytest.raises(ReleaseError, match="is not removed"):
        clear(draft)
    assert (elsewhere / "known.csv").exists()
