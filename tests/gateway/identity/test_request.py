# SPDX-License-Identifier: EUPL-1.2
"""Which parts of a request may carry credentials."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.identity import Fault, TokenError, TrustedProxy, request_proof
from gateway.identity.mtls import EXTENSION

ORIGIN = "https://cuvar.test/"


def scope(*headers, **changes):
    return {
        "type": "http",
        "method": "POST",
        "path": "/v1/a b",
        "raw_path": b"/v1/a%20b",
        "query_string": b"",
        "headers": list(headers),
        "client": ("10.0.0.1", 1),
        **changes,
    }


def test_everything_is_gathered():
    found = request_proof(
        scope(
            (b"authorization", b"DPoP t"),
            (b"dpop", b"one"),
            (b"dpop", b"two"),
            (b"host", b"attacker.test"),
            extensions={EXTENSION: b"der"},
            query_string=b"page=2",
        ),
        origin=ORIGIN,
    )
    assert (found.authorization, found.method, found.dpop) == ("DPoP t", "POST", ("one", "two"))
    assert found.url == "https://cuvar.test/v1/a%20b"
    assert found.client_certificate_der == b"der"


def test_a_request_without_credentials_offers_none():
    found = request_proof(scope(raw_path=None), origin=ORIGIN)
    assert (found.authorization, found.dpop, found.client_certificate_der) == (None, (), None)
    assert found.url == "https://cuvar.test/v1/a b"


def test_two_authorization_headers_are_refused():
    twice = [(b"authorization", b"Bearer t")] * 2
    with pytest.raises(TokenError) as caught:
        request_proof(scope(*twice), origin=ORIGIN)
    assert caught.value.fault is Fault.MALFORMED


@pytest.mark.parametrize(
    "query",
    [b"access_token=t", b"a=1&access_token=", b"a=1;ACCESS_TOKEN=t", b"access%5Ftoken=t"],
)
def test_a_token_in_the_query_is_refused(query):
    with pytest.raises(TokenError) as caught:
        request_proof(scope(query_string=query), origin=ORIGIN)
    assert caught.value.fault is Fault.MALFORMED


def test_the_proxys_header_goes_by_its_configured_name():
    proxy = TrustedProxy((ip_network("10.0.0.0/8"),), header="x-client-cert")
    headers = [(b"client-cert", b":QUFB:"), (b"x-client-cert", b":ZGVy:")]
    assert request_proof(scope(*headers), origin=ORIGIN, proxy=proxy).client_certificate_der == (
        b"der"
    )
    assert request_proof(scope(*headers), origin=ORIGIN).client_certificate_der is None
