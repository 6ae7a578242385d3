# SPDX-License-Identifier: EUPL-1.2
import pytest

from audit import (
    KeyFileError,
    NoteError,
    create_dpo_key,
    create_log_key,
    read_log_key,
    read_private_key,
    read_public_key,
)
from tests.audit.making import KEY, ORIGIN


def test_a_signing_key_survives_writing_and_reading(tmp_path):
    path = tmp_path / "keys" / "log.key"
    made = create_log_key(path, KEY.name)
    assert read_log_key(path).signer(ORIGIN).vkey == made.signer(ORIGIN).vkey
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_officers_key_pair_survives_writing_and_reading(tmp_path):
    create_dpo_key(tmp_path / "ba.key", tmp_path / "ba.pub", "BA")
    private = read_private_key(tmp_path / "ba.key")
    public = read_public_key(tmp_path / "ba.pub")
    assert private.public_key().public_bytes_raw() == public.public_bytes_raw()
    assert (tmp_path / "ba.key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "log.key"
    create_log_key(path, KEY.name)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_log_key(path, KEY.name)
    assert path.read_bytes() == before


def test_a_private_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "log.key"
    create_log_key(path, KEY.name)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_log_key(path)


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"absent\.key"):
        read_log_key(tmp_path / "absent.key")


def test_a_key_of_another_kind_is_refused(tmp_path):
    create_log_key(tmp_path / "log.key", KEY.name)
    with pytest.raises(KeyFileError, match="another kind"):
        read_private_key(tmp_path / "log.key")


@pytest.mark.parametrize(
    "text",
    ["", "cuvar-log-key-1 a\n", "cuvar-log-key-1 a AAAA\n", "cuvar-log-key-1 a A-A=\n", "ž ž ž"],
)
def test_a_malformed_key_file_is_refused_without_showing_it(tmp_path, text):
    path = tmp_path / "log.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as refused:
        read_log_key(path)
    assert "AAAA" not in str(refused.value)


def test_a_log_key_needs_a_logs_name(tmp_path):
    with pytest.raises(NoteError):
        create_log_key(tmp_path / "log.key", "a b")
