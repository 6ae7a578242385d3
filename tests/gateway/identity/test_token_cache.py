# SPDX-License-Identifier: EUPL-1.2
"""How long a verified token is believed without looking at its signature again."""

from __future__ import annotations

import json

import pytest

from gateway.identity import Fault, JwksCache, certificate_thumbprint
from gateway.identity.claims import Verified
from gateway.identity.token_cache import VerifiedTokens, token_digest
from tests.gateway.identity.forge import NOW, Desk, Forger, refused


class CountingKeys:
    """The real key cache, counting how often a key is looked up, that is, a signature checked."""

    def __init__(self, configs, clock):
        self.inner = JwksCache(configs, clock)
        self.asked = 0
        self.generation = 1

    async def key(self, issuer, kid):
        self.asked += 1
        return await self.inner.key(issuer, kid)


@pytest.fixture
def counted(forger, clock):
    config = forger.config()
    return Desk(config, clock=clock, jwks=CountingKeys([config], clock))


async def test_a_token_seen_again_is_not_verified_again(counted, forger):
    token = forger.sign()
    first = await counted.bearer(token)
    assert await counted.bearer(token) is first
    assert counted.jwks.asked == 1


async def test_a_token_is_verified_again_after_thirty_seconds(counted, forger):
    token = forger.sign()
    await counted.bearer(token)
    counted.clock.now += 29.9
    await counted.bearer(token)
    assert counted.jwks.asked == 1
    counted.clock.now += 0.1
    await counted.bearer(token)
    assert counted.jwks.asked == 2


async def test_a_cached_token_expires_on_time(counted, forger):
    token = forger.sign(claims=forger.claims(exp=NOW + 10))
    await counted.bearer(token)
    counted.clock.now += 9.9
    assert await counted.bearer(token)
    counted.clock.now += 0.1
    assert (await counted.refusal(token)).fault is Fault.EXPIRED


async def test_a_changed_key_set_empties_the_cache(counted, forger):
    token = forger.sign()
    await counted.bearer(token)
    counted.jwks.generation += 1
    await counted.bearer(token)
    assert counted.jwks.asked == 2


async def test_a_changed_revocation_list_empties_the_cache(forger, clock, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("kind,value,issuer\n")
    config = forger.config()
    keys = CountingKeys([config], clock)
    desk = Desk(config, clock=clock, jwks=keys, revoked=path)
    token = forger.sign()
    await desk.bearer(token)
    path.write_text("kind,value,issuer\norg,BA-BP,\n")
    clock.now += 1
    await desk.bearer(token)
    assert keys.asked == 2


async def test_a_clock_set_back_makes_the_cache_forget(counted, forger):
    token = forger.sign(claims=forger.claims(iat=NOW - 60))
    await counted.bearer(token)
    counted.clock.now -= 10
    await counted.bearer(token)
    assert counted.jwks.asked == 2


async def test_a_refused_token_is_never_cached(counted, forger):
    token = forger.sign(claims=forger.claims(org="BA-BP"))
    for _ in range(2):
        assert (await counted.refusal(token)).fault is Fault.ASSERTION
    assert counted.jwks.asked == 2


async def test_a_cached_token_still_needs_its_sender(forger, clock):
    desk = Desk(forger.config(), clock=clock)
    cnf = {"x5t#S256": certificate_thumbprint(b"mine")}
    token = forger.sign(claims=forger.claims(cnf=cnf))
    assert (await desk.bearer(token, b"mine")).binding == "mtls"
    for der in (b"yours", b"", None):
        error = await refused(desk.bearer(token, der))
        assert error.fault is Fault.CERTIFICATE


async def test_a_token_one_byte_off_a_cached_one_is_not_taken_for_it(desk, forger):
    token = forger.sign()
    await desk.bearer(token)
    head, body, signature = token.split(".")
    spoilt = f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    assert (await desk.refusal(spoilt)).fault is Fault.SIGNATURE


async def test_the_cache_is_bounded_and_drops_the_oldest(desk, forger):
    principal = await desk.bearer(forger.sign())
    cache, state = VerifiedTokens(most=2), (0, 0)
    entry = Verified(principal, None)
    digests = [token_digest(name) for name in "abc"]
    cache.get(b"", state, NOW)
    for digest in digests:
        cache.put(digest, entry, state, NOW)
    assert len(cache) == 2
    assert cache.get(digests[0], state, NOW) is None
    assert cache.get(digests[2], state, NOW) is entry


async def test_what_was_verified_under_an_older_state_is_not_kept(desk, forger):
    principal = await desk.bearer(forger.sign())
    cache = VerifiedTokens()
    cache.get(b"", (2, 0), NOW)
    cache.put(b"d", Verified(principal, None), (1, 0), NOW)
    assert len(cache) == 0


async def test_a_key_withdrawn_by_its_issuer_ends_cached_tokens(forger, clock, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(forger.jwks())
    desk = Desk(forger.config(keys=None, jwks_url=path.as_uri()), clock=clock)
    token = forger.sign()
    assert await desk.bearer(token)
    other = Forger(kid="k2")
    path.write_text(json.dumps({"keys": [other.jwk()]}))
    clock.now += 60
    assert await desk.bearer(other.sign(claims=other.claims(iat=NOW + 60)))
    assert (await desk.refusal(token)).fault is Fault.KEY_UNKNOWN
