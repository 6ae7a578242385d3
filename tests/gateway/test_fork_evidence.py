# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit fork-evidence` and `check-evidence`, from files to files."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from audit.errors import EvidenceError
from gateway.commands.fork_evidence import check_evidence_, fork_evidence
from tests.audit.making import SIGNER, create_empty, opened, plain
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


def test_two_sizes_are_packed_from_a_file_of_leaf_hashes(notes):
    (notes / "leaves").write_bytes(hashes(FORK, 0, 600))
    out = notes / "fork.evidence"
    run(
        fork_evidence, notes / "a", notes / "later",
        "--proof", notes / "leaves", "--vkey", LOG.vkey, "-o", out,
    )  # fmt: skip
    assert "of sizes 9 and 600" in run(check_evidence_, out).output


async def grown(path, counts):
    """A log that grows in these steps; its checkpoints on the way."""
    found = []
    await asyncio.to_thread(create_empty, f"sqlite:///{path}")
    async with opened(f"sqlite:///{path}") as log:
        for count in counts:
            await log.append([plain() for _ in range(count)])
            found.append(await log.checkpoint())
    return found


async def test_two_sizes_are_packed_from_a_copy_of_the_later_log(tmp_path):
    (tmp_path / "a").write_text((await grown(tmp_path / "a.db", [9]))[0])
    middle, later = await grown(tmp_path / "b.db", [20, 20])
    (tmp_path / "b").write_text(later)
    (tmp_path / "middle").write_text(middle)
    given = ("--vkey", SIGNER.vkey, "--log", tmp_path / "b.db", "-o", tmp_path / "fork.evidence")
    with pytest.raises(EvidenceError, match="no fork"):
        run(fork_evidence, tmp_path / "middle", tmp_path / "b", *given)
    run(fork_evidence, tmp_path / "a", tmp_path / "b", *given)
    assert "of sizes 9 and 40" in run(check_evidence_, tmp_path / "fork.evidence").output


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
