# SPDX-License-Identifier: EUPL-1.2
import pytest

from audit import (
    KeyFileError,
    NoteError,
    create_dpo_key,
    create_signer,
    read_private_key,
    read_public_key,
    read_signer,
)
from tests.audit.making import ORIGIN


def test_a_signing_key_survives_writing_and_reading(tmp_path):
    path = tmp_path / "keys" / "log.key"
    made = create_signer(path, ORIGIN)
    assert read_signer(path).vkey == made.vkey
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_officers_key_pair_survives_writing_and_reading(tmp_path):
    create_dpo_key(tmp_path / "ba.key", tmp_path / "ba.pub", "BA")
    private = read_private_key(tmp_path / "ba.key")
    public = read_public_key(tmp_path / "ba.pub")
    assert private.public_key().public_bytes_raw() == public.public_bytes_raw()
    assert (tmp_path / "ba.key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "log.key"
    create_signer(path, ORIGIN)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_signer(path, ORIGIN)
    assert path.read_bytes() == before


def test_a_private_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "log.key"
    create_signer(path, ORIGIN)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_signer(path)


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"absent\.key"):
        read_signer(tmp_path / "absent.key")


def test_a_key_of_another_kind_is_refused(tmp_path):
    create_signer(tmp_path / "log.key", ORIGIN)
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
        read_signer(path)
    assert "AAAA" not in str(refused.value)


def test_a_log_key_needs_a_logs_name(tmp_path):
    with pytest.raises(NoteError):
        create_signer(tmp_path / "log.key", "a b")
