# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit fork-evidence` and `check-evidence`, from files to files."""

import json

import pytest
from click.testing import CliRunner

from audit.errors import EvidenceError
from gateway.commands.fork_evidence import check_evidence_, fork_evidence, tile_path
from tests.audit.witnessing import LOG, Tree

TREE, FORK = Tree(), Tree(fork=3)


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def notes(tmp_path):
    for name, note in (("a", TREE.note(9)), ("b", FORK.note(9)), ("later", FORK.note(600))):
        (tmp_path / name).write_text(note)
    return tmp_path


def hashes(tree, start, stop):
    return b"".join(tree.leaf(index).digest() for index in range(start, stop))


def published(folder, tree, size):
    """The level-0 tiles of a folder in the static layout."""
    for number in range(-(-size // 256)):
        start, stop = number * 256, min(size, number * 256 + 256)
        path = folder / "tile" / "0" / tile_path(number)
        if stop - start < 256:
            path = path.with_name(f"{path.name}.p") / str(stop - start)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashes(tree, start, stop))
    return folder


def test_two_checkpoints_of_one_size_are_packed_and_checked(notes):
    out = notes / "fork.evidence"
    told = run(fork_evidence, notes / "a", notes / "b", "--vkey", LOG.vkey, "-o", out)
    assert "contradict" in told.stderr
    told = run(check_evidence_, out, "--vkey", LOG.vkey)
    assert told.output.startswith(f"FORK: {LOG.name} signed two checkpoints of size 9")
    assert LOG.vkey in told.output
    document = json.loads(run(check_evidence_, out, "--json").stdout)
    assert [found["root"] for found in document["checkpoints"]] == [
        TREE.root(9).hex(),
        FORK.root(9).hex(),
    ]


@pytest.mark.parametrize("size", [600, 512])
def test_two_sizes_are_packed_from_a_published_folder_or_a_file_of_hashes(notes, size):
    (notes / "later").write_text(FORK.note(size))
    (notes / "leaves").write_bytes(hashes(FORK, 0, size))
    for name in ("published", "leaves"):
        place = published(notes / name, FORK, size) if name == "published" else notes / name
        out = notes / f"{name}.evidence"
        run(
            fork_evidence, notes / "a", notes / "later",
            "--proof", place, "--vkey", LOG.vkey, "-o", out,
        )  # fmt: skip
        assert f"of sizes 9 and {size}" in run(check_evidence_, out).output


def test_no_fork_writes_nothing_and_evidence_is_never_written_over(notes):
    out = notes / "fork.evidence"
    with pytest.raises(EvidenceError, match="no fork"):
        run(fork_evidence, notes / "a", notes / "a", "--vkey", LOG.vkey, "-o", out)
    assert not out.exists()
    out.write_text("something else")
    with pytest.raises(EvidenceError, match="exists"):
        run(fork_evidence, notes / "a", notes / "b", "--vkey", LOG.vkey, "-o", out)
    with pytest.raises(EvidenceError):
        run(check_evidence_, out)


@pytest.mark.parametrize(
    ("number", "path"), [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
def test_tiles_are_named_as_the_specification_names_them(number, path):
    assert tile_path(number) == path
