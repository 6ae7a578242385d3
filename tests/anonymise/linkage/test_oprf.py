# SPDX-License-Identifier: EUPL-1.2
"""Blinding by a key holder: the RFC's vectors, and what it takes for nobody to see anything."""

import json
from pathlib import Path

import pytest

from anonymise.errors import ElementError, LinkageError
from anonymise.linkage import oprf
from anonymise.linkage.keys import Key, KeyKind
from anonymise.linkage.oprf import AT_ONCE, OprfBlinder, blind, derive_key, evaluate, finalize

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors/linkage/oprf.json").read_text(encoding="utf-8")
)
KEY = derive_key(b"\x07" * 32, b"test")
KEYS = [Key(kind, f"value {number}") for number, kind in enumerate(list(KeyKind)[:2])]


def test_a_seed_gives_the_key_of_the_rfc():
    seed, info = (bytes.fromhex(VECTORS[name]) for name in ("seed", "key_info"))
    assert derive_key(seed, info).hex() == VECTORS["key"]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["input"])
def test_each_step_gives_the_bytes_of_the_rfc(case):
    data, scalar = bytes.fromhex(case["input"]), bytes.fromhex(case["blind"])
    blinded = blind(data, scalar)
    evaluated = evaluate(bytes.fromhex(VECTORS["key"]), blinded)
    output = finalize(data, scalar, evaluated)
    assert (blinded.hex(), evaluated.hex(), output.hex()) == (
        case["blinded"],
        case["evaluated"],
        case["output"],
    )


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["why"])
def test_what_is_no_element_is_neither_evaluated_nor_taken(case):
    element = bytes.fromhex(case["element"])
    with pytest.raises(ElementError):
        evaluate(KEY, element)
    with pytest.raises(ElementError):
        finalize(b"x", oprf.random_scalar(), element)


class Holder:
    """A key holder in the same process, who keeps what he was sent."""

    def __init__(self):
        self.sent = []

    def __call__(self, elements):
        self.sent.append(elements)
        return [evaluate(KEY, element) for element in elements]


def test_two_askers_of_one_key_get_the_same_value_and_the_holder_never_sees_the_same_twice():
    holder = Holder()
    blinder = OprfBlinder(holder, "2027q1")
    first, second = blinder.blind(KEYS), blinder.blind(KEYS)
    assert first == second
    assert len({key.value for key in first}) == len(KEYS)
    assert not set(holder.sent[0]) & set(holder.sent[1])


@pytest.mark.parametrize("count", [1, 2, AT_ONCE, AT_ONCE + 1])
def test_the_number_of_elements_tells_little(count):
    holder = Holder()
    keys = [Key(KEYS[0].kind, str(number)) for number in range(count)]
    assert len(OprfBlinder(holder, "2027q1").blind(keys)) == count
    assert len(holder.sent[0]) % AT_ONCE == 0


def test_an_answer_that_leaves_something_out_is_refused():
    with pytest.raises(LinkageError, match="left elements out"):
        OprfBlinder(lambda elements: elements[1:], "2027q1").blind(KEYS)


def test_another_key_gives_other_values():
    other = derive_key(b"\x08" * 32, b"test")
    mine = OprfBlinder(Holder(), "2027q1").blind(KEYS)
    theirs = OprfBlinder(lambda sent: [evaluate(other, one) for one in sent], "2027q1").blind(KEYS)
    assert not {key.value for key in mine} & {key.value for key in theirs}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: derive_key(b"short", b""),
        lambda: blind(bytes(2**16), oprf.random_scalar()),
        lambda: finalize(b"x", bytes(32), bytes(32)),
        lambda: OprfBlinder(Holder(), "2027"),
    ],
)
def test_what_makes_no_sense_is_refused_in_our_own_words(wrong):
    with pytest.raises(LinkageError):
        wrong()


def test_without_the_library_the_message_names_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pysodium", None)
    with pytest.raises(LinkageError, match=r"cuvar\[oprf\]"):
        oprf.random_scalar()
