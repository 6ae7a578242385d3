# SPDX-License-Identifier: EUPL-1.2
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit import Sealed, Sealer, SealError, open_sealed
from audit.sealing import MAX_DETAIL, WINDOW, commit_detail
from tests.audit.making import DPO_BA, DPO_HR, DPOS, NOON, Clock, new_sealer, seeded, vectors

DETAIL = b"officer 17 asked about person 4711"


@given(st.binary(max_size=2000))
def test_each_recipient_opens_what_was_sealed(detail):
    found = new_sealer().seal(detail, ["BA", "HR"])
    assert open_sealed(found, DPO_BA) == detail == open_sealed(found, DPO_HR)
    assert found.keys == ("BA", "HR")


def test_nobody_else_opens_it():
    found = new_sealer().seal(DETAIL, ["BA"])
    for key in (DPO_HR, X25519PrivateKey.generate()):
        with pytest.raises(SealError, match="none of this detail's recipients"):
            open_sealed(found, key)


def test_the_published_detail_opens():
    told = vectors("sealed.json")
    parts = {name: bytes.fromhex(told[name]) for name in ("blob", "salt", "commitment", "window")}
    for text in told["private_keys"].values():
        key = X25519PrivateKey.from_private_bytes(seeded(text))
        assert open_sealed(Sealed(**parts), key).hex() == told["detail"]


@pytest.mark.parametrize("part", ["blob", "salt", "window", "commitment"])
def test_a_changed_part_is_refused(part):
    found = new_sealer().seal(DETAIL, ["BA"])
    value = getattr(found, part)
    for place in range(len(value)):
        changed = bytearray(value)
        changed[place] ^= 1
        with pytest.raises(SealError, match="commits to"):
            open_sealed(replace(found, **{part: bytes(changed)}), DPO_BA)


@pytest.mark.parametrize("part", ["blob", "salt", "window"])
def test_a_changed_part_with_a_commitment_made_to_fit_is_refused_too(part):
    found = new_sealer().seal(DETAIL, ["BA"])
    value = getattr(found, part)
    for place in range(len(value)):
        changed = bytearray(value)
        changed[place] ^= 1
        other = replace(found, **{part: bytes(changed)})
        fitting = commit_detail(other.salt, other.window, other.blob)
        with pytest.raises(SealError):
            open_sealed(replace(other, commitment=fitting), DPO_BA)


@pytest.mark.parametrize("header", [b"", b"cuvar-window-1\n\x01", b"cuvar-window-1\n\x00", b"x"])
def test_a_malformed_window_header_is_refused(header):
    with pytest.raises(SealError):
        open_sealed(Sealed(b"", b"", commit_detail(b"", header, b""), header), DPO_BA)


def test_a_window_is_shared_for_ten_minutes_and_no_longer():
    clock = Clock()
    sealer = Sealer(DPOS, clock)
    first = sealer.seal(DETAIL, ["BA", "HR"])
    clock.now = NOON + WINDOW - timedelta(seconds=1)
    assert sealer.seal(DETAIL, ["BA", "HR"]).window == first.window
    clock.now = NOON + WINDOW + timedelta(seconds=1)
    assert sealer.seal(DETAIL, ["BA", "HR"]).window != first.window


def test_a_clock_set_back_opens_a_new_window():
    clock = Clock()
    sealer = Sealer(DPOS, clock)
    first = sealer.seal(DETAIL, ["BA"])
    clock.now = NOON - timedelta(days=1)
    assert sealer.seal(DETAIL, ["BA"]).window != first.window


def test_other_recipients_have_another_window():
    sealer = new_sealer()
    assert sealer.seal(DETAIL, ["BA"]).window != sealer.seal(DETAIL, ["BA", "HR"]).window


def test_the_same_detail_twice_gives_unlike_bytes_throughout():
    sealer = new_sealer()
    first, second = (sealer.seal(DETAIL, ["BA"]) for _ in range(2))
    assert first.salt != second.salt
    assert first.blob != second.blob
    assert first.commitment != second.commitment


def test_the_length_does_not_tell_the_detail():
    sealer = new_sealer()
    assert len({len(sealer.seal(b"x" * n, ["BA"]).blob) for n in range(250)}) == 1


@pytest.mark.parametrize("to", [[], ["SI"], ["BA", "SI"]])
def test_an_unknown_recipient_or_none_is_refused(to):
    with pytest.raises(SealError):
        new_sealer().seal(DETAIL, to)


def test_a_detail_has_a_largest_size():
    with pytest.raises(SealError, match="1 MiB"):
        new_sealer().seal(bytes(MAX_DETAIL + 1), ["BA"])


def test_a_recipients_id_fits_the_envelope():
    with pytest.raises(SealError):
        Sealer({"DPO Ana": DPOS["BA"]}, Clock())


def test_a_sealed_detail_shows_no_bytes():
    found = new_sealer().seal(DETAIL, ["BA"])
    for part in (found.blob, found.salt, found.window):
        assert repr(part) not in repr(found)
