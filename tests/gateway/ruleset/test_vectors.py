# SPDX-License-Identifier: EUPL-1.2
"""The vectors of docs/formats/rule-signatures.md, and what the signer's own side refuses."""

import json
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from jose import jwk, jws

from gateway.ruleset.keys import (
    RuleKeyError,
    create_key_pair,
    key_files,
    read_pinned,
    read_private,
)
from gateway.ruleset.sealing import examine_set
from gateway.ruleset.signature import sign, verifies
from gateway.ruleset.signing import SigningError, sign_part, write_part
from tests.gateway import signing

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors/rules/signed.json").read_text(encoding="utf-8")
)
GOOD = {name: text.encode("latin-1") for name, text in VECTORS["files"].items()}
KEY = jwk.construct(ec.generate_private_key(ec.SECP256R1()), "ES256")


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pinned")
    paths = {}
    for number, (signer, pem) in enumerate(VECTORS["keys"].items()):
        paths[signer] = folder / f"{number}.pub"
        paths[signer].write_text(pem, encoding="ascii")
    return read_pinned(paths)


def places(files, pinned):
    findings = examine_set(files, pinned, model=VECTORS["model"])
    return {(p.file, p.line) for finding in findings for p in finding.problems}


def test_the_good_set_of_the_vectors_is_taken(pinned):
    findings = examine_set(GOOD, pinned, model=VECTORS["model"])
    told = {
        finding.part: {
            "version": finding.signed.manifest.version,
            "manifest": finding.signed.digest,
            "from": finding.signed.manifest.start.isoformat(),
            "to": finding.signed.manifest.end and finding.signed.manifest.end.isoformat(),
        }
        for finding in findings
    }
    assert told == VECTORS["parts"]


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_a_spoiled_set_of_the_vectors_is_refused_at_its_place(pinned, case):
    files = dict(GOOD)
    for name, text in case["change"].items():
        if text is None:
            del files[name]
        else:
            files[name] = text.encode("latin-1")
    wanted = {(place["file"], place["line"]) for place in case["refused"]}
    assert wanted
    assert wanted <= places(files, pinned)


def test_another_model_than_the_signed_one_is_refused(pinned):
    findings = examine_set(GOOD, pinned, model=VECTORS["model"] + "#")
    assert [p.file for p in findings[0].problems] == ["model.conf"]


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_no_byte_of_a_set_can_change_unseen(pinned, name, data):
    raw = bytearray(GOOD[name])
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert places({**GOOD, name: bytes(raw)}, pinned)


def test_a_general_reader_of_jws_verifies_our_signatures():
    data = b"exact bytes"
    header, _, signature = sign(data, "BA", KEY).decode().strip().partition("..")
    from gateway.identity.compact import b64url

    whole = f"{header}.{b64url(data)}.{signature}"
    assert jws.verify(whole, KEY.public_key(), algorithms=["ES256"]) == data
    assert jws.get_unverified_header(whole) == {"alg": "ES256", "kid": "BA", "typ": "cuvar-rules"}


@given(st.binary(max_size=200))
def test_no_bytes_are_a_signature_but_one(raw):
    assert not verifies(raw, b"x", "BA", KEY.public_key())


def test_a_key_that_is_none_or_shared_or_open_to_others_is_refused(tmp_path):
    private, public = tmp_path / "BA.key", tmp_path / "BA.pub"
    create_key_pair("BA", private, public)
    with pytest.raises(RuleKeyError, match="never overwritten"):
        create_key_pair("BA", private, tmp_path / "new.pub")
    with pytest.raises(RuleKeyError, match="a signer is"):
        create_key_pair("Bosnia", tmp_path / "x", tmp_path / "y")
    with pytest.raises(RuleKeyError, match="share one key"):
        read_pinned({"BA": public, "HR": public})
    with pytest.raises(RuleKeyError, match="no public P-256 key"):
        read_pinned({"BA": private})
    public.chmod(0o600)
    with pytest.raises(RuleKeyError, match="no private P-256 key"):
        read_private(public)
    private.chmod(0o640)
    with pytest.raises(RuleKeyError, match="readable by others"):
        read_private(private)
    with pytest.raises(RuleKeyError, match="can't be read"):
        read_pinned({"BA": tmp_path / "absent"})
    with pytest.raises(RuleKeyError, match="no key file"):
        key_files(tmp_path / "none")


def test_a_key_on_another_curve_is_refused(tmp_path):
    pem = (
        ec.generate_private_key(ec.SECP384R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "BA.pub").write_bytes(pem)
    with pytest.raises(RuleKeyError, match="no public P-256 key"):
        read_pinned({"BA": tmp_path / "BA.pub"})


def test_a_signer_may_sign_only_its_own_part_and_the_common_one(rules, rule_keys):
    key = signing.private_key(rule_keys, "HR")
    for part, signer in (("BA", "HR"), ("common", "INT/UNHCR"), ("INT/UNHCR", "HR")):
        with pytest.raises(SigningError, match="may not sign"):
            sign_part(rules, part, signer, key)


def test_a_changed_part_needs_a_higher_version_and_a_new_manifest(rules, rule_keys):
    (rules / "BA/roles.csv").write_bytes((rules / "BA/roles.csv").read_bytes() + b"\n")
    key = signing.private_key(rule_keys, "BA")
    with pytest.raises(SigningError, match=r"BA/roles\.csv: is not as BA/manifest says"):
        sign_part(rules, "BA", "BA", key)
    with pytest.raises(SigningError, match="needs a higher one"):
        write_part(rules, "BA", version=1, start=date(2026, 1, 1))
    write_part(rules, "BA", version=2, start=date(2026, 1, 1))
    assert sign_part(rules, "BA", "BA", key).manifest.version == 2


def test_a_manifest_needs_a_part_files_and_ordered_days(rules):
    start = date(2026, 1, 1)
    for part, how in (
        ("Bosnia", {"version": 1, "start": start}),
        ("XK", {"version": 1, "start": start}),
        ("BA", {"version": 0, "start": start}),
        ("BA", {"version": 2, "start": start, "end": date(2025, 1, 1)}),
    ):
        with pytest.raises(SigningError):
            write_part(rules, part, **how)
    (rules / "manifest").unlink()
    with pytest.raises(SigningError, match="signed first"):
        write_part(rules, "BA", version=2, start=start)
