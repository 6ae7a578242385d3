# SPDX-License-Identifier: EUPL-1.2
"""The development issuer: real tokens, a private key file, and no way into production."""

from __future__ import annotations

import pytest

from gateway.identity import DevIssuer, DpopKey, IdentityConfigError, certificate_thumbprint
from tests.gateway.identity.forge import NOW, URL, Desk


@pytest.fixture
def issuer(tmp_path, clock):
    return DevIssuer(tmp_path / "dev", clock=clock)


def desk_of(issuer, clock, **changes):
    limits = {"countries": frozenset({"HR"}), "organisations": frozenset({"HR-BP"})}
    return Desk(issuer.config(**limits, require_binding=True, **changes), clock=clock)


WISHES = {"org": "HR-BP", "country": "HR", "roles": ["border_officer"], "officer": "officer-1"}


async def test_its_tokens_pass_the_verifier_with_either_binding(issuer, clock):
    desk, key = desk_of(issuer, clock), DpopKey.generate(clock)
    token = issuer.issue(**WISHES, unit="ZG", acr="mfa", auth_time=NOW, jkt=key.jkt)
    principal = await desk.dpop(token, key.proof("POST", URL, token))
    assert (principal.officer, principal.unit, principal.acr) == ("officer-1", "ZG", "mfa")
    token = issuer.issue(**WISHES, postings=["HR-C1"], x5t=certificate_thumbprint(b"der"))
    principal = await desk.bearer(token, b"der")
    assert (principal.postings, principal.unit, principal.acr) == (("HR-C1",), None, None)


async def test_a_token_without_binding_needs_a_lenient_configuration(issuer, clock):
    desk = desk_of(issuer, clock)
    assert (await desk.refusal(issuer.issue(**WISHES))).fault == "binding"


def test_the_key_is_kept_and_private(issuer, tmp_path, clock):
    path = tmp_path / "dev" / "development-issuer.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert DevIssuer(tmp_path / "dev", clock=clock).jwks() == issuer.jwks()


def test_a_key_that_others_can_read_is_refused(issuer, tmp_path):
    (tmp_path / "dev" / "development-issuer.pem").chmod(0o640)
    with pytest.raises(IdentityConfigError, match="chmod 600"):
        DevIssuer(tmp_path / "dev")


def test_a_broken_key_file_is_refused(issuer, tmp_path):
    (tmp_path / "dev" / "development-issuer.pem").write_text("no key")
    with pytest.raises(IdentityConfigError, match="P-256"):
        DevIssuer(tmp_path / "dev")


def test_it_is_marked_and_production_refuses_it(issuer, clock):
    assert issuer.is_development
    config = issuer.config(
        countries=frozenset({"HR"}), organisations=frozenset({"HR-BP"}), require_binding=True
    )
    assert config.is_development
    with pytest.raises(IdentityConfigError, match="development"):
        Desk(config, production=True)
