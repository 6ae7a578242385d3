# SPDX-License-Identifier: EUPL-1.2
"""Fetching keys: how seldom, from where, how much, and what happens when it fails."""

from __future__ import annotations

import asyncio
import gzip
import ssl

import pytest
from aiohttp import web

from gateway.identity import Fault, JwksCache, JwksLimits
from tests.gateway.identity.forge import NOW, Desk, Forger, refused
from tests.servers.certificates import Authority

LIMITS = JwksLimits(timeout_s=0.3)


class KeyServer:
    """A real TLS server on loopback that publishes what a test puts there."""

    def __init__(self):
        self.body, self.status, self.headers = b"", 200, {}
        self.asked, self.hang, self.url = 0, False, ""

    async def answer(self, _request):
        self.asked += 1
        if self.hang:
            await asyncio.Event().wait()
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@pytest.fixture
async def server(authority, forger):
    keys = KeyServer()
    keys.body = forger.jwks().encode()
    app = web.Application()
    app.router.add_get("/jwks", keys.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    certificate = authority.server()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert, certificate.key)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    keys.url = f"https://localhost:{runner.addresses[0][1]}/jwks"
    yield keys
    await runner.cleanup()


@pytest.fixture
def config(server, forger, authority):
    return forger.config(keys=None, jwks_url=server.url, ca_file=authority.ca)


@pytest.fixture
def cache(config, clock):
    return JwksCache([config], clock, LIMITS)


async def test_keys_are_fetched_once_and_kept(cache, forger, server):
    for _ in range(3):
        assert (await cache.key(forger.issuer, "k1")).key
    assert server.asked == 1
    assert cache.fresh(forger.issuer)


async def test_an_unknown_kid_causes_one_fetch_per_interval(cache, forger, server, clock):
    for number in range(50):
        error = await refused(cache.key(forger.issuer, f"unknown-{number}"))
        assert error.fault is Fault.KEY_UNKNOWN
    assert server.asked == 1
    clock.now += 59.9
    await refused(cache.key(forger.issuer, "unknown"))
    assert server.asked == 1
    clock.now += 0.1
    await refused(cache.key(forger.issuer, "unknown"))
    assert server.asked == 2


async def test_many_strangers_at_once_cause_one_fetch(cache, forger, server):
    attempts = [refused(cache.key(forger.issuer, f"unknown-{n}")) for n in range(20)]
    await asyncio.gather(*attempts)
    assert server.asked == 1


async def test_a_rotated_key_is_found_and_the_withdrawn_one_ends(cache, forger, server, clock):
    await cache.key(forger.issuer, "k1")
    server.body = Forger(kid="k2").jwks().encode()
    clock.now += 60
    assert await cache.key(forger.issuer, "k2")
    assert (await refused(cache.key(forger.issuer, "k1"))).fault is Fault.KEY_UNKNOWN


async def test_an_issuer_nobody_configured_has_no_keys(cache, server):
    assert (await refused(cache.key("https://other.test", "k1"))).fault is Fault.ISSUER
    assert not cache.fresh("https://other.test")
    assert server.asked == 0


async def test_the_last_good_set_outlives_an_outage_up_to_a_hard_expiry(
    cache, forger, server, clock
):
    await cache.key(forger.issuer, "k1")
    server.status = 503
    for _ in range(59):
        clock.now += 60
        await cache.refresh_due()
        assert await cache.key(forger.issuer, "k1")
    clock.now += 60
    assert not cache.fresh(forger.issuer)
    error = await refused(cache.key(forger.issuer, "k1"))
    assert (error.fault, error.status) == (Fault.KEYS_STALE, 503)
    server.status = 200
    clock.now += 60
    assert await cache.key(forger.issuer, "k1")


async def test_sets_are_refreshed_by_age_alone(cache, forger, server, clock):
    await cache.refresh_due()
    clock.now += 299
    await cache.refresh_due()
    assert server.asked == 1
    clock.now += 1
    await cache.refresh_due()
    assert server.asked == 2


async def test_a_failing_refresh_is_not_repeated_within_the_interval(cache, server, clock):
    server.status = 500
    for _ in range(5):
        await cache.refresh_due()
    assert server.asked == 1


async def test_start_fetches_and_close_ends_the_upkeep(config, clock, forger, server):
    cache = JwksCache([config], clock, JwksLimits(interval_s=0.02, refresh_s=0.0))
    before = asyncio.all_tasks()
    await cache.start()
    assert cache.fresh(forger.issuer)
    while server.asked < 2:
        clock.now += 1
        await asyncio.sleep(0.01)
    await cache.close()
    await cache.close()
    assert asyncio.all_tasks() == before


async def test_a_missing_issuer_does_not_keep_the_others_from_starting(
    config, forger, clock, server
):
    gone = Forger(issuer="https://gone.test").config(
        keys=None, jwks_url="file:///nonexistent/jwks.json"
    )
    cache = JwksCache([gone, config], clock, LIMITS)
    await cache.refresh_due()
    assert not cache.fresh("https://gone.test")
    assert cache.fresh(forger.issuer)


async def stale(cache, forger):
    error = await refused(cache.key(forger.issuer, "k1"))
    return error.fault is Fault.KEYS_STALE


@pytest.mark.parametrize("status", [301, 302, 307, 308, 204, 206, 404, 500])
async def test_nothing_but_a_plain_200_counts(cache, forger, server, status):
    server.status, server.headers = status, {"Location": server.url}
    assert await stale(cache, forger)
    assert server.asked == 1


async def test_a_set_over_the_size_cap_is_refused(config, forger, server, clock):
    size = len(server.body)
    assert await stale(JwksCache([config], clock, JwksLimits(largest=size - 1)), forger)
    assert await JwksCache([config], clock, JwksLimits(largest=size)).key(forger.issuer, "k1")


