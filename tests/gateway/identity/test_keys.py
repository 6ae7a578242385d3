# SPDX-License-Identifier: EUPL-1.2
"""Which published keys may verify, and which sets are refused whole."""

from __future__ import annotations

import json

import pytest

from gateway.identity.keys import KeySetError, read_key_set, read_public_jwk
from tests.gateway.identity.forge import Forger, b64

RSA = {"kty": "RSA", "use": "sig", "kid": "r1", "n": "AQAB", "e": "AQAB"}


def read(*entries):
    return read_key_set(json.dumps({"keys": entries}).encode())


def test_the_thumbprint_is_that_of_rfc_7638():
    # RFC 9449 §4.3's key and thumbprint, from the RFC's own example
    jwk = {
        "kty": "EC",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        "crv": "P-256",
    }
    expected = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert read_public_jwk(jwk).thumbprint == expected


def test_keys_of_other_kinds_are_left_out():
    good = Forger(kid="good")
    found = read(
        RSA,
        Forger(kid="enc").jwk(use="enc"),
        Forger(kid="nouse").jwk(use=None),
        Forger(kid="useless").jwk(use=...),
        Forger(kid="p384").jwk(crv="P-384"),
        Forger(kid="es384").jwk(alg="ES384"),
        Forger(kid=None).jwk(),
        {"kty": "OKP", "crv": "Ed25519", "x": "AA", "use": "sig", "kid": "ed"},
        good.jwk(alg="ES256", extra="ignored"),
    )
    assert set(found) == {"good"}


@pytest.mark.parametrize("extra", [Forger(kid="k1").jwk(), {**RSA, "kid": "k1"}])
def test_two_keys_of_one_name_spoil_the_set(extra):
    with pytest.raises(KeySetError, match="share one kid"):
        read(Forger(kid="k1").jwk(), extra)


@pytest.mark.parametrize("member", ["d", "k", "p", "q", "dp", "dq", "qi", "oth"])
def test_a_published_private_key_spoils_the_set(member):
    with pytest.raises(KeySetError, match="no public key"):
        read(Forger().jwk(), Forger(kid="k2").jwk(**{member: "AAAA"}))


@pytest.mark.parametrize("changes", [{"x": "A" * 43}, {"y": "AA"}, {"x": 7}, {"y": "!" * 43}])
def test_a_point_off_the_curve_spoils_the_set(changes):
    with pytest.raises(KeySetError, match="not a point"):
        read(Forger().jwk(), Forger(kid="k2").jwk(**changes))


def test_a_coordinate_has_one_length():
    key = Forger()
    x = key.key.public_key().public_numbers().x
    with pytest.raises(KeySetError, match="not a point"):
        read(key.jwk(x=b64(x.to_bytes(33, "big"))))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[7]}',
        b'{"keys":[],"keys":[]}',
        b"\xff",
        b"<html>",
        json.dumps({"keys": [RSA]}).encode(),
    ],
)
def test_what_is_no_usable_set_is_refused(data):
    with pytest.raises(KeySetError):
        read_key_set(data)


def test_a_set_of_very_many_keys_is_refused():
    key = Forger()
    entries = [key.jwk(kid=f"k{number}") for number in range(33)]
    assert len(read(*entries[:32])) == 32
    with pytest.raises(KeySetError, match="32"):
        read(*entries)
