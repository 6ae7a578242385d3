# SPDX-License-Identifier: EUPL-1.2
"""Keys blinded twice: what is bound in, what never shows, and vectors for other languages."""

import hmac
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise.errors import LinkageError
from anonymise.keyring.derivation import expand
from anonymise.linkage.blinding import BlindKey, HmacBlinder, Pepper, keyed_hash
from anonymise.linkage.keys import Key, KeyKind

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors/linkage/blinding.json").read_text(encoding="utf-8")
)
NATIONS, PEPPER = b"\x01" * 32, b"\x02" * 32
KINDS = list(KeyKind)
KEY = Key(KINDS[0], "x")


@pytest.mark.parametrize("case", VECTORS["nations"], ids=lambda case: case["epoch"])
def test_the_nations_half_gives_the_published_bytes(case):
    blinder = HmacBlinder(bytes.fromhex(case["key"]), case["epoch"])
    assert blinder.values([bytes.fromhex(case["encoded"])])[0].hex() == case["value"]


@pytest.mark.parametrize("case", VECTORS["pepper"], ids=lambda case: case["epoch"])
def test_the_gateways_half_gives_the_published_bytes(case):
    pepper = Pepper(bytes.fromhex(case["key"]), case["epoch"])
    message = case["kind"].encode() + b"\0" + bytes.fromhex(case["value"])
    assert pepper.stored_all([message])[0][:16].hex() == case["stored"]


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(max_size=200), max_size=5))
def test_the_fast_way_is_hmac(key, messages):
    own = expand(key, b"\x00\x01x\x00\x062027q1")
    expected = [hmac.digest(own, message, "sha256") for message in messages]
    assert keyed_hash(key, "x", "2027q1")(messages) == expected


def test_blinding_is_the_same_for_one_key_and_epoch_and_unlike_for_any_other():
    seen = {
        blinder.blind([Key(KINDS[0], text)])[0].value
        for blinder in (
            HmacBlinder(NATIONS, "2027q1"),
            HmacBlinder(NATIONS, "2027q1"),
            HmacBlinder(NATIONS, "2027q2"),
            HmacBlinder(PEPPER, "2027q1"),
        )
        for text in ("x", "y")
    }
    assert len(seen) == 6


def test_a_weak_key_cannot_be_passed_off_as_a_strong_one():
    pepper = Pepper(PEPPER, "2027q1")
    value = HmacBlinder(NATIONS, "2027q1").blind([KEY])[0].value
    stored = {pepper.stored(BlindKey(kind, value)) for kind in KINDS}
    assert len(stored) == len(KINDS)
    assert {len(one) for one in stored} == {16}


def test_one_and_many_are_peppered_alike():
    pepper, key = Pepper(PEPPER, "2027q1"), BlindKey(KINDS[0], b"\x05" * 32)
    assert pepper.stored_all([key.kind.encode() + b"\0" + key.value])[0][:16] == pepper.stored(key)


@pytest.mark.parametrize("holder", [HmacBlinder(NATIONS, "2027q1"), Pepper(PEPPER, "2027q1")])
def test_what_holds_a_key_neither_shows_nor_serialises_it(holder):
    assert "redacted" in repr(holder)
    with pytest.raises(LinkageError):
        pickle.dumps(holder)


def test_a_blind_key_shows_its_kind_alone():
    key = BlindKey(KINDS[0], b"\xab" * 32)
    assert repr(key) == f"BlindKey({KINDS[0]}, value redacted)"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: HmacBlinder(b"short", "2027q1"),
        lambda: Pepper(PEPPER, "2027"),
        lambda: BlindKey(KINDS[0], b"short"),
    ],
)
def test_a_key_an_epoch_or_a_value_of_another_form_is_refused(wrong):
    with pytest.raises(LinkageError):
        wrong()
