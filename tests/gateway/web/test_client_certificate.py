# SPDX-License-Identifier: EUPL-1.2
"""A passed-on certificate counts only from a named proxy, once, and well-formed."""

import base64
from ipaddress import ip_network
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.mtls import EXTENSION
from gateway.web.client_certificate import CERTIFICATE_EXTENSION, CertificateHeader

DER = bytes(range(200))
B64 = base64.b64encode(DER)
RFC_9440 = b":" + B64 + b":"
PEM = "-----BEGIN CERTIFICATE-----\n" + B64.decode() + "\n-----END CERTIFICATE-----\n"
PROXY = ("10.0.0.5", 40_000)
HEADER = CertificateHeader("Client-Cert", [ip_network("10.0.0.4/30"), ip_network("fd00::/64")])


def scope(*values, client=PROXY):
    return {"client": client, "headers": [(b"client-cert", value) for value in values]}


def test_the_verifier_looks_where_the_edge_puts_it():
    assert CERTIFICATE_EXTENSION == EXTENSION


@pytest.mark.parametrize("value", [RFC_9440, b" " + RFC_9440, quote(PEM).encode()])
def test_both_forms_are_read_from_a_named_proxy(value):
    assert HEADER.read(scope(value)) == DER
    assert HEADER.read(scope(value, client=("fd00::7", 1))) == DER


@pytest.mark.parametrize(
    "client", [("10.0.0.8", 1), ("127.0.0.1", 1), ("fd01::7", 1), ("", 1), ("proxy", 1), None]
)
def test_from_anybody_else_the_header_is_as_good_as_absent(client):
    assert HEADER.read(scope(RFC_9440, client=client)) is None


@pytest.mark.parametrize(
    "values",
    [
        (),
        (RFC_9440, RFC_9440),
        (b"",),
        (b"::",),
        (B64,),
        (b":" + B64,),
        (b":" + B64[:-1] + b":",),
        (b":" + B64[:8] + b"\n" + B64[8:] + b":",),
        (b":" + b"A" * 20_000 + b":",),
        (PEM.encode() + PEM.encode(),),
        (PEM.replace("END", "FIN").encode(),),
        (PEM.replace("CERTIFICATE", "PUBLIC KEY").encode(),),
    ],
)
def test_absent_doubled_or_malformed_is_no_certificate(values):
    assert HEADER.read(scope(*values)) is None


@given(st.binary(max_size=300))
def test_no_header_value_makes_it_fail(value):
    found = HEADER.read(scope(value))
    assert found is None or isinstance(found, bytes)
