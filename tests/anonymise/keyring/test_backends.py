# SPDX-License-Identifier: EUPL-1.2
"""What a keyring does over an encrypted file, it does over a PKCS#11 token."""

import copy
import pickle
from dataclasses import replace

import pytest

from anonymise import Domain, DomainError, KeyringError
from anonymise.errors import (
    CeremonyError,
    KeysetExistsError,
    KeysetMissingError,
    KeysetUnnamedError,
    RootDestroyedError,
    RootNotServingError,
    UnknownCountryError,
    WrongPassphraseError,
)
from anonymise.keyring import Keyring, RootState
from anonymise.keyring.memory_vault import MemoryVault
from tests.anonymise.backends import BOTH, backend

PERSON = b"0123456789abcdef"
UNHCR = ("UNHCR", "humanitarian_assistance")
ANA = {"BA-DPA/ana": "k" * 43 + "=", "BA-AS/boris": "l" * 43 + "="}


@pytest.fixture(params=BOTH)
def place(request, tmp_path):
    return backend(request.param, tmp_path)


@pytest.fixture
def keyring(place):
    made = place.create(["BA", "RS"])
    yield made
    made.close()


def pseudonym(keyring, epoch="2026q4", country="BA"):
    domain = keyring.domain(country, *UNHCR, epoch)
    return keyring.domain_cipher(domain).pseudonym(PERSON)


def states(keyring, country="BA"):
    return [(r.version, r.since, str(r.state)) for r in keyring.register[country]]


def test_an_opened_keyring_makes_the_same_pseudonyms_as_the_created_one(place, keyring):
    opened = place.open()
    assert opened.countries == {"BA", "RS"}
    assert pseudonym(opened) == pseudonym(keyring)
    assert opened.service_key("handles") == keyring.service_key("handles")
    assert opened.digest == keyring.digest
    opened.close()


def test_two_countries_two_epochs_and_two_recipients_have_different_keys(keyring):
    seen = {
        pseudonym(keyring, epoch, country)
        for epoch in ("2026q4", "2027q1")
        for country in ("BA", "RS")
    }
    seen.add(
        keyring.domain_cipher(keyring.domain("BA", "IOM", UNHCR[1], "2026q4")).pseudonym(PERSON)
    )
    assert len(seen) == 5


def test_a_rotation_counts_from_its_epoch_and_leaves_the_earlier_ones_reversible(place, keyring):
    now, later = pseudonym(keyring), pseudonym(keyring, "2027q1")
    old = keyring.domain("BA", *UNHCR, "2026q4")
    assert keyring.rotate("BA", "2027q1").version == 2
    assert states(keyring) == [(1, "0000q1", "retired"), (2, "2027q1", "active")]
    assert states(keyring, "RS") == [(1, "0000q1", "active")]
    for ring in (keyring, place.open()):
        assert pseudonym(ring) == now
        assert pseudonym(ring, "2027q1") != later
        assert ring.domain_cipher(old).reverse(now) == PERSON
        assert ring.domain("BA", *UNHCR, "2026q4").version == 1
        assert ring.domain("BA", *UNHCR, "2027q1").version == 2


def test_after_a_rotation_within_an_epoch_both_roots_are_asked_for_its_numbers(keyring):
    keyring.rotate("BA", "2026q4")
    assert [d.version for d in keyring.domains("BA", *UNHCR, "2026q4")] == [2, 1]
    assert [d.version for d in keyring.domains("BA", *UNHCR, "2026q3")] == [1]
    assert [d.version for d in keyring.domains("BA", *UNHCR, "2027q1")] == [2]


def test_a_root_serves_no_epoch_but_its_own(keyring):
    keyring.rotate("BA", "2027q1")
    for epoch, version in (("2027q2", 1), ("2026q4", 2), ("2026q4", 3)):
        with pytest.raises(RootNotServingError, match="keys status"):
            keyring.domain_cipher(Domain("BA", *UNHCR, epoch, version))


