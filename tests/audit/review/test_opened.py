# SPDX-License-Identifier: EUPL-1.2
"""Reading entries with what one key opens of their details."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit.errors import LogCorruptError
from audit.review.opened import open_entries
from audit.sealing import Unsealer
from tests.audit.making import DPO_BA, DPO_HR, new_sealer, plain, sealed, seeded
from tests.audit.review.holding import Held

DETAIL = {"v": 2, "officer": "o-17", "persons": ["P1"]}


@pytest.fixture
def held():
    sealer = new_sealer()
    content = json.dumps(DETAIL).encode()
    return Held([plain(), sealed(sealer, content), sealed(sealer, content, to=("HR",))])


def states(held, key=DPO_BA):
    unsealer = None if key is None else Unsealer(key)
    return [found.state for found in open_entries(held, unsealer, 0, len(held.held))]


def test_a_recipient_reads_the_details_sealed_to_her_and_no_others(held):
    found = list(open_entries(held, Unsealer(DPO_BA), 0, 3))
    assert [entry.state for entry in found] == ["none", "open", "sealed"]
    assert [entry.detail for entry in found] == [None, DETAIL, None]
    assert {entry.origin for entry in found} == {"audit.example/BA/2026h2"}
    assert states(held, DPO_HR) == ["none", "open", "open"]


def test_without_a_key_or_with_a_strangers_every_detail_stays_sealed(held):
    stranger = X25519PrivateKey.from_private_bytes(seeded("nobody"))
    assert states(held, None) == states(held, stranger) == ["none", "sealed", "sealed"]


def test_an_erased_detail_is_told_from_one_that_never_was(held):
    held.change(1, blob=None, salt=None, header=None)
    assert states(held) == ["none", "erased", "sealed"]


@pytest.mark.parametrize("part", ["blob", "salt", "header"])
def test_a_detail_that_the_envelope_does_not_commit_to_is_never_handed_on(held, part):
    whole = getattr(held.held[1], part)
    held.change(1, **{part: whole[:-1] + bytes([whole[-1] ^ 1])})
    with pytest.raises(LogCorruptError, match="entry 1"):
        states(held)
    held.change(1, **{part: None})
    with pytest.raises(LogCorruptError, match="entry 1"):
        states(held)


def test_a_detail_of_another_entry_is_not_taken_for_its_own(held):
    other = held.held[2]
    held.change(1, blob=other.blob, salt=other.salt, header=other.header)
    with pytest.raises(LogCorruptError, match="entry 1"):
        states(held, DPO_HR)


def test_a_missing_or_unreadable_entry_stops_the_reading(held):
    held.change(0, envelope=b"{}")
    with pytest.raises(LogCorruptError, match="entry 0"):
        states(held)
    del held.held[0]
    with pytest.raises(LogCorruptError, match="entry 0"):
        list(open_entries(held, None, 0, 3))


def test_a_copy_that_ends_early_is_not_read_as_complete(held):
    with pytest.raises(LogCorruptError, match="entry 3"):
        list(open_entries(held, None, 0, 4))
