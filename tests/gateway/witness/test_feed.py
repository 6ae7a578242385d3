# SPDX-License-Identifier: EUPL-1.2
"""The publisher's feed on a real journal, with witnesses of ours and of a stranger, over HTTP."""

import asyncio
import contextlib
import shutil
import socket
import time
from datetime import timedelta

import aiohttp
import pytest

from audit.merkle import leaf_hash
from audit.note import NoteVerifier
from audit.policyfile import Authority, build_policy
from audit.receipt import verify_witnessed
from gateway.witness.contradiction import survey
from gateway.witness.feed import Feed, FeedError, Pace
from gateway.witness.serving import WitnessFolder
from gateway.witness.standing import Limits, Standing, WitnessState
from tests.audit.making import NOON, ORIGIN, SIGNER, create_empty, opened, plain, seeded, until
from tests.audit.witnessing import cosigner
from tests.gateway.witness_serving import listening, serving
from tests.gateway.witness_stranger import strange_witness

QUICK = Pace(every_s=0.02, timeout_s=2.0, patience_s=0.4, longest_s=0.1)


@contextlib.asynccontextmanager
async def witnesses(tmp_path, count=3, told=None):
    """`count` witnesses: the first ones ours, the last a stranger's."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for number in range(1, count):
            files = WitnessFolder(tmp_path / f"w{number}")
            if not files.path.exists():
                files.create(f"witness.example/w{number}", mldsa=number == 2)
                files.trust(SIGNER.vkey, country=True)
            url = await stack.enter_async_context(serving(files, told=told))
            found.append(Authority(f"w{number}", files.cosigner().verifiers, url))
        strange, url = stack.enter_context(
            strange_witness("witness.example/strange", seeded("strange"), [SIGNER.vkey])
        )
        verifier = NoteVerifier.parse(strange.vkey)
        found.append(Authority("strange", (verifier,), url))
        yield found, strange


def policy_of(authorities, least=3):
    return build_policy(authorities, least=least, owner=authorities[0].name)


@contextlib.asynccontextmanager
async def feeding(log, policy, pace=QUICK, told=None):
    """A feed that runs."""
    told = told if told is not None else []
    async with aiohttp.ClientSession() as session:
        feed = Feed(log.journal, lambda _: policy, session, time.monotonic, told.append, pace)
        task = asyncio.create_task(feed.run())
        try:
            yield feed
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def url(tmp_path):
    create_empty(f"sqlite:///{tmp_path / 'log.db'}")
    return f"sqlite:///{tmp_path / 'log.db'}"


def stands(feed):
    return feed.witnessed()[ORIGIN]


def covered(feed, size):
    return lambda: ORIGIN in feed.witnessed() and stands(feed).cosigned_size >= size


async def test_a_growing_log_is_cosigned_by_ours_and_by_a_stranger_and_its_receipts_hold(
    url, tmp_path
):
    async with witnesses(tmp_path) as (authorities, strange), opened(url) as log:
        policy = policy_of(authorities)
        async with feeding(log, policy) as feed:
            for count in (1, 5, 300):
                await log.append([plain() for _ in range(count)])
                await until(covered(feed, log.size))
        saved = await log.journal.cosigned(ORIGIN)
        assert saved.size == log.size == 306
        assert policy.check(saved.note.encode(), ORIGIN, SIGNER.verifier).checkpoint.size == 306
        (entry,) = await log.read(17, 18)
        receipt = await log.receipt(17)
        found = verify_witnessed(
            receipt.encode(), leaf_hash(entry.envelope), policy, ORIGIN, SIGNER.verifier
        )
        assert found[0] == 17
        told = stands(feed)
        assert set(told.witnesses.values()) == {WitnessState.COSIGNED}
        assert told.unwitnessed_s(NOON + timedelta(days=9)) == 0
        assert told.cosigned_at is not None
        assert set(strange.statuses) == {200}


async def test_a_feed_that_forgot_where_witnesses_stand_learns_it_from_409(url, tmp_path):
    async with witnesses(tmp_path) as (authorities, strange), opened(url) as log:
        policy = policy_of(authorities)
        await log.append([plain() for _ in range(5)])
        async with feeding(log, policy) as feed:
            await until(covered(feed, 5))
        await log.append([plain() for _ in range(8)])
        async with feeding(log, policy) as feed:
            await until(covered(feed, 13))
        assert strange.statuses == [200, 409, 200]


async def test_a_log_that_does_not_move_is_not_sent_again(url, tmp_path):
    async with witnesses(tmp_path) as (authorities, strange), opened(url) as log:
        await log.append([plain()])
        async with feeding(log, policy_of(authorities)) as feed:
            await until(covered(feed, 1))
            asked = len(strange.statuses)
            await asyncio.sleep(10 * QUICK.every_s)
            assert len(strange.statuses) == asked


async def test_a_witness_that_is_down_holds_up_nobody_and_one_that_hangs_neither(url, tmp_path):
    async with witnesses(tmp_path) as (authorities, _), opened(url) as log:
        down = Authority("down", cosigner(8).verifiers, "http://localhost:1")
        mute = socket.create_server(("127.0.0.1", 0))  # takes connections and never answers
        at = f"http://127.0.0.1:{mute.getsockname()[1]}"
        slow = Authority("slow", cosigner(9).verifiers, at)
        policy = policy_of([*authorities, down, slow])
        async with feeding(log, policy) as feed:
            for size in (1, 2, 3):
                await log.append([plain()])
                await until(covered(feed, size))
            await until(lambda: stands(feed).witnesses["down"] is WitnessState.UNREACHABLE)
            assert stands(feed).witnesses["slow"] is WitnessState.WAITING
        mute.close()


async def test_without_the_owners_witness_there_is_no_quorum_and_the_age_grows(url, tmp_path):
    async with witnesses(tmp_path) as (authorities, _), opened(url) as log:
        owner = Authority("owner", cosigner(8).verifiers, "http://localhost:1")
        policy = build_policy([*authorities, owner], least=3, owner="owner")
        await log.append([plain()])
        async with feeding(log, policy) as feed:
            await until(lambda: ORIGIN in feed.witnessed() and stands(feed).oldest is not None)
            await until(lambda: stands(feed).witnesses["strange"] is WitnessState.COSIGNED)
            told = stands(feed)
        assert told.cosigned_size == 0
        assert await log.journal.cosigned(ORIGIN) is None
        limits = Limits(alarm_s=60, block_s=600, countries={"BA": 120})
        at = told.oldest
        assert told.standing(at + timedelta(seconds=59), limits, "BA") is Standing.FINE
        assert told.standing(at + timedelta(seconds=60), limits, "BA") is Standing.ALARM
        assert told.standing(at + timedelta(seconds=120), limits, "BA") is Standing.BLOCK
        assert told.standing(at + timedelta(seconds=120), limits, "HR") is Standing.ALARM
        assert told.standing(at + timedelta(seconds=600), limits, "HR") is Standing.BLOCK


async def test_a_restored_log_is_recognised_and_fed_to_nobody_any_more(url, tmp_path):
    told = []
    async with witnesses(tmp_path) as (authorities, strange):
        policy = policy_of(authorities)
        async with opened(url) as log:
            await log.append([plain() for _ in range(5)])
            async with feeding(log, policy) as feed:
                await until(covered(feed, 5))
        shutil.copy(tmp_path / "log.db", tmp_path / "backup.db")
        async with opened(url) as log:
            await log.append([plain() for _ in range(4)])
            async with feeding(log, policy) as feed:
                await until(covered(feed, 9))
        async with opened(f"sqlite:///{tmp_path / 'backup.db'}") as log:
            async with feeding(log, policy, told=told) as feed:
                await until(lambda: ORIGIN in feed.witnessed() and stands(feed).contradiction)
                await log.append([plain() for _ in range(2)])
                asked = len(strange.statuses)
                await asyncio.sleep(10 * QUICK.every_s)
                assert len(strange.statuses) <= asked + 1
                found = stands(feed)
            assert (await log.journal.cosigned(ORIGIN)).size == 5
        assert found.contradiction.seen.size == 9
        assert found.standing(NOON, Limits(), "BA") is Standing.BLOCK
        assert any("restored from a backup" in line for line in told)


async def fork_of(url, tmp_path, policy):
    """A log of nine entries of which witnesses cosigned five that were other ones."""
    async with opened(url) as log:
        await log.append([plain() for _ in range(5)])
        async with feeding(log, policy) as feed:
            await until(covered(feed, 5))
    await asyncio.to_thread(create_empty, f"sqlite:///{tmp_path / 'fork.db'}")
    return f"sqlite:///{tmp_path / 'fork.db'}"


async def test_a_forked_log_of_a_larger_size_is_recognised_too(url, tmp_path):
    async with witnesses(tmp_path) as (authorities, _):
        policy = policy_of(authorities)
        async with opened(await fork_of(url, tmp_path, policy)) as log:
            await log.append([plain(count=7) for _ in range(9)])
            async with feeding(log, policy) as feed:
                await until(lambda: ORIGIN in feed.witnessed() and stands(feed).contradiction)
                assert stands(feed).contradiction.seen.size == 5
            assert await log.journal.cosigned(ORIGIN) is None


async def test_at_the_start_all_witnesses_are_asked_whether_the_log_is_behind(url, tmp_path):
    async with witnesses(tmp_path) as (authorities, _):
        down = Authority("down", cosigner(8).verifiers, "http://localhost:1")
        policy = policy_of(authorities)
        fork = await fork_of(url, tmp_path, policy)
        policy = policy_of([*authorities, down])
        async with aiohttp.ClientSession() as session:
            for place, proven in ((url, 0), (fork, len(authorities))):
                async with opened(place) as log:
                    feed = Feed(
                        log.journal, lambda _: policy, session, time.monotonic, print, QUICK
                    )
                    found = await survey(log.journal, feed.clients())
                assert len(found.contradictions) == proven
                assert found.unreachable == ("http://localhost:1",)


@pytest.mark.parametrize("claim", [b"7\n", b"0\n"])
async def test_a_witness_that_only_claims_a_fork_stops_nothing_but_is_told(url, tmp_path, claim):
    async def liar(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        post = scope["method"] == "POST"
        status, body = (409, claim) if post else (200, b"what a liar would show\n")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    told = []
    async with witnesses(tmp_path) as (authorities, _), listening(liar) as at, opened(url) as log:
        lies = Authority("liar", cosigner(9).verifiers, at)
        await log.append([plain()])
        async with feeding(log, policy_of([*authorities, lies]), told=told) as feed:
            await until(covered(feed, 1))
            await until(lambda: stands(feed).witnesses["liar"] is WitnessState.DISPUTED)
            found = stands(feed)
            await log.append([plain()])
            await until(covered(feed, 2))
    assert found.contradiction is None
    assert found.standing(NOON, Limits(), "BA") is Standing.ALARM
    assert any("disputed" in line for line in told)


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (404, b"", "refused"),
        (403, b"", "refused"),
        (400, b"", "refused"),
        (500, b"", "refused"),
        (301, b"", "refused"),
        (409, b"many\n", "refused"),
        (409, b"05\n", "refused"),
        (200, b"", "refused"),
        (200, b"\xe2\x80\x94 witness.example/w7 AAAAAAAA\n", "refused"),
        (200, b"x" * (1 << 19), "unreachable"),
    ],
)
async def test_a_witness_that_answers_oddly_is_a_state_and_a_pause(url, status, body, state):
    async def odd(scope, receive, send):
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async with opened(url) as log, odd_server(odd) as at:
        await log.append([plain()])
        policy = policy_of([Authority("odd", cosigner(9).verifiers, at)], least=1)
        async with feeding(log, policy) as feed:
            await until(
                lambda: ORIGIN in feed.witnessed() and stands(feed).witnesses["odd"] == state
            )


@contextlib.asynccontextmanager
async def odd_server(app):
    async def whole(scope, receive, send):
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async with listening(whole) as at:
        yield at


async def test_a_policy_whose_witness_has_no_address_is_refused(url):
    policy = policy_of([Authority("w", cosigner(1).verifiers)], least=1)
    async with opened(url) as log, aiohttp.ClientSession() as session:
        feed = Feed(log.journal, lambda _: policy, session, time.monotonic, print)
        with pytest.raises(FeedError, match="no address"):
            feed.clients()


async def test_a_log_that_no_policy_follows_is_left_alone(url):
    async with opened(url) as log, aiohttp.ClientSession() as session:
        feed = Feed(log.journal, lambda _: None, session, time.monotonic, print)
        await feed.look()
        assert feed.witnessed() == {}


async def test_a_saved_checkpoint_counts_after_a_restart_only_under_the_policy_of_now(
    url, tmp_path
):
    told = []
    async with witnesses(tmp_path) as (authorities, _), opened(url) as log:
        await log.append([plain()])
        async with feeding(log, policy_of(authorities)) as feed:
            await until(covered(feed, 1))
        async with aiohttp.ClientSession() as session:
            same = policy_of(authorities)
            other = policy_of([Authority("w", cosigner(9).verifiers, "http://localhost:1")], 1)
            for policy, size in ((same, 1), (other, 0)):
                feed = Feed(
                    log.journal, lambda _, p=policy: p, session, time.monotonic, told.append
                )
                await feed.look()
                assert stands(feed).cosigned_size == size
    assert any("does not fulfil" in line for line in told)
