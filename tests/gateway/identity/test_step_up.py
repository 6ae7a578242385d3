# SPDX-License-Identifier: EUPL-1.2
"""RFC 9470: what counts as a strong, fresh login, and how a stronger one is asked for."""

from __future__ import annotations

import pytest

from gateway.identity import Fault, StepUp
from tests.gateway.identity.forge import NOW

STEP_UP = StepUp(("urn:test:smartcard", "urn:test:token"))


@pytest.mark.parametrize("age", [0, 899, 900, -5])
async def test_a_second_factor_within_the_quarter_hour_is_strong(desk, forger, age):
    principal = await desk.bearer(forger.sign())
    assert STEP_UP.strong_login(principal, principal.auth_time + age)


@pytest.mark.parametrize("age", [901, 86_400, -6])
async def test_an_old_or_future_login_is_not(desk, forger, age):
    principal = await desk.bearer(forger.sign())
    assert not STEP_UP.strong_login(principal, principal.auth_time + age)


@pytest.mark.parametrize("changes", [{"acr": ...}, {"auth_time": ...}, {"acr": "password"}])
async def test_an_unknown_or_weak_login_is_not(desk, forger, changes):
    principal = await desk.bearer(forger.sign(claims=forger.claims(**changes)))
    assert not STEP_UP.strong_login(principal, NOW)


async def test_without_configured_values_no_login_is_strong(desk, forger):
    for claims in (forger.claims(), forger.claims(acr=...)):
        principal = await desk.bearer(forger.sign(claims=claims))
        assert not StepUp(()).strong_login(principal, NOW)


async def test_the_challenge_names_what_to_ask_for(desk, forger):
    error = STEP_UP.challenge(await desk.bearer(forger.sign()))
    assert (error.fault, error.status) == (Fault.STEP_UP, 401)
    assert error.challenge == (
        'Bearer error="insufficient_user_authentication", '
        'acr_values="urn:test:smartcard urn:test:token", max_age="900"'
    )
