# SPDX-License-Identifier: EUPL-1.2
"""Pseudonyms of one domain: a permutation, batched, and shut against everything else."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise import Domain, Keyring, KeyringError, PseudonymError
from anonymise.errors import UnknownCountryError
from tests.anonymise.backends import BOTH, backend

KEY = bytes(range(32))
KEYRING = Keyring.of({"BA": KEY})
CIPHER = KEYRING.domain_cipher(Domain("BA", "UNHCR", "humanitarian_assistance", "2026q4"))
surrogates = st.binary(min_size=16, max_size=16)


@given(st.lists(surrogates, max_size=200))
def test_a_page_gets_the_same_pseudonyms_as_one_by_one(people):
    assert CIPHER.pseudonyms(people) == [CIPHER.pseudonym(person) for person in people]


@given(st.lists(surrogates, unique=True, max_size=200))
def test_two_persons_never_share_a_pseudonym_and_each_reverses(people):
    pseudonyms = CIPHER.pseudonyms(people)
    assert len(set(pseudonyms)) == len(people)
    assert [CIPHER.reverse(pseudonym) for pseudonym in pseudonyms] == people


@pytest.mark.parametrize(
    "wrong", [b"", b"x" * 15, b"x" * 17, b"x" * 32, "x" * 16, None, bytearray(16)]
)
def test_anything_but_sixteen_bytes_is_refused_alone_and_in_a_page(wrong):
    for call in (
        lambda: CIPHER.pseudonym(wrong),
        lambda: CIPHER.reverse(wrong),
        lambda: CIPHER.pseudonyms([b"x" * 16, wrong]),
    ):
        with pytest.raises(PseudonymError):
            call()


def test_two_short_surrogates_that_add_up_to_blocks_are_refused():
    with pytest.raises(PseudonymError):
        CIPHER.pseudonyms([b"x" * 8, b"x" * 24])


def test_no_repr_shows_a_key():
    for shown in (repr(CIPHER), repr(KEYRING), str(KEYRING), repr(KEYRING._vault._keyset)):
        assert repr(KEY)[2:-1] not in shown
        assert KEY.hex() not in shown
        assert "redacted" in shown or "HeldRoot" in shown


@pytest.mark.parametrize("secret", [CIPHER, KEYRING])
def test_keys_are_never_serialised(secret):
    for serialise in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises((PseudonymError, KeyringError)):
            serialise(secret)


def test_a_country_without_a_root_key_has_no_pseudonyms():
    with pytest.raises(UnknownCountryError, match="no root key for RS"):
        KEYRING.domain_cipher(Domain("RS", "UNHCR", "humanitarian_assistance", "2026q4"))


@pytest.mark.parametrize("name", BOTH)
def test_the_same_root_makes_the_same_pseudonyms_wherever_it_stays(name, tmp_path):
    place = backend(name, tmp_path).holding({"BA": KEY})
    elsewhere = place.domain_cipher(CIPHER.domain)
    assert elsewhere.pseudonym(b"x" * 16) == CIPHER.pseudonym(b"x" * 16)
    assert elsewhere.code("a.b", "1") == CIPHER.code("a.b", "1")
