# SPDX-License-Identifier: EUPL-1.2
"""The published keyset (version 2) and ceremony, made by a second implementation of the formats."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from anonymise import Domain
from anonymise.errors import CeremonyError, KeyringError
from anonymise.keyring import Keyring, open_file
from anonymise.keyring.ceremony import Approval, read_statement, require_approved
from anonymise.keyring.custodian import approve
from anonymise.keyring.derivation import CHECK_INFO, PSEUDONYM_LABEL, domain_info
from anonymise.keyring.root import NO_KEYSET

VECTORS = Path(__file__).parents[2] / "vectors" / "anonymise"
KEYSET = json.loads((VECTORS / "keyset2.json").read_text(encoding="utf-8"))
CEREMONY = json.loads((VECTORS / "ceremony.json").read_text(encoding="utf-8"))
AID = ("UNHCR", "humanitarian_assistance")


@pytest.fixture(scope="module")
def keyring(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "keyset.json"
    path.write_text(json.dumps(KEYSET["document"]), encoding="utf-8")
    path.chmod(0o600)
    return open_file(path, KEYSET["passphrase"])


def test_the_published_keyset_opens_to_the_published_roots(keyring):
    inner = json.loads(KEYSET["inner"])
    assert {
        country: [(root.version, root.since, str(root.state)) for root in roots]
        for country, roots in keyring.register.items()
    } == {
        country: [(root["version"], root["since"], root["state"]) for root in roots]
        for country, roots in inner["roots"].items()
    }
    assert dict(keyring.custodians) == inner["custodians"]
    assert keyring.digest == KEYSET["digest"]


def test_check_values_and_service_keys_are_as_published(keyring: Keyring):
    for place, check in KEYSET["checks"].items():
        country, version = place.split("/")
        assert keyring.check(keyring.register[country][int(version) - 1]) == check
    for label, key in KEYSET["service_keys"].items():
        assert keyring.service_key(label).hex() == key
    assert keyring._vault.expand_service(CHECK_INFO)[:8].hex() == KEYSET["service_check"]
    assert KEYSET["no_keyset_digest"] == NO_KEYSET


@pytest.mark.parametrize("vector", KEYSET["domains"])
def test_keys_of_each_root_are_as_published(keyring, vector):
    domain = Domain(vector["country"], *AID, vector["epoch"], vector["version"])
    assert domain_info(domain, PSEUDONYM_LABEL).hex() == vector["pseudonym_info"]
    root = keyring.register[domain.country][domain.version - 1]
    info = bytes.fromhex(vector["pseudonym_info"])
    assert keyring._vault.expand(root, info).hex() == vector["pseudonym_key"]
    assert domain in keyring.domains(vector["country"], *AID, vector["epoch"])


@pytest.mark.parametrize("vector", KEYSET["not_served"])
def test_what_a_root_does_not_serve_is_refused_as_published(keyring, vector):
    with pytest.raises(KeyringError):
        keyring.domain_cipher(Domain(vector["country"], *AID, vector["epoch"], vector["version"]))


def check(approvals):
    given = [Approval(one["custodian"], one["signature"]) for one in approvals]
    return require_approved(
        CEREMONY["statement"].encode(),
        given,
        CEREMONY["custodians"],
        keyset=read_statement(CEREMONY["statement"].encode()).keyset,
        now=datetime.fromisoformat(CEREMONY["good_at"]),
    )


def test_the_published_approvals_hold():
    assert list(check(CEREMONY["approvals"])) == CEREMONY["approved_by"]


@pytest.mark.parametrize("vector", CEREMONY["refused"], ids=lambda vector: vector["why"])
def test_approvals_that_do_not_hold_are_refused_as_published(vector):
    with pytest.raises(CeremonyError):
        check(vector["approvals"])


@pytest.mark.parametrize("place", [0, 1])
def test_a_custodian_signs_as_published(tmp_path, place):
    wanted = CEREMONY["approvals"][place]
    key = tmp_path / "custodian.key"
    key.write_text(CEREMONY["private_keys"][wanted["custodian"]])
    key.chmod(0o600)
    given = approve(CEREMONY["statement"].encode(), key)
    assert (given.custodian, given.signature) == (wanted["custodian"], wanted["signature"])
