# SPDX-License-Identifier: EUPL-1.2
"""A file stands under its name whole or not at all; a kill at any moment included."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anonymise.errors import ReleaseError
from anonymise.release.placing import clear_left, placed, replace
from tests.anonymise.release import making

ROOT = Path(__file__).parents[3]
KILLS = 14
# Forks after one import: each child makes the release or is killed on the way.
MAKER = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.anonymise.release import making
import anonymise.release.published, anonymise.release.local, anonymise.release.create
folder = Path({folder!r})
while sys.stdin.readline():
    child = os.fork()
    if not child:
        os.write(1, b"%d\\n" % os.getpid())
        making.made(folder)
        os._exit(0)
    os.waitpid(child, 0)
    os.write(1, b"end\\n")
"""


def line(process):
    readable, _, _ = select.select([process.stdout], [], [], 120)
    assert readable, "the maker hangs"
    return process.stdout.readline().strip()


def run(process, after=None):
    """One child; killed after so many seconds unless it is done before. Gives its seconds."""
    process.stdin.write("go\n")
    process.stdin.flush()
    child, start = int(line(process)), time.monotonic()
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    assert line(process) == "end"
    return time.monotonic() - start


def wipe(folder):
    for path in folder.glob("out*"):
        if path.is_file():
            path.unlink()


def test_a_release_killed_at_any_moment_is_whole_or_absent(tmp_path):
    making.table(tmp_path / "table.csv")
    program = MAKER.format(root=str(ROOT), folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        whole = run(process)
        reference = (tmp_path / "out.csv").read_bytes()
        wipe(tmp_path)
        for kill in range(KILLS):
            run(process, whole * (kill + 0.5) / KILLS)
            if (tmp_path / "out.csv").exists():
                assert (tmp_path / "out.csv").read_bytes() == reference
            wipe(tmp_path)
        run(process)
        process.stdin.close()
    assert (tmp_path / "out.csv").read_bytes() == reference
    assert not list(tmp_path.glob(".out*")), "what killed processes left is cleared"


def test_the_name_is_free_until_the_block_ends_well(tmp_path):
    path = tmp_path / "out.csv"
    with placed(path) as beside:
        beside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_nothing(tmp_path):
    def fail():
        with placed(tmp_path / "out.csv") as beside:
            beside.write_text("half")
            raise ReleaseError("no")

    with pytest.raises(ReleaseError, match="no"):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "out.csv"

    def raced():
        with placed(path) as beside:
            beside.write_text("mine")
            path.write_text("theirs")

    with pytest.raises(ReleaseError, match="stands there already"):
        raced()
    assert path.read_text() == "theirs"


def test_a_neighbour_in_use_is_not_cleared(tmp_path):
    path = tmp_path / "out.csv"
    with placed(path) as beside:
        beside.write_text("whole")
        clear_left(path)
        assert beside.exists()
    assert path.read_text() == "whole"


def test_a_missing_folder_is_told_in_words(tmp_path):
    def missing():
        with placed(tmp_path / "gone" / "out.csv"):
            pass

    with pytest.raises(ReleaseError, match="cannot be written: No such file"):
        missing()


def test_a_small_file_is_replaced_whole(tmp_path):
    path = tmp_path / "page.html"
    replace(path, b"one")
    replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]
