# SPDX-License-Identifier: EUPL-1.2
"""The verifier against tokens of a real provider, `oidc-provider`, over TLS on loopback."""

from __future__ import annotations

import time

import pytest

from gateway.identity import (
    DpopKey,
    Fault,
    IssuerConfig,
    JwksCache,
    StepUp,
)
from tests.gateway.identity.forge import URL, Desk, refused
from tests.servers.oidc import AUDIENCE, running_provider

STRONG = "urn:test:smartcard"


class Real(Desk):
    """A desk that trusts the provider; its clock is the machine's plus what a test adds."""

    def __init__(self, provider, **changes):
        self.ahead = 0.0
        self.changes: list[object] = []
        config = IssuerConfig(
            **{
                "issuer": provider.issuer,
                "jwks_url": provider.jwks_url,
                "audience": AUDIENCE,
                "countries": frozenset({"HR"}),
                "organisations": frozenset({"HR-BP"}),
                "ca_file": provider.authority.ca,
                **changes,
            }
        )

        def clock():
            return time.time() + self.ahead

        async def record(change):
            self.changes.append(change)

        keys = JwksCache([config], clock, on_change=record)
        super().__init__(config, clock=clock, jwks=keys, production=True)


@pytest.fixture
def real(oidc):
    return Real(oidc)


@pytest.fixture
def key():
    return DpopKey.generate()


async def ask(desk, token, key):
    return await desk.dpop(token, key.proof("POST", URL, token))


async def test_a_service_with_a_client_certificate(oidc, real):
    answer = oidc.client_credentials("service-mtls", certificate=oidc.client)
    principal = await real.bearer(answer["access_token"], oidc.client.der)
    assert (principal.officer, principal.client_id) == ("service-mtls", "service-mtls")
    assert (principal.org, principal.country, principal.unit) == ("HR-BP", "HR", "HR-BP-ZG")
    assert principal.roles == frozenset({"border_officer"})
    assert (principal.binding, principal.auth_time) == ("mtls", None)
    error = await real.refusal(answer["access_token"], oidc.stranger.der)
    assert error.fault is Fault.CERTIFICATE


def test_the_provider_itself_refuses_another_certificate(oidc):
    for certificate in (oidc.stranger, None):
        answer = oidc.client_credentials("service-mtls", certificate=certificate)
        assert (answer["status"], answer["error"]) == (401, "invalid_client")


async def test_a_service_with_a_dpop_key(oidc, real, key):
    answer = oidc.client_credentials("service-dpop", key=key)
    assert answer["token_type"] == "DPoP"
    token = answer["access_token"]
    assert (await ask(real, token, key)).binding == "dpop"
    assert (await real.refusal(token)).fault is Fault.SCHEME
    error = await refused(ask(real, token, DpopKey.generate()))
    assert error.fault is Fault.PROOF_MISMATCH


def test_the_provider_itself_wants_a_proof(oidc):
    assert oidc.client_credentials("service-dpop")["status"] == 400


async def test_an_officer_who_logs_in_with_code_and_pkce(oidc, real, key):
    answer = oidc.authorization_code("officer-7", key)
    principal = await ask(real, answer["access_token"], key)
    assert (principal.officer, principal.client_id) == ("officer-7", "console")
    assert (principal.acr, principal.postings) == (STRONG, ("HR-C1",))
    assert StepUp((STRONG,)).strong_login(principal, principal.auth_time + 1)
    assert not StepUp((STRONG,)).strong_login(principal, principal.auth_time + 901)


async def test_an_id_token_is_no_access_token(oidc, real, key):
    id_token = oidc.authorization_code("officer-7", key)["id_token"]
    assert (await refused(ask(real, id_token, key))).fault is Fault.TYPE


async def test_a_token_for_another_audience(oidc, real, key):
    answer = oidc.client_credentials("service-dpop", key=key, resource="https://elsewhere.test")
    assert (await refused(ask(real, answer["access_token"], key))).fault is Fault.AUDIENCE


async def test_a_token_signed_with_ps256(oidc, real, key):
    answer = oidc.client_credentials("service-dpop", key=key, resource="https://ps256.cuvar.test")
    assert (await refused(ask(real, answer["access_token"], key))).fault is Fault.ALGORITHM


async def test_a_token_that_lives_an_hour(oidc, real, key):
    resource = "https://longlived.cuvar.test"
    answer = oidc.client_credentials("service-dpop", key=key, resource=resource)
    assert (await refused(ask(real, answer["access_token"], key))).fault is Fault.LIFETIME


async def test_a_token_bound_to_nobody(oidc, real):
    token = oidc.client_credentials("service-bare")["access_token"]
    assert (await real.refusal(token)).fault is Fault.BINDING


async def test_an_issuer_that_speaks_for_another_country(oidc, real, key):
    answer = oidc.client_credentials("service-foreign", key=key)
    assert (await refused(ask(real, answer["access_token"], key))).fault is Fault.ASSERTION


async def test_a_token_after_its_time(oidc, real, key):
    token = oidc.client_credentials("service-dpop", key=key)["access_token"]
    real.ahead = 300.0
    assert (await refused(ask(real, token, key))).fault is Fault.EXPIRED


async def test_a_provider_whose_certificate_we_do_not_trust(oidc, key):
    real = Real(oidc, ca_file=None)
    token = oidc.client_credentials("service-dpop", key=key)["access_token"]
    error = await refused(ask(real, token, key))
    assert (error.fault, error.status) == (Fault.KEYS_STALE, 503)


async def test_keys_rotate_first_side_by_side_then_for_good(tmp_path):
    with running_provider(tmp_path) as provider:
        real, client = Real(provider), provider.client

        def token():
            return provider.client_credentials("service-mtls", certificate=client)["access_token"]

        old, first = token(), provider.kid
        assert await real.bearer(old, client.der)
        second = provider.rotate(keep=True)
        new = token()
        # within a minute of the last fetch an unknown kid waits
        assert (await real.refusal(new, client.der)).fault is Fault.KEY_UNKNOWN
        real.ahead = 60.0
        assert await real.bearer(new, client.der)
        assert await real.bearer(old, client.der)
        third = provider.rotate(keep=False)
        real.ahead = 120.0
        assert await real.bearer(token(), client.der)
        for withdrawn in (old, new):
            assert (await real.refusal(withdrawn, client.der)).fault is Fault.KEY_UNKNOWN
        added = [[kid for kid, _ in change.added] for change in real.changes]
        removed = [[kid for kid, _ in change.removed] for change in real.changes]
        assert added == [[first], [second], [third]]
        assert removed == [[], [], [first, second]]
