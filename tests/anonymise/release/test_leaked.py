# SPDX-License-Identifier: EUPL-1.2
"""A leaked copy that somebody opened and saved on the way is read all the same."""

import pytest

from anonymise.errors import PublicationError
from anonymise.release.leaked import read_leaked

HEADER = ("age", "needs", "ref")
ROWS = [("20-29", "medical, urgent", "4P2XQ7M0ZK"), ("*", "=1+1", "9C81D0VTRW")]


def saved(path, separator=",", encoding="utf-8", before=""):
    cells = [HEADER, *((a, b.replace("=", "'="), c) for a, b, c in ROWS)]
    lines = [separator.join(f'"{cell}"' for cell in row) for row in cells]
    path.write_bytes("\r\n".join([before, *lines, ""]).removeprefix("\r\n").encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "before", ["", "# cuvar-release 1 a=b;;", '"# cuvar-release 1"', "sep=;", ";;"]
)
def test_a_copy_saved_by_a_spreadsheet_program_reads_as_it_was(
    tmp_path, separator, encoding, before
):
    found = read_leaked(saved(tmp_path / "found.csv", separator, encoding, before))
    assert (found.header, found.rows) == (HEADER, ROWS)


@pytest.mark.parametrize("content", [b"", b"# note only\n"])
def test_what_is_no_table_is_told_in_words(tmp_path, content):
    (tmp_path / "found.csv").write_bytes(content)
    with pytest.raises(PublicationError, match="save it as CSV"):
        read_leaked(tmp_path / "found.csv")