async def test_a_compressed_set_is_not_unpacked(cache, forger, server):
    server.body = gzip.compress(server.body)
    server.headers = {"Content-Encoding": "gzip"}
    assert await stale(cache, forger)


async def test_a_server_that_never_answers_is_given_up(cache, forger, server):
    server.hang = True
    async with asyncio.timeout(20):  # far above the cache's own limit; a hang fails here
        assert await stale(cache, forger)


async def test_a_server_of_another_authority_is_refused(server, forger, clock, tmp_path_factory):
    other = Authority(tmp_path_factory.mktemp("other"))
    for ca_file in (other.ca, None):
        config = forger.config(keys=None, jwks_url=server.url, ca_file=ca_file)
        assert await stale(JwksCache([config], clock, LIMITS), forger)
    assert server.asked == 0


async def test_a_certificate_for_another_name_is_refused(server, forger, clock, authority):
    url = server.url.replace("localhost", "127.0.0.2")
    config = forger.config(keys=None, jwks_url=url, ca_file=authority.ca)
    assert await stale(JwksCache([config], clock, LIMITS), forger)
    assert server.asked == 0


async def test_a_port_where_nobody_listens_is_no_crash(forger, clock, authority):
    config = forger.config(keys=None, jwks_url="https://localhost:1/jwks", ca_file=authority.ca)
    assert await stale(JwksCache([config], clock, LIMITS), forger)


async def test_a_missing_ca_file_is_no_crash(forger, clock, server, tmp_path):
    config = forger.config(keys=None, jwks_url=server.url, ca_file=tmp_path / "none.pem")
    assert await stale(JwksCache([config], clock, LIMITS), forger)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"keys":[]}'])
async def test_a_broken_set_leaves_the_good_one_in_place(cache, forger, server, clock, body):
    await cache.key(forger.issuer, "k1")
    server.body = body
    clock.now += 300
    await cache.refresh_due()
    assert server.asked == 2
    assert await cache.key(forger.issuer, "k1")


async def test_keys_from_a_file_are_read_again(forger, clock, tmp_path):
    path = tmp_path / "keys of HR.json"
    path.write_text(forger.jwks())
    cache = JwksCache([forger.config(keys=None, jwks_url=path.as_uri())], clock, LIMITS)
    assert await cache.key(forger.issuer, "k1")
    path.write_text(Forger(kid="k2").jwks())
    clock.now += 300
    await cache.refresh_due()
    assert await cache.key(forger.issuer, "k2")


async def test_a_file_over_the_size_cap_is_refused(forger, clock, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(forger.jwks() + " " * 70_000)
    cache = JwksCache([forger.config(keys=None, jwks_url=path.as_uri())], clock)
    assert await stale(cache, forger)


async def test_every_change_is_recorded_before_it_counts(config, forger, server, clock):
    seen = []

    async def record(change):
        seen.append((change, cache.generation))

    cache = JwksCache([config], clock, LIMITS, record)
    await cache.key(forger.issuer, "k1")
    clock.now += 300
    await cache.refresh_due()
    server.body = Forger(kid="k2").jwks().encode()
    clock.now += 300
    await cache.refresh_due()
    changes = [change for change, _ in seen]
    assert [[kid for kid, _ in change.added] for change in changes] == [["k1"], ["k2"]]
    assert [[kid for kid, _ in change.removed] for change in changes] == [[], ["k1"]]
    assert [generation for _, generation in seen] == [0, 1]
    assert cache.generation == 2


async def test_another_key_under_the_same_name_is_a_change(config, forger, server, clock):
    cache = JwksCache([config], clock, LIMITS)
    first = await cache.key(forger.issuer, "k1")
    server.body = Forger(kid="k1").jwks().encode()
    clock.now += 300
    await cache.refresh_due()
    assert (await cache.key(forger.issuer, "k1")).thumbprint != first.thumbprint
    assert cache.generation == 2


async def test_a_change_that_cannot_be_recorded_does_not_count(config, forger, server, clock):
    broken = True

    async def record(_change):
        if broken:
            raise OSError("log gone")

    cache = JwksCache([config], clock, LIMITS, record)
    assert await stale(cache, forger)
    assert cache.generation == 0
    broken = False
    clock.now += 60
    assert await cache.key(forger.issuer, "k1")


async def test_a_clock_set_back_makes_keys_old_rather_than_young(cache, forger, server, clock):
    await cache.key(forger.issuer, "k1")
    clock.now -= 10_000
    assert not cache.fresh(forger.issuer)
    assert await cache.key(forger.issuer, "k1")
    assert server.asked == 2


async def test_a_stale_issuer_leaves_the_others_answering(config, forger, server, clock):
    other = Forger(issuer="https://issuer.at.test")
    lost = other.config(keys=None, jwks_url="file:///nonexistent/jwks.json")
    desk = Desk(config, lost, clock=clock, jwks=JwksCache([config, lost], clock, LIMITS))
    assert await desk.bearer(forger.sign())
    error = await desk.refusal(other.sign())
    assert (error.fault, error.status, error.code) == (
        Fault.KEYS_STALE,
        503,
        "temporarily_unavailable",
    )


async def test_a_token_of_an_unknown_key_does_not_reach_out_twice(config, forger, server, clock):
    desk = Desk(config, clock=clock, jwks=JwksCache([config], clock, LIMITS))
    stranger = Forger(kid="stranger")
    for _ in range(5):
        assert (await desk.refusal(stranger.sign())).fault is Fault.KEY_UNKNOWN
    assert server.asked == 1
    assert clock.now == NOW
