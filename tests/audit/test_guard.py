# SPDX-License-Identifier: EUPL-1.2
"""An owner's node lets records go against the receipt of just this answer, once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit import Kind, NoteVerifier, Owner, Requester, parse_envelope
from audit.checkpoint import Checkpoint
from audit.errors import UnrecordedError
from audit.guard import FRESH, Guard, Handover
from audit.merkle import leaf_hash
from audit.receipt import make_receipt
from audit.state import unborn
from tests.audit.independent import path as inclusion
from tests.audit.independent import tree_hash
from tests.audit.making import NOON, ORIGIN, SIGNER, STRANGER, Clock, envelope, plain

FIELDS = ("biographic.sex", "direct_identifier.surnames")
HANDOVER = Handover(
    Owner("BA", "persons"), Requester("HR", "HR-BP", "border_officer"), "0d7b6d3e", FIELDS, 1
)


def recorded(entries, index, signer=SIGNER):
    """An entry of a log with these, and its receipt."""
    leaves = [leaf_hash(entry.envelope) for entry in entries]
    note = Checkpoint(ORIGIN, len(leaves), tree_hash(leaves)).sign(signer)
    receipt = make_receipt(index, inclusion(index, leaves), note)
    return entries[index].envelope, receipt.encode()


def guard(clock=None):
    keys = {ORIGIN: NoteVerifier.parse(SIGNER.vkey)}
    return Guard(keys.get, clock or Clock())


def test_what_stands_in_the_log_may_leave_once():
    entries = [plain() for _ in range(5)]
    keeper = guard()
    for index in range(5):
        assert keeper.require(HANDOVER, *recorded(entries, index)).size == 5
    with pytest.raises(UnrecordedError, match="used before"):
        keeper.require(HANDOVER, *recorded([*entries, plain()], 3))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"owner": Owner("RS", "persons")}, "owner"),
        ({"owner": Owner("BA", "shelters")}, "owner"),
        ({"requester": Requester("HR", "HR-BP", "analyst")}, "requester"),
        ({"correlation": "ffffffff"}, "question"),
        ({"count": 2}, "number of records"),
        ({"fields": (*FIELDS, "asylum.claim")}, "every field"),
    ],
)
def test_more_or_other_than_the_entry_says_does_not_leave(changed, word):
    with pytest.raises(UnrecordedError, match=word):
        guard().require(replace(HANDOVER, **changed), *recorded([plain()], 0))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"decision": "deny", "fields": ()}, "decision"),
        ({"kind": Kind.DENIAL}, "sort"),
        ({"log": "audit.example/RS/2026h2"}, "not trusted"),
    ],
)
def test_an_entry_that_grants_nothing_or_stands_elsewhere_lets_nothing_go(changed, word):
    with pytest.raises(UnrecordedError, match=word):
        guard().require(HANDOVER, *recorded([plain(**changed)], 0))


def test_a_whole_category_covers_its_fields():
    entry = plain(fields=("biographic.*", "direct_identifier"))
    guard().require(HANDOVER, *recorded([entry], 0))


def test_a_receipt_of_a_stranger_or_of_another_entry_is_none():
    entries = [plain() for _ in range(3)]
    mine, receipt = recorded(entries, 0)
    for bad in (recorded(entries, 0, STRANGER)[1], recorded(entries, 1)[1], b"", receipt[:-1]):
        with pytest.raises(UnrecordedError, match="no receipt, no data"):
            guard().require(HANDOVER, mine, bad)
    with pytest.raises(UnrecordedError, match="no receipt, no data"):
        guard().require(HANDOVER, mine.replace(b"hit", b"HIT"), receipt)


@pytest.mark.parametrize("late", [FRESH + timedelta(seconds=1), -FRESH - timedelta(seconds=1)])
def test_an_entry_of_another_time_lets_nothing_go(late):
    with pytest.raises(UnrecordedError, match="another time"):
        guard(Clock(NOON + late)).require(HANDOVER, *recorded([plain()], 0))


def test_a_used_entry_is_remembered_as_long_as_it_is_fresh():
    clock = Clock(NOON - FRESH + timedelta(seconds=1))
    keeper = guard(clock)
    one = recorded([plain()], 0)
    keeper.require(HANDOVER, *one)
    for minute in range(1, 10):
        clock.now = NOON - FRESH + timedelta(minutes=minute)
        with pytest.raises(UnrecordedError, match="used before"):
            keeper.require(HANDOVER, *one)
    clock.now = NOON + 3 * FRESH
    with pytest.raises(UnrecordedError, match="another time"):
        keeper.require(HANDOVER, *one)


def test_a_log_with_two_roots_of_one_size_is_found():
    keeper = guard()
    keeper.require(HANDOVER, *recorded([plain(), plain()], 0))
    with pytest.raises(UnrecordedError, match="two roots of size 2"):
        keeper.require(HANDOVER, *recorded([plain(), plain()], 1))
    assert (
        parse_envelope(plain().envelope).log
        == envelope().log
        == unborn(ORIGIN, 0, SIGNER).head.origin
    )
