# SPDX-License-Identifier: EUPL-1.2
"""Several members of one log: whoever leads, an acknowledged entry stands, and it stands once."""

import asyncio
import contextlib

import pytest

from audit import EnvelopeError, LogUnavailableError, Pending, verify_receipt
from audit.errors import LeaseHeldError
from audit.merkle import Span, leaf_hash, verify_consistency
from audit.relay import SharedJournal, shared
from audit.store import Cosigned, store_for
from tests.audit.making import KEY, ORIGIN, SIGNER, new_sealer, plain, sealed, until

KEYS = {"BA": KEY}


@contextlib.asynccontextmanager
async def members(url, count, **options):
    """Members of one log, the first of them leading."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            one = await SharedJournal.open(url, keys=KEYS, **options)
            stack.push_async_callback(one.close)
            found += [one]
        yield found


async def test_the_first_leads_the_others_follow_and_all_append_to_one_log(place):
    sealer = new_sealer()
    async with members(place.url, 3) as found:
        assert [one.leads for one in found] == [True, False, False]
        answers = await asyncio.gather(
            *(one.append([sealed(sealer), plain()]) for one in found for _ in range(20))
        )
        positions = [position for answer in answers for position in answer]
        assert sorted(p.index for p in positions) == list(range(120))
        entries = await found[1].log(ORIGIN).read(0, 120)
        leaves = {entry.index: leaf_hash(entry.envelope) for entry in entries}
        assert {p.index: p.leaf_hash for p in positions} == leaves
        assert sum(entry.sealed is not None for entry in entries) == 60


async def test_one_that_starts_while_another_takes_the_lease_waits_for_it(place):
    async with members(place.url, 1):
        pass  # its row is left behind, and leads nowhere
    other = store_for(place.url)
    await other.reopen()
    starting = asyncio.create_task(SharedJournal.open(place.url, keys=KEYS))
    done, _ = await asyncio.wait([starting], timeout=0.3)
    assert not done, "it gave up, or wrote beside the holder of the lease"
    await other.close()
    journal = await starting
    try:
        assert journal.leads
    finally:
        await journal.close()


async def test_one_that_starts_beside_a_writer_that_takes_no_others_gives_up(place, monkeypatch):
    monkeypatch.setattr(shared, "OPENING", 0.2)
    other = store_for(place.url)
    await other.reopen()
    try:
        with pytest.raises(LeaseHeldError):
            await SharedJournal.open(place.url, keys=KEYS)
    finally:
        await other.close()


async def test_receipts_of_every_member_verify_for_entries_of_every_member(place):
    async with members(place.url, 2) as (leader, follower):
        old = leader.log(ORIGIN).head
        for writer, reader in ((leader, follower), (follower, leader), (follower, follower)):
            (position,) = await writer.append([plain()])
            receipt = await reader.log(ORIGIN).receipt(position.index)
            found = verify_receipt(receipt.encode(), position.leaf_hash, SIGNER.verifier, ORIGIN)
            assert found[0] == position.index
        log = follower.log(ORIGIN)
        path = await log.consistency(old.size, log.size)
        verify_consistency(Span(old.size, log.size), old.root, log.root, path)


async def test_a_follower_hands_on_erasures_and_cosigned_checkpoints(place):
    sealer = new_sealer()
    async with members(place.url, 2) as (_, follower):
        await follower.append([sealed(sealer), sealed(sealer), plain()])
        assert await follower.erase_details(ORIGIN, [0, 2]) == 1
        note = await follower.log(ORIGIN).checkpoint()
        await follower.save_cosigned(ORIGIN, Cosigned(3, note))
        assert await follower.cosigned(ORIGIN) == Cosigned(3, note)
        left = await follower.log(ORIGIN).read(0, 3)
        assert [entry.sealed is not None for entry in left] == [False, True, False]
        assert await follower.rotate() == []


async def test_what_the_leader_refuses_the_follower_refuses(place):
    async with members(place.url, 2) as (leader, follower):
        for one in (leader, follower):
            with pytest.raises(EnvelopeError, match="ASCII JSON"):
                await one.append([Pending(b"{")])
            with pytest.raises(EnvelopeError, match="not kept here"):
                await one.append([plain(log="audit.example/HR/2026h2")])
        assert leader.healthy
        assert follower.healthy


async def test_the_leader_checks_again_what_a_follower_hands_it(place):
    async with members(place.url, 2) as (leader, follower):
        link = follower._sequencer.link
        bad = sealed(new_sealer())
        for entry in (Pending(b"{"), Pending(bad.envelope, None)):
            with pytest.raises(EnvelopeError):
                await link.submit([entry])
        with pytest.raises(LogUnavailableError, match="not kept here"):
            await link.erase_details("audit.example/HR/2026h2", [0])
        assert leader.log(ORIGIN).size == 0
        assert follower.healthy


async def test_a_follower_takes_over_when_the_leader_closes_and_nothing_is_lost(place):
    async with contextlib.AsyncExitStack() as stack:
        leader = await SharedJournal.open(place.url, keys=KEYS)
        (first, second) = await stack.enter_async_context(members(place.url, 2))
        kept = [(await one.append([plain()]))[0] for one in (first, second)]
        await leader.close()
        await until(lambda: first.healthy and second.healthy)
        assert sorted([first.leads, second.leads]) == [False, True]
        kept += [(await one.append([plain()]))[0] for one in (first, second)]
        assert sorted(p.index for p in kept) == [0, 1, 2, 3]


async def test_between_two_leaders_an_append_fails_at_once(place, monkeypatch):
    monkeypatch.setattr("audit.relay.shared.STEP", 30.0)
    async with members(place.url, 2) as (leader, follower):
        follower._take_part = _unavailable
        await leader.close()
        await until(lambda: not follower.healthy)
        with pytest.raises(LogUnavailableError) as refused:
            await follower.append([plain()])
        assert refused.value.retry_after > 0
        assert follower.queue_depth == 0


async def _unavailable():
    raise LogUnavailableError("nobody leads")


async def test_a_full_queue_to_the_leader_is_refused_and_not_kept(place):
    async with members(place.url, 2, queue=8) as (_, follower):
        asking = asyncio.gather(
            *(follower.append([plain()]) for _ in range(20)), return_exceptions=True
        )
        told = await asking
        refused = [answer for answer in told if isinstance(answer, LogUnavailableError)]
        assert len(refused) == 12
        assert all("full" in str(error) for error in refused)
        assert follower.queue_depth == 0
        assert follower.log(ORIGIN).size in range(9)
        await follower.append([plain()])
        assert (await follower.log(ORIGIN).read(0, 9))[-1].index == 8
