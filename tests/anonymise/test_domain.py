# SPDX-License-Identifier: EUPL-1.2
"""Domains: their parts, and that no two of them share a key or anything that joins."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anonymise import Domain, DomainError, epoch_of
from anonymise.domain import epoch_after
from anonymise.keyring.derivation import domain_info
from tests.anonymise.backends import BOTH, backend

PARTS = {
    "country": "BA",
    "recipient": "UNHCR",
    "purpose": "humanitarian_assistance",
    "epoch": "2026q4",
}
ROOTS = {"BA": b"\x01" * 32, "RS": b"\x02" * 32}
domains = st.builds(
    Domain,
    st.sampled_from(sorted(ROOTS)),
    st.from_regex(r"[A-Z][A-Z0-9-]{0,8}", fullmatch=True),
    st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True),
    st.from_regex(r"20[0-9]{2}q[1-4]", fullmatch=True),
)
surrogates = st.binary(min_size=16, max_size=16)


@pytest.fixture(scope="module", params=BOTH)
def keyring(request, tmp_path_factory):
    return backend(request.param, tmp_path_factory.mktemp("keyset")).holding(ROOTS)


@pytest.mark.parametrize(
    ("day", "epoch"),
    [
        (date(2026, 1, 1), "2026q1"),
        (date(2026, 3, 31), "2026q1"),
        (date(2026, 4, 1), "2026q2"),
        (date(2026, 9, 30), "2026q3"),
        (date(2026, 10, 1), "2026q4"),
        (date(2026, 12, 31), "2026q4"),
        (date(987, 12, 31), "0987q4"),
    ],
)
def test_an_epoch_is_the_calendar_quarter(day, epoch):
    assert epoch_of(day) == epoch


@pytest.mark.parametrize(
    ("epoch", "after"), [("2026q1", "2026q2"), ("2026q4", "2027q1"), ("0000q4", "0001q1")]
)
def test_an_epoch_is_followed_by_the_next_quarter(epoch, after):
    assert epoch_after(epoch) == after


@pytest.mark.parametrize("wrong", ["", "2026", "2026q5", "q1"])
def test_what_is_no_epoch_has_no_next_one(wrong):
    with pytest.raises(DomainError):
        epoch_after(wrong)


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("country", ""),
        ("country", "ba"),
        ("country", "BAA"),
        ("country", "BA\n"),
        ("recipient", ""),
        ("recipient", "unhcr"),
        ("recipient", "UN HCR"),
        ("recipient", "A" * 33),
        ("purpose", ""),
        ("purpose", "*"),
        ("purpose", "a" * 65),
        ("epoch", ""),
        ("epoch", "2026q5"),
        ("epoch", "2026-q4"),
        ("epoch", "\u0662026q4"),
        ("version", 0),
        ("version", -1),
        ("version", 10_000),
    ],
)
def test_a_domain_with_a_missing_or_strange_part_is_refused(part, wrong):
    with pytest.raises(DomainError, match=part):
        Domain(**{**PARTS, part: wrong})


@given(domains, domains)
def test_two_domains_never_share_the_info_of_their_keys(one, other):
    assume(one != other)
    assert domain_info(one, "x") != domain_info(other, "x")


@given(domains, domains, st.lists(surrogates, min_size=2, max_size=20, unique=True))
def test_pseudonyms_of_two_domains_share_no_value(keyring, one, other, people):
    assume(one != other)
    here = keyring.domain_cipher(one).pseudonyms(people)
    there = keyring.domain_cipher(other).pseudonyms(people)
    assert not set(here) & set(there)
    assert len(set(here)) == len(people)


@given(domains, domains, surrogates)
def test_the_cipher_of_one_domain_does_not_reverse_anothers_pseudonym(keyring, one, other, person):
    assume(one != other)
    pseudonym = keyring.domain_cipher(one).pseudonym(person)
    assert keyring.domain_cipher(one).reverse(pseudonym) == person
    assert keyring.domain_cipher(other).reverse(pseudonym) != person


@given(domains, domains, st.text(min_size=1, max_size=10))
def test_codes_of_two_domains_differ(keyring, one, other, group):
    assume(one != other)
    field = "accommodation.family_group_no"
    assert keyring.domain_cipher(one).code(field, group) != (
        keyring.domain_cipher(other).code(field, group)
    )


def test_codes_of_one_value_in_two_fields_differ(keyring):
    cipher = keyring.domain_cipher(Domain(**PARTS))
    assert cipher.code("a.b", "c17") != cipher.code("a.bc", "17")


@pytest.mark.parametrize(
    "change",
    [{"recipient": "IOM"}, {"purpose": "vital_interest"}, {"epoch": "2027q1"}, {"country": "RS"}],
)
def test_pseudonyms_of_two_domains_are_statistically_independent(keyring, change):
    # Counting surrogates: any structure that the cipher let through would show here first.
    people = [number.to_bytes(16, "big") for number in range(4_000)]
    here = keyring.domain_cipher(Domain(**PARTS)).pseudonyms(people)
    there = keyring.domain_cipher(Domain(**{**PARTS, **change})).pseudonyms(people)
    apart = [
        (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()
        for a, b in zip(here, there, strict=True)
    ]
    # 512,000 fair coins: mean 64 a pair, five standard errors are 0.45.
    assert abs(sum(apart) / len(apart) - 64) < 0.45
    order_here = sorted(range(4_000), key=here.__getitem__)
    order_there = sorted(range(4_000), key=there.__getitem__)
    # Sorted lists would join by their order: places that agree are Poisson with mean 1.
    assert sum(a == b for a, b in zip(order_here, order_there, strict=True)) < 12
