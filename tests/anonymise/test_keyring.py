# SPDX-License-Identifier: EUPL-1.2
"""The keyset on disk: made once, private, and clear about what is wrong with it."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from anonymise import Domain, Keyring, KeyringError
from anonymise.errors import (
    KeysetDamagedError,
    KeysetExistsError,
    KeysetMissingError,
    KeysetPermissionError,
    KeysetVersionError,
    WrongPassphraseError,
)
from anonymise.keyring import CODE_LABEL, PSEUDONYM_LABEL, domain_key
from anonymise.keyset import DEFAULT_WORK, RootKey, Work, seal_keyset, unseal_keyset

PASSPHRASE = "correct horse battery staple"
CHEAP = Work(n=1 << 14)
DOMAIN = Domain("BA", "UNHCR", "humanitarian_assistance", "2026q4")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keyset.json"
    Keyring.create(path, PASSPHRASE, ["BA", "RS"], work=CHEAP)
    return path


def rewrite(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def seal_again(document):
    """Mend the digest, as an attacker would."""
    body = {key: value for key, value in document.items() if key != "sha256"}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    document["sha256"] = hashlib.sha256(canonical).hexdigest()


def test_an_opened_keyset_makes_the_same_pseudonyms_as_the_created_one(tmp_path):
    path = tmp_path / "keyset.json"
    created = Keyring.create(path, PASSPHRASE, ["BA"], work=CHEAP)
    opened = Keyring.open(path, PASSPHRASE)
    assert opened.countries == {"BA"}
    person = b"0123456789abcdef"
    assert opened.domain_cipher(DOMAIN).pseudonym(person) == (
        created.domain_cipher(DOMAIN).pseudonym(person)
    )


def test_two_keysets_and_two_countries_have_different_keys(tmp_path):
    person = b"0123456789abcdef"
    seen = set()
    for name in ("one", "other"):
        keyring = Keyring.create(tmp_path / name, PASSPHRASE, ["BA", "RS"], work=CHEAP)
        for country in ("BA", "RS"):
            domain = Domain(country, "UNHCR", "humanitarian_assistance", "2026q4")
            seen.add(keyring.domain_cipher(domain).pseudonym(person))
    assert len(seen) == 4


def test_the_file_is_private_and_leaves_nothing_beside_it(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keyset.json"]


def test_the_file_is_private_even_under_an_open_umask(tmp_path):
    before = os.umask(0)
    try:
        Keyring.create(tmp_path / "k", PASSPHRASE, ["BA"], work=CHEAP)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


def test_the_file_shows_neither_keys_nor_passphrase(tmp_path):
    path = tmp_path / "k"
    root = b"ROOT-KEY-OF-THIRTY-TWO-BYTES-!!!"
    Keyring.create(path, PASSPHRASE, ["BA"], work=CHEAP, random=lambda n: root[:n])
    text = path.read_text()
    assert PASSPHRASE not in text
    assert "Uk9PVC1LRVktT0YtVEhJUlRZLVRXTy1CWVRFUy0hISE" not in text


def test_a_standing_keyset_is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(KeysetExistsError, match="not overwritten"):
        Keyring.create(path, PASSPHRASE, ["BA"], work=CHEAP)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["keyset.json"]


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "k").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysetExistsError):
        Keyring.create(tmp_path / "k", PASSPHRASE, ["BA"], work=CHEAP)
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_keyset_is_named_with_the_next_step(tmp_path):
    with pytest.raises(KeysetMissingError, match="check the path in the settings"):
        Keyring.open(tmp_path / "keyset.json", PASSPHRASE)


def test_a_missing_folder_is_told_when_making_a_keyset(tmp_path):
    with pytest.raises(KeyringError):
        Keyring.create(tmp_path / "nowhere" / "k", PASSPHRASE, ["BA"], work=CHEAP)


def test_a_wrong_passphrase_is_told_apart_from_damage(path):
    with pytest.raises(WrongPassphraseError) as refusal:
        Keyring.open(path, PASSPHRASE + "?")
    assert PASSPHRASE not in str(refusal.value)


@pytest.mark.parametrize("kept", [0, 1, 40, 200, -2, -40])
def test_a_half_written_keyset_is_damaged(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(KeysetDamagedError):
        Keyring.open(path, PASSPHRASE)


@pytest.mark.parametrize(
    "content", [b"null", b"[]", b"{}", b'"x"', b"\xff\xfe", b"[" * 50_000, b"x" * 70_000]
)
def test_something_that_is_no_keyset_is_damaged(path, content):
    path.write_bytes(content)
    with pytest.raises(KeysetDamagedError):
        Keyring.open(path, PASSPHRASE)


def test_a_keyset_padded_beyond_all_measure_is_damaged(path):
    path.write_bytes(path.read_bytes() + b" " * 70_000)
    with pytest.raises(KeysetDamagedError):
        Keyring.open(path, PASSPHRASE)


def test_a_later_version_is_told_apart_from_damage_whatever_else_it_holds(path):
    path.write_text(json.dumps({"format": "cuvar-keyset", "version": 2, "vault": "pkcs11"}))
    with pytest.raises(KeysetVersionError, match="version 1"):
        Keyring.open(path, PASSPHRASE)


def test_one_changed_letter_anywhere_is_damage(path):
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 0x01
        if json_equal(changed, content):
            continue
        path.write_bytes(bytes(changed))
        with pytest.raises((KeysetDamagedError, KeysetVersionError)):
            Keyring.open(path, PASSPHRASE)


def json_equal(one, other):
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601])
def test_a_keyset_open_to_others_is_refused(path, mode):
    path.chmod(mode)
    with pytest.raises(KeysetPermissionError, match="chmod 600"):
        Keyring.open(path, PASSPHRASE)


def test_a_read_only_keyset_opens(path):
    path.chmod(0o400)
    assert Keyring.open(path, PASSPHRASE).countries == {"BA", "RS"}


def test_a_folder_in_place_of_the_keyset_is_refused(tmp_path):
    (tmp_path / "k").mkdir(mode=0o700)
    with pytest.raises(KeyringError):
        Keyring.open(tmp_path / "k", PASSPHRASE)


def test_a_device_in_place_of_the_keyset_is_refused():
    with pytest.raises(KeysetPermissionError, match="not a plain file"):
        Keyring.open(Path("/dev/zero"), PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(version=2),
        lambda document: document.update(version="1"),
        lambda document: document.update(extra=1),
        lambda document: document["kdf"].update(name="argon2id"),
        lambda document: document["kdf"].update(n=2),
        lambda document: document["kdf"].update(n=1 << 30),
        lambda document: document["kdf"].update(n=20_000),
        lambda document: document["kdf"].update(p=64),
        lambda document: document["kdf"].update(r=1),
        lambda document: document["cipher"].update(name="AES-256-CBC"),
    ],
)
def test_an_unknown_version_algorithm_or_cost_is_refused_before_the_passphrase_is_used(
    path, change
):
    def mended(document):
        change(document)
        seal_again(document)

    rewrite(path, mended)
    with pytest.raises(KeysetVersionError):
        Keyring.open(path, PASSPHRASE)


def test_a_cheaper_cost_written_in_by_an_attacker_does_not_open(path):
    def mended(document):
        document["kdf"]["n"] = 1 << 15
        seal_again(document)

    rewrite(path, mended)
    with pytest.raises(WrongPassphraseError):
        Keyring.open(path, PASSPHRASE)


def test_the_sealed_part_of_another_keyset_does_not_open(path, tmp_path):
    Keyring.create(tmp_path / "other", PASSPHRASE, ["BA"], work=CHEAP)
    sealed = json.loads((tmp_path / "other").read_text())["sealed"]

    def mended(document):
        document["sealed"] = sealed
        seal_again(document)

    rewrite(path, mended)
    with pytest.raises(WrongPassphraseError):
        Keyring.open(path, PASSPHRASE)


@pytest.mark.parametrize(
    ("passphrase", "countries"),
    [("short", ["BA"]), (PASSPHRASE, []), (PASSPHRASE, ["ba"]), (PASSPHRASE, ["BA", ""])],
)
def test_a_weak_passphrase_or_no_country_makes_no_keyset(tmp_path, passphrase, countries):
    with pytest.raises(KeyringError):
        Keyring.create(tmp_path / "k", passphrase, countries, work=CHEAP)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "work", [Work(n=2), Work(n=1 << 21), Work(n=3 << 13), Work(p=0), Work(p=5)]
)
def test_a_keyset_is_not_made_with_a_cost_that_would_not_be_read(tmp_path, work):
    with pytest.raises(KeyringError, match="scrypt"):
        Keyring.create(tmp_path / "k", PASSPHRASE, ["BA"], work=work)


def test_the_default_cost_is_what_is_recommended_and_accepted():
    assert DEFAULT_WORK.accepted
    assert (DEFAULT_WORK.n, DEFAULT_WORK.p) == (131_072, 1)


def test_two_seals_of_the_same_keys_differ():
    roots = unseal_keyset(
        seal_keyset({"BA": _root()}, PASSPHRASE, work=CHEAP, random=os.urandom), PASSPHRASE
    )
    again = seal_keyset(roots, PASSPHRASE, work=CHEAP, random=os.urandom)
    assert again != seal_keyset(roots, PASSPHRASE, work=CHEAP, random=os.urandom)


def _root():
    return RootKey(1, os.urandom(32))


def test_a_service_key_is_bound_to_its_label_and_its_keyset_and_is_no_domain_key():
    one, two = _root(), _root()
    keyring = Keyring({"BA": one})
    key = keyring.service_key("handles")
    assert len(key) == 32
    assert key == Keyring({"BA": one}).service_key("handles")
    others = {
        keyring.service_key("handle"),
        Keyring({"BA": two}).service_key("handles"),
        Keyring({"BA": one, "RS": two}).service_key("handles"),
        domain_key(one, DOMAIN, PSEUDONYM_LABEL),
        domain_key(one, DOMAIN, CODE_LABEL),
    }
    assert len(others) == 5
    assert key not in others
