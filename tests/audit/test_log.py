# SPDX-License-Identifier: EUPL-1.2
"""What holds for a log in either store."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from audit import (
    AuditError,
    EnvelopeError,
    Kind,
    LogUnavailableError,
    Pending,
    ProofError,
    encode_envelope,
    open_sealed,
    parse_envelope,
    verify_receipt,
)
from audit.checkpoint import open_checkpoint
from audit.merkle import EMPTY_ROOT, Span, leaf_hash, verify_consistency
from audit.store import Head
from tests.audit.making import (
    DPO_BA,
    NOON,
    ORIGIN,
    SIGNER,
    Clock,
    envelope,
    fill,
    new_sealer,
    opened,
    plain,
    sealed,
    until,
    verified,
)


async def test_a_new_log_is_empty_signed_and_whole(place):
    async with opened(place.url) as log:
        assert (log.size, log.root, log.healthy, log.queue_depth) == (0, EMPTY_ROOT, True, 0)
        note = await log.checkpoint()
        assert open_checkpoint(note.encode(), SIGNER.verifier, ORIGIN).size == 0
    assert (await verified(place.url)).ok


async def test_entries_come_back_as_they_were_except_for_the_logs_own_time(place):
    entries = [sealed(new_sealer()), plain(kind="denial", owner=None, requester=None)]
    async with opened(place.url) as log:
        positions = await log.append(entries)
        stored = await log.read(0, 2)
    assert [p.index for p in positions] == [0, 1]
    for entry, position, found in zip(entries, positions, stored, strict=True):
        assert leaf_hash(found.envelope) == position.leaf_hash
        given, kept = parse_envelope(bytes(entry.envelope)), parse_envelope(found.envelope)
        assert kept.t == position.t > given.t
        assert (kept.id, kept.kind, kept.owner) == (given.id, given.kind, given.owner)
        assert found.sealed == entry.sealed
    assert open_sealed(stored[0].sealed, DPO_BA).startswith(b"officer 17")


async def test_an_entry_stands_in_the_store_before_append_returns(place):
    async with opened(place.url) as log, opened_reader(place) as count:

        async def ask(number):
            (position,) = await log.append([plain(count=number)])
            assert await count() > position.index

        await asyncio.gather(*(ask(number) for number in range(40)))


async def test_what_queues_during_a_flush_becomes_one_commit(place):
    async with opened(place.url) as log:
        done = await asyncio.gather(*(log.append([plain()]) for _ in range(100)))
        assert len({position.size for (position,) in done}) <= 2
        assert sorted(position.index for (position,) in done) == list(range(100))
        assert log.queue_depth == 0


async def test_entries_of_one_append_stand_side_by_side(place):
    async with opened(place.url) as log:
        done = await asyncio.gather(*(log.append([plain(), plain(), plain()]) for _ in range(9)))
        for positions in done:
            first = positions[0].index
            assert [p.index for p in positions] == [first, first + 1, first + 2]
        assert await log.append([]) == []


async def test_receipts_and_consistency_proofs_verify_across_tiles_and_restarts(place):
    heads = []
    async with opened(place.url) as log:
        for count in (1, 254, 1, 1, 300):
            positions = await fill(log, count)
            heads.append((log.size, log.root))
    async with opened(place.url) as log:
        assert (log.size, log.root) == heads[-1]
        positions += await fill(log, 20)
        heads.append((log.size, log.root))
        for position in positions[::40]:
            receipt = (await log.receipt(position.index)).encode()
            index, checkpoint = verify_receipt(receipt, position.leaf_hash, SIGNER.verifier, ORIGIN)
            assert (index, checkpoint.size) == (position.index, log.size)
        for old, old_root in heads:
            path = await log.consistency(old, log.size)
            verify_consistency(Span(old, log.size), old_root, log.root, path)
    assert (await verified(place.url)).ok


async def test_reading_outside_the_log_is_refused(place):
    async with opened(place.url) as log:
        await fill(log, 3)
        for start, stop in ((-1, 1), (0, 4), (2, 1)):
            with pytest.raises(ProofError):
                await log.read(start, stop)
        with pytest.raises(ProofError):
            await log.receipt(3)
        with pytest.raises(ProofError):
            await log.consistency(0, 4)
        with pytest.raises(AuditError):
            await log.newest(None, 0)


async def test_the_newest_entries_come_first_and_before_a_number(place):
    async with opened(place.url) as log:
        await fill(log, 5)

        async def found(before, limit):
            return [entry.index for entry in await log.newest(before, limit)]

        assert await found(None, 50) == [4, 3, 2, 1, 0]
        assert await found(3, 2) == [2, 1]
        assert await found(0, 2) == []
        assert await found(99, 1) == [4]


async def test_erasing_a_detail_leaves_every_proof_valid(place):
    sealer = new_sealer()
    async with opened(place.url) as log:
        positions = await log.append([sealed(sealer) for _ in range(3)])
        before = await log.receipt(1)
        await log.append([plain(kind=Kind.ERASURE, count=2, about=("1-2",))])
        assert await log.erase_details([1, 2, 2]) == 2
        assert [entry.sealed is None for entry in await log.read(0, 3)] == [False, True, True]
        for receipt in (before, await log.receipt(1)):
            verify_receipt(receipt.encode(), positions[1].leaf_hash, SIGNER.verifier, ORIGIN)
    report = await verified(place.url)
    assert (report.ok, report.erased) == (True, 2)


async def test_erasing_and_reading_disturb_no_append(place):
    sealer = new_sealer()
    async with opened(place.url) as log:
        await log.append([sealed(sealer) for _ in range(40)])
        work = [log.append([sealed(sealer)]) for _ in range(40)]
        work += [log.erase_details([index]) for index in range(40)]
        work += [log.receipt(index) for index in range(40)]
        work += [log.newest(None, 20) for _ in range(10)]
        await asyncio.gather(*work)
        assert (log.size, log.healthy) == (80, True)
    report = await verified(place.url)
    assert (report.ok, report.erased) == (False, 40)  # nothing in the log accounts for them
    async with opened(place.url) as log:
        await log.append([plain(kind=Kind.ERASURE, count=40, about=("0-39",))])
    assert (await verified(place.url)).ok


async def test_time_never_goes_back_in_the_log(place):
    clock = Clock()
    async with opened(place.url, clock=clock) as log:
        (first,) = await log.append([plain()])
        clock.now = NOON - timedelta(seconds=1)
        (second,) = await log.append([plain()])
        assert second.t == first.t
        clock.now = NOON - timedelta(seconds=5)
        with pytest.raises(LogUnavailableError, match="clock"):
            await log.append([plain()])
        assert not log.healthy
        with pytest.raises(LogUnavailableError, match="clock"):
            await log.append([plain()])
        clock.now = NOON + timedelta(seconds=1)
        await until(lambda: log.healthy)
        (third,) = await log.append([plain()])
        assert third.t > second.t
        assert third.index == 2


async def test_time_does_not_go_back_over_a_restart(place):
    async with opened(place.url, clock=Clock(NOON + timedelta(hours=1))) as log:
        await log.append([plain()])
    async with opened(place.url, clock=Clock(NOON)) as log:
        with pytest.raises(LogUnavailableError, match="clock"):
            await log.append([plain()])


async def test_an_envelope_that_breaks_the_format_is_refused_and_nothing_is_written(place):
    async with opened(place.url) as log:
        good = bytes(encode_envelope(envelope()))
        for bad in (b"{}", good.replace(b'"count":1', b'"count":1.0'), good + b" "):
            with pytest.raises(EnvelopeError):
                await log.append([plain(), Pending(bad)])
        with pytest.raises(EnvelopeError, match="not kept here"):
            await log.append([plain(log="audit.example/HR/2026h2")])
        assert (log.size, log.healthy) == (0, True)
        assert len(await log.append([Pending(good)])) == 1


async def test_an_envelope_must_commit_to_the_detail_beside_it(place):
    sealer = new_sealer()
    async with opened(place.url) as log:
        good, other = sealed(sealer), sealed(sealer)
        for bad in (
            Pending(good.envelope),
            Pending(good.envelope, other.sealed),
            Pending(plain().envelope, good.sealed),
        ):
            with pytest.raises(EnvelopeError, match="commit"):
                await log.append([bad])
        assert log.size == 0


async def test_a_cancelled_wait_disturbs_nobody(place):
    async with opened(place.url) as log:
        gone = asyncio.create_task(log.append([plain()]))
        stays = asyncio.create_task(log.append([plain()]))
        await asyncio.sleep(0)
        gone.cancel()
        assert len(await stays) == 1
        assert log.healthy
    assert (await verified(place.url)).ok


async def test_closing_commits_what_is_queued_and_takes_no_more(place):
    async with opened(place.url) as log:
        waiting = [asyncio.create_task(log.append([plain()])) for _ in range(20)]
        await asyncio.sleep(0)
        await log.journal.close()
        assert len([await one for one in waiting]) == 20
        assert not log.healthy
        for use in (log.append([plain()]), log.read(0, 1), log.journal.close()):
            with contextlib.suppress(LogUnavailableError):
                assert await use is None
    async with opened(place.url) as log:
        assert log.size == 20


async def test_a_full_queue_refuses_with_a_time_to_try_again(place):
    async with opened(place.url, queue=10) as log:
        waiting = [asyncio.create_task(log.append([plain(), plain()])) for _ in range(5)]
        await asyncio.sleep(0)
        assert log.queue_depth == 10
        with pytest.raises(LogUnavailableError, match="queue") as refused:
            await log.append([plain()])
        assert refused.value.retry_after > 0
        await asyncio.gather(*waiting)
        assert log.healthy
        await log.append([plain()])


class opened_reader:  # noqa: N801 - reads as the function that it stands for
    """Counts committed entries through a connection that has nothing to do with the log's."""

    def __init__(self, place):
        from audit.store import store_for

        self.store = store_for(place.url)

    async def __aenter__(self):
        if hasattr(self.store, "_url"):
            import asyncpg

            self.pool = await asyncpg.create_pool(self.store._url, min_size=1, max_size=4)
            self.store._pool = self.pool
        return lambda: self.store.count(Head(ORIGIN, 0, b"", ""))

    async def __aexit__(self, *_):
        await self.store.close()
