# SPDX-License-Identifier: EUPL-1.2
import json

import pytest
from click.testing import CliRunner

from anonymise.errors import LinkageError
from anonymise.keyring.document import Work
from anonymise.linkage.keyfile import create_nations_key
from gateway.cli import cuvar
from gateway.linkage.commitment import commitment, opens

SUBJECT = {"surnames": "Hosseini", "given_names": "Reza", "date_of_birth": "1991-07-23"}
PASSPHRASE = "only for this very test"


@pytest.fixture
def nations_key(tmp_path):
    path = tmp_path / "nations.key"
    create_nations_key(path, PASSPHRASE, key=bytes(range(32)), work=Work(n=1 << 14))
    return path


def blind(key, subject, *more):
    return CliRunner().invoke(
        cuvar,
        ["linkage", "blind", "--nations-key", str(key), *more],
        input=subject if isinstance(subject, str) else json.dumps(subject),
        env={"CUVAR_NATIONS_PASSPHRASE": PASSPHRASE},
    )


def test_a_subject_becomes_keys_and_a_commitment_that_subject_and_salt_open(nations_key):
    made = [json.loads(blind(nations_key, SUBJECT, "--epoch", "2027q1").stdout) for _ in range(2)]
    first, second = made
    assert first["subject"] == SUBJECT
    assert (first["blinded"]["epoch"], first["blinded"]["blinding"]) == ("2027q1", "hmac")
    assert 1 <= len(first["blinded"]["keys"]) <= 16
    assert first["blinded"]["keys"] == second["blinded"]["keys"]
    assert first["salt"] != second["salt"]
    assert opens(first["blinded"]["commitment"], SUBJECT, first["salt"])
    assert not opens(first["blinded"]["commitment"], SUBJECT, second["salt"])
    assert not opens(first["blinded"]["commitment"], {**SUBJECT, "sex": "M"}, first["salt"])
    for name in SUBJECT.values():
        assert name not in json.dumps(first["blinded"])


def test_the_commitment_is_that_of_the_format_document():
    assert commitment({"surnames": "Đorđević", "date_of_birth": "1990"}, bytes(range(32))) == (
        "80a70485e481af74602b08adc659fe398bd3ca71dfb8a4cd37f9361fd3a0de05"
    )


@pytest.mark.parametrize(
    "subject",
    ["", "[]", {"surnames": "Hosseini"}, {**SUBJECT, "faith": "x"}, {**SUBJECT, "sex": 1}],
)
def test_what_is_no_subject_is_refused_without_a_value_of_it(nations_key, subject):
    result = blind(nations_key, subject)
    assert isinstance(result.exception, LinkageError)
    assert "Hosseini" not in str(result.exception)


def test_one_way_to_blind_must_be_named(nations_key):
    result = blind(nations_key, SUBJECT, "--keyholder", "https://k.invalid")
    assert "--nations-key" in str(result.exception)
