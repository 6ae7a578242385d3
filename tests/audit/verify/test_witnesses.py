# SPDX-License-Identifier: EUPL-1.2
"""Which of several checkpoints fulfils a policy, and what one without witnesses is called."""

import contextlib
import itertools
import sqlite3

import pytest

from audit.checkpoint import Checkpoint
from audit.note import merge_lines
from audit.verify import verify_log
from audit.verify.chain import UNOPENED
from audit.verify.witnesses import witnessed
from tests.audit.making import ORIGIN, SIGNER
from tests.audit.tampering import SIZE, edited, entries, rewrite, verify
from tests.audit.witnessing import NOW, TIME, cosigner

POLICY = f"witness w1 {cosigner(1).verifiers[0].vkey}\nquorum w1\n".encode()


def note(size, *, seen):
    checkpoint = Checkpoint(ORIGIN, size, bytes(32))
    lines = cosigner(1).cosign(checkpoint, TIME) if seen else ()
    return merge_lines(checkpoint.sign(SIGNER), lines)


def held(*notes):
    return witnessed(POLICY, notes, ORIGIN, SIGNER.verifier)


def test_one_checkpoint_that_witnesses_cosigned_suffices_in_any_order():
    notes = [note(3, seen=True), note(9, seen=False), note(5, seen=True), "no note"]
    for order in itertools.permutations(notes):
        found = held(*order)
        assert (found.size, found.names, found.fault) == (5, ("w1",), None)


def test_checkpoints_that_nobody_cosigned_are_a_fault():
    assert "cosigned by nobody" in held(note(9, seen=False)).fault
    assert held().fault == "not witnessed enough: the copy holds no checkpoint"


@pytest.mark.parametrize("seen", [True, False])
def test_only_what_witnesses_cosigned_is_called_so(copy, seen):
    with contextlib.closing(sqlite3.connect(copy)) as con:
        root = con.execute("SELECT root FROM log_head").fetchone()[0]
    checkpoint = Checkpoint(ORIGIN, SIZE, root)
    lines = cosigner(1).cosign(checkpoint, TIME) if seen else ()
    kept = merge_lines(checkpoint.sign(SIGNER), lines)
    rewrite(copy, [*entries(copy)[:-1], edited(entries(copy)[0])], SIGNER)
    with contextlib.closing(sqlite3.connect(copy)) as con:
        con.execute("INSERT INTO log_cosigned VALUES (0, ?, ?)", (SIZE, kept))
        con.commit()
    told = "the cosigned checkpoint" if seen else "the copy's checkpoint"
    found = [f.what for f in verify(copy).findings]
    assert any(what.startswith(f"the first 600 entries are not those of {told}:") for what in found)


def test_a_policy_that_asks_for_nobody_vouches_for_nothing():
    note = Checkpoint(ORIGIN, 1, bytes(32)).sign(SIGNER)
    found = witnessed(b"quorum none\n", [note], ORIGIN, SIGNER.verifier)
    assert (found.size, found.names) == (0, ())
    assert "no witness at all" in found.fault


@pytest.mark.parametrize("ahead", [False, True])
def test_a_clock_that_was_set_ahead_of_the_witnesses_is_found(copy, ahead):
    with contextlib.closing(sqlite3.connect(copy)) as con:
        (root,) = con.execute("SELECT root FROM log_head").fetchone()
    checkpoint = Checkpoint(ORIGIN, SIZE, root)
    lines = cosigner(1).cosign(checkpoint, NOW - 2 * 3600 if ahead else NOW)
    with contextlib.closing(sqlite3.connect(copy)) as con:
        seen = merge_lines(checkpoint.sign(SIGNER), lines)
        con.execute("INSERT INTO log_cosigned VALUES (0, ?, ?)", (SIZE, seen))
        con.commit()
    report = verify_log(str(copy), vkey=SIGNER.vkey, origin=ORIGIN, policy=POLICY)
    told = "its time is ahead of the clocks of the witnesses that cosigned it"
    found = [(f.index, f.what) for f in report.findings if f.what != UNOPENED]
    assert found == ([(SIZE - 1, told)] if ahead else [])