def test_a_destroyed_root_is_gone_for_good_and_its_version_is_not_used_again(place, keyring):
    keyring.rotate("BA", "2027q1")
    old = keyring.domain("BA", *UNHCR, "2026q4")
    keyring.domain_cipher(old)
    assert keyring.destroy("BA", 1, "2027q2").state is RootState.DESTROYED
    for ring in (keyring, place.open()):
        assert states(ring) == [(1, "0000q1", "destroyed"), (2, "2027q1", "active")]
        with pytest.raises(RootDestroyedError, match="was destroyed"):
            ring.domain_cipher(old)
        with pytest.raises(RootDestroyedError):
            ring.domain("BA", *UNHCR, "2026q4")
        assert ring.domains("BA", *UNHCR, "2026q4") == ()
        with pytest.raises(KeyringError):
            ring.check(ring.register["BA"][0])
    assert keyring.rotate("BA", "2027q3").version == 3


@pytest.mark.parametrize(
    ("version", "epoch"),
    [(1, "2027q1"), (1, "2026q4"), (2, "2028q1"), (3, "2028q1"), (0, "2028q1")],
)
def test_a_root_that_serves_now_is_not_destroyed(keyring, version, epoch):
    keyring.rotate("BA", "2027q1")
    before = states(keyring)
    with pytest.raises(CeremonyError):
        keyring.destroy("BA", version, epoch)
    assert states(keyring) == before
    assert pseudonym(keyring)


def test_a_destroyed_root_is_not_destroyed_again(keyring):
    keyring.rotate("BA", "2027q1")
    keyring.destroy("BA", 1, "2027q2")
    with pytest.raises(CeremonyError):
        keyring.destroy("BA", 1, "2027q2")


@pytest.mark.parametrize("since", ["2026q5", "", "2027-01", "2026q3"])
def test_a_rotation_into_no_epoch_or_before_the_last_one_changes_nothing(keyring, since):
    keyring.rotate("BA", "2026q4")
    before = keyring.digest
    with pytest.raises(CeremonyError, match="2027q1"):
        keyring.rotate("BA", since)
    assert keyring.digest == before


def test_a_country_is_added_once_and_the_service_key_stays(place, keyring):
    service, digest = keyring.service_key("handles"), keyring.digest
    keyring.create("XK")
    assert place.open().countries == {"BA", "RS", "XK"}
    assert place.open().service_key("handles") == service
    assert keyring.digest != digest
    with pytest.raises(KeysetExistsError, match="keys rotate"):
        keyring.create("XK")
    with pytest.raises(CeremonyError):
        keyring.create("xk")


def test_a_country_without_a_root_is_told(keyring):
    with pytest.raises(UnknownCountryError, match="keys create"):
        keyring.domain("AT", *UNHCR, "2026q4")
    with pytest.raises(UnknownCountryError):
        keyring.rotate("AT", "2027q1")


@pytest.mark.parametrize("epoch", ["", "2026", "2026q5", "latest"])
def test_what_is_no_epoch_has_no_domain(keyring, epoch):
    for ask in (keyring.domain, keyring.domains):
        with pytest.raises(DomainError, match="epoch"):
            ask("BA", *UNHCR, epoch)


def test_custodians_are_kept_and_replaced_whole(place, keyring):
    assert dict(keyring.custodians) == {}
    digest = keyring.digest
    keyring.appoint(ANA)
    assert dict(place.open().custodians) == ANA
    keyring.appoint({"RS-DPA/vera": "m" * 43 + "="})
    assert list(place.open().custodians) == ["RS-DPA/vera"]
    assert keyring.digest != digest


def test_check_values_tell_roots_apart(keyring):
    keyring.rotate("BA", "2027q1")
    roots = [root for held in keyring.register.values() for root in held]
    checks = {keyring.check(root) for root in roots}
    assert len(checks) == 3
    assert all(len(check) == 16 for check in checks)


