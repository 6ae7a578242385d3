# SPDX-License-Identifier: EUPL-1.2
"""The keyset on disk: made once, private, and clear about what is wrong with it."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from anonymise import KeyringError
from anonymise.errors import (
    KeysetCopiesError,
    KeysetDamagedError,
    KeysetExistsError,
    KeysetMissingError,
    KeysetPermissionError,
    KeysetVersionError,
    WrongPassphraseError,
)
from anonymise.keyring import Keyring, open_file
from anonymise.keyring.derivation import CODE_LABEL, PSEUDONYM_LABEL, domain_info
from anonymise.keyring.document import DEFAULT_WORK, Work, seal_keyset, unseal_keyset
from anonymise.keyring.file_vault import FileVault
from anonymise.keyring.memory_vault import Keyset, MemoryVault
from tests.anonymise.backends import CHEAP, PASSPHRASE

VECTORS = Path(__file__).parents[2] / "vectors" / "anonymise"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keyset.json"
    FileVault.create(path, PASSPHRASE, ["BA", "RS"], work=CHEAP)
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


def test_the_file_is_private_and_leaves_nothing_beside_it(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keyset.json"]


def test_the_file_is_private_even_under_an_open_umask(tmp_path):
    before = os.umask(0)
    try:
        FileVault.create(tmp_path / "k", PASSPHRASE, ["BA"], work=CHEAP)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


def test_the_file_shows_neither_keys_nor_passphrase(tmp_path):
    path = tmp_path / "k"
    root = b"ROOT-KEY-OF-THIRTY-TWO-BYTES-!!!"
    FileVault.create(path, PASSPHRASE, ["BA"], work=CHEAP, random=lambda n: root[:n])
    text = path.read_text()
    assert PASSPHRASE not in text
    assert "Uk9PVC1LRVktT0YtVEhJUlRZLVRXTy1CWVRFUy0hISE" not in text


def test_a_standing_keyset_is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(KeysetExistsError, match="not overwritten"):
        FileVault.create(path, PASSPHRASE, ["BA"], work=CHEAP)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["keyset.json"]


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "k").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysetExistsError):
        FileVault.create(tmp_path / "k", PASSPHRASE, ["BA"], work=CHEAP)
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_keyset_is_named_with_the_next_step(tmp_path):
    with pytest.raises(KeysetMissingError, match="check the path in the settings"):
        open_file(tmp_path / "keyset.json", PASSPHRASE)


def test_a_missing_folder_is_told_when_making_a_keyset(tmp_path):
    with pytest.raises(KeyringError):
        FileVault.create(tmp_path / "nowhere" / "k", PASSPHRASE, ["BA"], work=CHEAP)


def test_a_wrong_passphrase_is_told_apart_from_damage(path):
    with pytest.raises(WrongPassphraseError) as refusal:
        open_file(path, PASSPHRASE + "?")
    assert PASSPHRASE not in str(refusal.value)


@pytest.mark.parametrize("kept", [0, 1, 40, 200, -2, -40])
def test_a_half_written_keyset_is_damaged(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(KeysetDamagedError):
        open_file(path, PASSPHRASE)


@pytest.mark.parametrize(
    "content", [b"null", b"[]", b"{}", b'"x"', b"\xff\xfe", b"[" * 50_000, b"x" * 70_000]
)
def test_something_that_is_no_keyset_is_damaged(path, content):
    path.write_bytes(content)
    with pytest.raises(KeysetDamagedError):
        open_file(path, PASSPHRASE)


def test_a_keyset_padded_beyond_all_measure_is_damaged(path):
    path.write_bytes(path.read_bytes() + b" " * 70_000)
    with pytest.raises(KeysetDamagedError):
        open_file(path, PASSPHRASE)


def test_a_later_version_is_told_apart_from_damage_whatever_else_it_holds(path):
    path.write_text(json.dumps({"format": "cuvar-keyset", "version": 3, "vault": "x"}))
    with pytest.raises(KeysetVersionError, match="versions 1 and 2"):
        open_file(path, PASSPHRASE)


def test_one_changed_letter_anywhere_is_damage(path):
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 0x01
        if json_equal(changed, content):
            continue
        path.write_bytes(bytes(changed))
        with pytest.raises((KeysetDamagedError, KeysetVersionError)):
            open_file(path, PASSPHRASE)


def json_equal(one, other):
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601])
def test_a_keyset_open_to_others_is_refused(path, mode):
    path.chmod(mode)
    with pytest.raises(KeysetPermissionError, match="chmod 600"):
        open_file(path, PASSPHRASE)


def test_a_read_only_keyset_opens(path):
    path.chmod(0o400)
    assert open_file(path, PASSPHRASE).countries == {"BA", "RS"}


def test_a_folder_in_place_of_the_keyset_is_refused(tmp_path):
    (tmp_path / "k").mkdir(mode=0o700)
    with pytest.raises(KeyringError):
        open_file(tmp_path / "k", PASSPHRASE)


def test_a_device_in_place_of_the_keyset_is_refused():
    with pytest.raises(KeysetPermissionError, match="not a plain file"):
        open_file(Path("/dev/zero"), PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(version=3),
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
        open_file(path, PASSPHRASE)


def test_a_cheaper_cost_written_in_by_an_attacker_does_not_open(path):
    def mended(document):
        document["kdf"]["n"] = 1 << 15
        seal_again(document)

    rewrite(path, mended)
    with pytest.raises(WrongPassphraseError):
        open_file(path, PASSPHRASE)


def test_the_sealed_part_of_another_keyset_does_not_open(path, tmp_path):
    FileVault.create(tmp_path / "other", PASSPHRASE, ["BA"], work=CHEAP)
    sealed = json.loads((tmp_path / "other").read_text())["sealed"]

    def mended(document):
        document["sealed"] = sealed
        seal_again(document)

    rewrite(path, mended)
    with pytest.raises(WrongPassphraseError):
        open_file(path, PASSPHRASE)


@pytest.mark.parametrize(
    ("passphrase", "countries"),
    [("short", ["BA"]), (PASSPHRASE, []), (PASSPHRASE, ["ba"]), (PASSPHRASE, ["BA", ""])],
)
def test_a_weak_passphrase_or_no_country_makes_no_keyset(tmp_path, passphrase, countries):
    with pytest.raises(KeyringError):
        FileVault.create(tmp_path / "k", passphrase, countries, work=CHEAP)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "work", [Work(n=2), Work(n=1 << 21), Work(n=3 << 13), Work(p=0), Work(p=5)]
)
def test_a_keyset_is_not_made_with_a_cost_that_would_not_be_read(tmp_path, work):
    with pytest.raises(KeyringError, match="scrypt"):
        FileVault.create(tmp_path / "k", PASSPHRASE, ["BA"], work=work)


def test_the_default_cost_is_what_is_recommended_and_accepted():
    assert DEFAULT_WORK.accepted
    assert (DEFAULT_WORK.n, DEFAULT_WORK.p) == (131_072, 1)


def test_two_seals_of_the_same_keys_differ(path):
    keyset = unseal_keyset(path.read_bytes(), PASSPHRASE)
    again = seal_keyset(keyset, PASSPHRASE, work=CHEAP, random=os.urandom)
    assert again != seal_keyset(keyset, PASSPHRASE, work=CHEAP, random=os.urandom)
    assert unseal_keyset(again, PASSPHRASE) == keyset


def test_a_service_key_is_bound_to_its_label_and_its_keyset_and_is_no_domain_key(path):
    ring = open_file(path, PASSPHRASE)
    other = Keyring.of({"BA": bytes(32)})
    domain = ring.domain("BA", "UNHCR", "tracing", "2026q4")
    [root] = ring.register["BA"]
    keys = [
        ring.service_key("handles"),
        ring.service_key("handle"),
        other.service_key("handles"),
        *(
            ring._vault.expand(root, domain_info(domain, label))
            for label in (PSEUDONYM_LABEL, CODE_LABEL)
        ),
    ]
    assert len(set(keys)) == 5
    assert {len(key) for key in keys} == {32}
    assert ring.service_key("handles") == keys[0]


def first_version(folder):
    """A keyset file of version 1, as the vectors have it."""
    vector = json.loads((VECTORS / "keyset.json").read_text(encoding="utf-8"))
    path = folder / "first.json"
    path.write_text(json.dumps(vector["document"]), encoding="utf-8")
    path.chmod(0o600)
    return path, vector


def test_a_keyset_of_version_1_opens_and_its_first_change_makes_it_version_2(tmp_path):
    path, vector = first_version(tmp_path)
    ring = Keyring(FileVault.open(path, vector["passphrase"]))
    domain = ring.domain("RS", "UNHCR", "tracing", "2026q4")
    before = ring.domain_cipher(domain).pseudonym(bytes(16))
    service = ring.service_key("handles")
    assert json.loads(path.read_text())["version"] == 1
    ring.rotate("BA", "2027q1")
    assert json.loads(path.read_text())["version"] == 2
    again = open_file(path, vector["passphrase"])
    assert again.service_key("handles") == service
    assert again.domain_cipher(domain).pseudonym(bytes(16)) == before


@pytest.mark.parametrize("kind", ["keyset.json.before-XK", "keyset.json~", ".keyset.json.backup"])
def test_a_root_is_not_destroyed_while_a_copy_of_the_keyset_stands_beside_it(path, kind):
    ring = Keyring(FileVault.open(path, PASSPHRASE))
    ring.rotate("BA", "2027q1")
    copy = path.with_name(kind)
    copy.write_bytes(path.read_bytes())
    with pytest.raises(KeysetCopiesError, match="destroy these copies first"):
        ring.destroy("BA", 1, "2027q2")
    copy.unlink()
    ring.destroy("BA", 1, "2027q2")


def test_a_destroyed_secret_is_in_the_file_no_more(path):
    ring = Keyring(FileVault.open(path, PASSPHRASE))
    ring.rotate("BA", "2027q1")
    secret = unseal_keyset(path.read_bytes(), PASSPHRASE).roots["BA"][0].secret
    ring.destroy("BA", 1, "2027q2")
    keyset = unseal_keyset(path.read_bytes(), PASSPHRASE)
    assert keyset.roots["BA"][0].secret is None
    assert secret not in [one.secret for one in keyset.roots["BA"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda inner: inner["roots"]["BA"][0].update(version=2),
        lambda inner: inner["roots"]["BA"][0].update(state="retired"),
        lambda inner: inner["roots"]["BA"][0].update(state="destroyed"),
        lambda inner: inner["roots"]["BA"][0].update(since="later"),
        lambda inner: inner["roots"]["BA"][0].update(secret=None),
        lambda inner: inner["roots"]["BA"][0].update(secret="AAAA"),
        lambda inner: inner["roots"]["BA"][0].update(more=1),
        lambda inner: inner["roots"].update(BA=[]),
        lambda inner: inner["roots"].update(ba=inner["roots"].pop("BA")),
        lambda inner: inner["roots"]["BA"].append(dict(inner["roots"]["BA"][0])),
        lambda inner: inner.update(roots={}),
        lambda inner: inner.update(service="AAAA"),
        lambda inner: inner.pop("custodians"),
        lambda inner: inner.update(more=1),
    ],
)
def test_roots_that_contradict_each_other_are_refused_though_the_seal_holds(monkeypatch, change):
    from anonymise.keyring import document

    keyset = MemoryVault.of({"BA": bytes(32), "RS": bytes(32)})._keyset
    written = document._inner(keyset)
    change(written)
    monkeypatch.setattr(document, "_inner", lambda _keyset: written)
    sealed = seal_keyset(keyset, PASSPHRASE, work=CHEAP, random=os.urandom)
    monkeypatch.undo()
    with pytest.raises(KeysetDamagedError):
        unseal_keyset(sealed, PASSPHRASE)


@pytest.mark.parametrize("name", ["ana", "BA-DPA/", "BA-DPA/Ana", "ba/ana", "BA/a/b"])
def test_a_custodian_without_an_organisation_is_refused(name):
    keyset = Keyset(MemoryVault.of({"BA": bytes(32)})._keyset.roots, bytes(32), {name: "k"})
    with pytest.raises(KeyringError, match="BA-DPA/ana"):
        seal_keyset(keyset, PASSPHRASE, work=CHEAP, random=os.urandom)
