# SPDX-License-Identifier: EUPL-1.2
"""The nations' key in its file: opens with its passphrase, and with nothing else."""

import json

import pytest

from anonymise.errors import KeysetExistsError, KeysetPermissionError, LinkageError
from anonymise.keyring.document import Work
from anonymise.linkage.keyfile import check_value, create_nations_key, read_nations_key

CHEAP = Work(n=1 << 14)
WORDS = "a long passphrase"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nations.key"
    create_nations_key(path, WORDS, work=CHEAP)
    return path


def changed(path, **members):
    document = json.loads(path.read_text(encoding="utf-8")) | members
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_key_comes_back_and_two_files_of_it_have_one_check_value(file, tmp_path):
    key = read_nations_key(file, WORDS)
    assert len(key) == 32
    told = create_nations_key(tmp_path / "other.key", "another passphrase", key=key, work=CHEAP)
    assert told == check_value(key)
    assert read_nations_key(tmp_path / "other.key", "another passphrase") == key
    assert key.hex() not in file.read_text(encoding="utf-8")


def test_another_passphrase_opens_nothing(file):
    with pytest.raises(LinkageError, match="does not open"):
        read_nations_key(file, "another passphrase")


@pytest.mark.parametrize(
    "members",
    [
        {"check": "0" * 16},
        {"version": 2},
        {"format": "x"},
        {"kdf": {"name": "scrypt", "n": 2, "p": 1, "salt": "AAAA"}},
        {"kdf": []},
        {"sealed": "AAAA"},
        {"nonce": 1},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_file_that_was_changed_opens_nothing(file, members):
    changed(file, **members)
    with pytest.raises(LinkageError):
        read_nations_key(file, WORDS)


def test_a_file_is_never_overwritten_and_never_read_when_others_can(file):
    with pytest.raises(KeysetExistsError):
        create_nations_key(file, WORDS, work=CHEAP)
    file.chmod(0o644)
    with pytest.raises(KeysetPermissionError):
        read_nations_key(file, WORDS)


def test_a_short_passphrase_or_a_cheap_one_is_refused(tmp_path):
    with pytest.raises(LinkageError):
        create_nations_key(tmp_path / "a.key", "short")
    with pytest.raises(LinkageError):
        create_nations_key(tmp_path / "a.key", WORDS, work=Work(n=2))
    assert not list(tmp_path.iterdir())