def test_another_root_or_service_secret_under_the_same_names_has_another_digest(keyring):
    """A keyset that was put back and rotated anew differs in nothing but its secrets."""
    others = Keyring.of({"BA": b"1" * 32, "RS": b"2" * 32})
    assert others.register == keyring.register
    assert others.digest != keyring.digest
    kept = others._vault._keyset
    same = Keyring(MemoryVault(kept))
    assert same.digest == others.digest
    assert Keyring(MemoryVault(replace(kept, service=b"3" * 32))).digest != same.digest
    [held] = kept.roots["BA"]
    roots = {**kept.roots, "BA": (replace(held, secret=b"4" * 32),)}
    assert Keyring(MemoryVault(replace(kept, roots=roots))).digest != same.digest


def test_a_refused_keyset_gives_no_domains_keys_out_until_it_is_accepted(keyring):
    domain = keyring.domain("BA", *UNHCR, "2026q4")
    cipher = keyring.domain_cipher(domain)
    service = keyring.service_key("handles")
    keyring.refuse("the log names another")
    with pytest.raises(KeysetUnnamedError, match="names another"):
        keyring.domain_cipher(domain)
    assert keyring.service_key("handles") == service
    keyring.refuse(None)
    again = keyring.domain_cipher(domain)
    assert again.pseudonym(b"s" * 16) == cipher.pseudonym(b"s" * 16)


def test_a_second_keyset_is_not_made_over_the_first(place, keyring):
    before = keyring.digest
    with pytest.raises(KeysetExistsError):
        place.create(["BA"])
    assert place.open().digest == before


def test_no_keyset_is_made_for_no_country_or_a_malformed_one(place):
    for countries in ([], ["ba"], ["BA", ""]):
        with pytest.raises(KeyringError):
            place.create(countries)
    with pytest.raises(KeysetMissingError, match=r"keys create|make one"):
        place.open()


def test_a_wrong_secret_is_told_apart_and_not_repeated(place, keyring):
    keyring.close()
    with pytest.raises(WrongPassphraseError) as refusal:
        place.open("certainly another one")
    assert "certainly another one" not in str(refusal.value)
    assert place.open().countries == {"BA", "RS"}


def test_two_who_change_the_same_keyset_do_not_undo_each_other(place, keyring):
    other = place.open()
    other.rotate("BA", "2027q1")
    with pytest.raises(KeyringError, match="somebody else"):
        keyring.rotate("RS", "2027q1")
    assert place.open().register == other.register


def test_a_keyring_takes_in_what_another_process_changed_and_forgets_old_keys(place, keyring):
    other = place.open()
    old = keyring.domain("BA", *UNHCR, "2026q4")
    keyring.domain_cipher(old)
    assert keyring.reread() is False
    other.rotate("BA", "2027q1")
    assert keyring.reread() is True
    assert keyring.reread() is False
    assert keyring.register == other.register
    other.destroy("BA", 1, "2027q2")
    assert keyring.reread() is True
    keyring.forget()
    with pytest.raises(RootDestroyedError):
        keyring.domain_cipher(old)
    assert keyring.rotate("BA", "2027q3").version == 3


def test_a_closed_keyring_computes_nothing(keyring):
    keyring.close()
    with pytest.raises(KeyringError):
        pseudonym(keyring)


def test_no_repr_shows_a_secret_and_nothing_is_serialised(place, keyring):
    cipher = keyring.domain_cipher(keyring.domain("BA", *UNHCR, "2026q4"))
    for shown in (repr(keyring), repr(keyring._vault), repr(cipher)):
        assert "redacted" in shown or "in the token" in shown
        assert "correct horse" not in shown
        assert "pin of" not in shown
    for secret in (keyring, keyring._vault, cipher):
        for serialise in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(Exception, match="serialised"):
                serialise(secret)


def test_the_cache_of_ciphers_stays_bounded(keyring):
    for number in range(1_100):
        keyring.domain_cipher(Domain("BA", f"ORG-{number}", "tracing", "2026q4"))
    assert len(keyring._ciphers) == 1_024
