# SPDX-License-Identifier: EUPL-1.2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import WitnessError
from audit.note import NoteSigner, NoteVerifier
from audit.witness import TrustedFile, parse_trusted
from tests.audit.making import STRANGER
from tests.audit.witnessing import LOG, cosigner

BA = NoteVerifier.of("audit.example/BA", 1, LOG.verifier.public)
TRUSTED = parse_trusted(f"# countries\n\n country\t{BA.vkey}\nlog {LOG.vkey}\n".encode())


def test_a_log_is_trusted_by_its_own_name_alone():
    assert TRUSTED.verifiers(LOG.name) == (LOG.verifier,)
    assert TRUSTED.verifiers(LOG.name + "/2026h2") == ()


@pytest.mark.parametrize(
    "half", ["2026h2", "2027h1", "2026h2.2", "2026h2.10", "2099h1.99", "2026h2.20261124130000"]
)
def test_a_country_key_signs_each_half_years_log_without_a_hand(half):
    origin = f"audit.example/BA/{half}"
    signer = NoteSigner(origin, LOG.private)
    assert TRUSTED.verifiers(origin) == (signer.verifier,)


@pytest.mark.parametrize(
    "origin",
    [
        "audit.example/BA",
        "audit.example/BA/",
        "audit.example/BA/2026h3",
        "audit.example/BA/1999h1",
        "audit.example/BA/2026h2.1",
        "audit.example/BA/2026h2.01",
        "audit.example/BA/2026h2.100",
        "audit.example/BA/2026h2.19261124130000",
        "audit.example/BA/2026h2.202611241300001",
        "audit.example/BA/2026h2/2026h2",
        "audit.example/BA/x/2026h2",
        "audit.example/HR/2026h2",
        "audit.example/BAX/2026h2",
        "other.example/BA/2026h2",
        "audit.example/BA/2026h2 ",
        "audit.example/BA/\u0662026h2",
    ],
)
def test_a_country_key_signs_nothing_else(origin):
    assert TRUSTED.verifiers(origin) == ()


def test_two_keys_of_one_country_are_trusted_side_by_side_while_they_change():
    second = NoteVerifier.of("audit.example/BA", 1, STRANGER.verifier.public)
    both = parse_trusted(f"country {BA.vkey}\ncountry {second.vkey}\n".encode())
    assert len(both.verifiers("audit.example/BA/2026h2")) == 2


@pytest.mark.parametrize(
    "bad",
    [
        "log\n",
        f"log {LOG.vkey} x\n",
        f"logs {LOG.vkey}\n",
        f"log {LOG.vkey[:-2]}\n",
        f"log {cosigner(1).verifiers[0].vkey}\n",
        f"log {LOG.vkey}\nlog {LOG.vkey}\n",
        "\n" * 1001,
    ],
)
def test_a_malformed_list_is_refused(bad):
    with pytest.raises(WitnessError):
        parse_trusted(bad.encode())


@given(st.binary(max_size=100))
def test_any_bytes_are_a_list_or_refused(data):
    try:
        parse_trusted(data)
    except WitnessError:
        return


def test_a_list_must_be_there_at_the_start(tmp_path):
    with pytest.raises(WitnessError, match="can't be read"):
        TrustedFile.open(tmp_path / "none")
