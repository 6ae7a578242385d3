# SPDX-License-Identifier: EUPL-1.2
"""The status table of tlog-witness, row by row; where several rows fit, the earlier one wins."""

import itertools

import pytest

from audit.checkpoint import Checkpoint
from audit.witness import AddCheckpoint, Contradiction, Last, Refusal, compare, examine
from tests.audit.making import STRANGER, vectors
from tests.audit.witnessing import LOG, TIME, TRUSTED, Tree, cosigned, cosigner

TREE, FORK = Tree(), Tree(fork=3)
HAD = 8


class Case:
    """A submission for a log that was cosigned at size 8, with each fault of the table to add.

    Faults are added to the same bytes, so that any of them can come together.
    """

    def __init__(self, faults):
        self.faults = faults
        self.old = HAD
        self.checkpoint = TREE.checkpoint(13)
        self.proof = TREE.proof(HAD, 13)
        self.signer = LOG
        if "unknown origin" in faults:
            self.checkpoint = Checkpoint("audit.example/x", 13, self.checkpoint.root)
        if "other root" in faults:
            self.checkpoint = Checkpoint(self.checkpoint.origin, HAD, FORK.root(HAD))
            self.proof = []
        if "bad proof" in faults:
            self.proof = TREE.proof(5, 13)
        if "wrong old size" in faults:
            self.old = 5
        if "old above new" in faults:
            self.old = 14

    @property
    def body(self):
        note = self.checkpoint.text
        if "unsigned" in self.faults:
            line = STRANGER.sign(note).split("\n\n")[1]
        elif "false signature" in self.faults:
            line = LOG.sign("something else\n").split("\n\n")[1]
        else:
            line = LOG.sign(note).split("\n\n")[1]
        body = AddCheckpoint(self.old, tuple(self.proof), f"{note}\n{line}".encode()).body
        if "too many hashes" in self.faults:
            head, _, rest = body.partition(b"\n\n")
            body = head + (b"\n" + b"A" * 43 + b"=") * 64 + b"\n\n" + rest
        if "malformed" in self.faults:
            body = body.replace(b"old ", b"old  ")
        return body


# In the order of the table.
ROWS = [
    ("malformed", 400),
    ("too many hashes", 400),
    ("unknown origin", 404),
    ("unsigned", 403),
    ("false signature", 403),
    ("old above new", 400),
    ("wrong old size", 409),
    ("bad proof", 422),
    ("other root", 422),
]


LAST = TREE.checkpoint(HAD)


def answer(body, last=LAST):
    found = examine(body, TRUSTED)
    if isinstance(found, Refusal):
        return found
    known = last and Last(last, cosigned(last, cosigner(1)), TIME)
    return compare(found, known)


def test_what_has_no_fault_is_cosigned():
    assert answer(Case(()).body) is None
    assert answer(TREE.submission(HAD, HAD)) is None, "the same checkpoint again"
    assert answer(TREE.submission(0, 13), last=None) is None
    assert answer(TREE.submission(0, 0), last=None) is None


@pytest.mark.parametrize(
    "rows",
    [r for size in range(1, len(ROWS) + 1) for r in itertools.combinations(range(len(ROWS)), size)],
    ids=lambda rows: "+".join(ROWS[row][0] for row in rows),
)
def test_the_first_row_of_the_table_that_fits_is_the_answer(rows):
    faults = {ROWS[row][0] for row in rows}
    assert answer(Case(faults).body).status == ROWS[rows[0]][1]


def test_a_conflict_tells_the_size_last_cosigned_and_zero_if_there_was_none():
    assert answer(TREE.submission(5, 13)).size == HAD
    assert answer(TREE.submission(5, 13), last=None).size == 0


@pytest.mark.parametrize(
    ("body", "last"),
    [
        (
            AddCheckpoint(0, (), Checkpoint(LOG.name, 0, FORK.root(1)).sign(LOG).encode()).body,
            None,
        ),
        (AddCheckpoint(0, (TREE.root(1),), TREE.note(1).encode()).body, None),
        (AddCheckpoint(HAD, (), TREE.note(13).encode()).body, TREE.checkpoint(HAD)),
        (FORK.submission(HAD, 13), TREE.checkpoint(HAD)),
        (FORK.submission(HAD, HAD), TREE.checkpoint(HAD)),
    ],
    ids=["size 0, other root", "old 0 with a proof", "no proof", "a fork", "one size, two roots"],
)
def test_what_does_not_follow_is_refused_as_inconsistent(body, last):
    assert answer(body, last).status == 422


def test_each_changed_byte_of_a_proof_is_refused():
    proof = TREE.proof(HAD, 13)
    for number, value in enumerate(proof):
        for place in range(32):
            bad = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
            changed = (*proof[:number], bad, *proof[number + 1 :])
            body = AddCheckpoint(HAD, changed, TREE.note(13).encode()).body
            assert answer(body).status == 422


def test_signed_checkpoints_that_contradict_are_named_as_evidence():
    assert answer(FORK.submission(HAD, HAD)).kept is Contradiction.FORK
    assert answer(FORK.submission(5, HAD)).kept is Contradiction.FORK, "though the size is old"
    assert answer(FORK.submission(HAD, 13)).kept is Contradiction.UNPROVEN
    assert answer(TREE.submission(5, 6)).kept is Contradiction.BEHIND
    assert answer(TREE.submission(5, 13)).kept is None, "a log that asks for the size"
    assert answer(TREE.submission(5, HAD)).kept is None, "the same checkpoint again"


def test_a_strangers_lines_are_ignored_and_not_kept():
    note = TREE.note(13) + STRANGER.sign("x\n").split("\n\n")[1]
    found = examine(AddCheckpoint(0, (), note.encode()).body, TRUSTED)
    assert found.note == TREE.note(13)


@pytest.mark.parametrize(
    "told", vectors("add-checkpoint.json")["cases"], ids=lambda told: told["name"]
)
def test_the_published_submissions_get_the_published_statuses(told):
    had = told["cosigned"]
    found = answer(told["body"].encode(), TREE.checkpoint(had) if had else None)
    assert (found.status if found else 200) == told["status"]
    assert (found and found.size) == told["size"]
