# SPDX-License-Identifier: EUPL-1.2
"""Erasing what is due, and nothing else, whatever happens on the way."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import AuditError, LogUnavailableError, parse_envelope
from audit.concern import Ground
from audit.erasure import MOST, Eraser, batches, ordered, plan
from audit.forms import MAX_ITEMS
from audit.ranges import indices_of, ranges_of
from tests.audit.erasing import (
    DUE,
    LATER,
    TODAY,
    create,
    detailed,
    details_of,
    held,
    lifted,
    order,
    signed,
    standing,
)
from tests.audit.making import ORIGIN, new_sealer, opened, plain, verified


async def erased(url, found=None, planned=None, by=lambda log: order(log=log)):
    """One run over the log."""
    found = found or await standing(url)
    async with opened(url) as log:
        eraser = Eraser(log.journal, found, by)
        return await eraser.run(plan(found, TODAY) if planned is None else planned)


@pytest.fixture
def url(tmp_path):
    """A journal in a SQLite file."""
    create(f"sqlite:///{tmp_path}/log.db")
    return f"sqlite:///{tmp_path}/log.db"


async def filled(url, sealer, count=20, month=lambda n: DUE if n % 2 else LATER):
    async with opened(url) as log:
        await log.append([detailed(sealer, month(n), count=n % 3) for n in range(1, count + 1)])


async def test_only_what_is_due_goes_and_the_log_stays_whole(nowhere):
    create(nowhere.url)
    await filled(nowhere.url, new_sealer())
    async with opened(nowhere.url) as log:
        receipts = [await log.receipt(n) for n in range(20)]
    done = await erased(nowhere.url)
    assert (done.entries, done.details, done.finished) == (2, 10, 0)
    report = await verified(nowhere.url)
    assert report.ok
    assert report.erased == 10
    async with opened(nowhere.url) as log:
        assert await details_of(log) == list(range(2, 21, 2))
        told = [parse_envelope(e.envelope) for e in await log.read(21, log.size)]
    assert {e.basis for e in told} == {Ground.EUR_30, Ground.INT_10}
    assert sorted(n for e in told for n in indices_of(e.about)) == list(range(1, 20, 2))
    assert [e.count for e in told] == [len(list(indices_of(e.about))) for e in told]
    assert len(receipts) == 20


async def test_a_second_run_finds_nothing_to_do(url):
    await filled(url, new_sealer())
    await erased(url)
    done = await erased(url)
    assert (done.entries, done.details, done.finished) == (0, 0, 0)


async def test_a_hold_keeps_details_until_it_is_lifted(url):
    await filled(url, new_sealer())
    async with opened(url) as log:
        await log.append([held([1, 3]), held([3, 5], "case-2")])
    assert (await erased(url)).details == 7
    async with opened(url) as log:
        assert {1, 3, 5} <= set(await details_of(log))
        first, _ = (await standing(url)).holds.in_force()
        await log.append([lifted(first)])
    assert (await erased(url)).details == 1
    async with opened(url) as log:
        assert {3, 5} <= set(await details_of(log))


async def test_a_hold_that_comes_while_it_runs_is_kept(url):
    await filled(url, new_sealer())
    found = await standing(url)
    async with opened(url) as log:
        await log.append([held([1])])
    done = await erased(url, found)
    assert (done.details, done.kept) == (9, 1)
    async with opened(url) as log:
        assert 1 in await details_of(log)
    assert (await verified(url)).ok


class Watched:
    """A journal whose steps can be watched."""

    def __init__(self, log):
        self._journal = log.journal

    def __getattr__(self, name):
        return getattr(self._journal, name)


class Overtaken(Watched):
    """A hold gets in just before the erasure entry."""

    async def append(self, entries):
        await self._journal.append([held([1, 7])])
        return await self._journal.append(entries)


async def test_a_hold_that_comes_just_before_the_erasure_entry_wins(url):
    await filled(url, new_sealer())
    found = await standing(url)
    async with opened(url) as log:
        eraser = Eraser(Overtaken(log), found, lambda log: order(log=log))
        await eraser.run(plan(found, TODAY))
        assert {1, 7} <= set(await details_of(log))
    await erased(url)
    async with opened(url) as log:
        assert {1, 7} <= set(await details_of(log)), "nor does a later run finish it"
    assert (await verified(url)).ok
    found = await standing(url)
    assert "hold" in found.faults[0][2]
    async with opened(url) as log:
        await log.append([lifted(hold) for hold in found.holds.in_force()])
    assert (await erased(url)).details == 2, "what a hold forbade is declared anew"
    assert (await verified(url)).ok


class Crashing(Watched):
    """A process that dies at one of its steps, before or after it was done."""

    def __init__(self, log, steps, *, after):
        super().__init__(log)
        self._steps, self._after = steps, after

    async def _step(self, work, *given):
        self._steps -= 1
        if self._steps == 0 and not self._after:
            raise LogUnavailableError("killed")
        done = await work(*given)
        if self._steps == 0:
            raise LogUnavailableError("killed")
        return done

    async def append(self, entries):
        return await self._step(self._journal.append, entries)

    async def erase_details(self, origin, indices):
        return await self._step(self._journal.erase_details, origin, indices)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
async def test_a_crash_at_any_step_is_finished_by_the_next_run(url, steps, after):
    await filled(url, new_sealer())
    found = await standing(url)
    async with opened(url) as log:
        eraser = Eraser(Crashing(log, steps, after=after), found, lambda log: order(log=log))
        with pytest.raises(LogUnavailableError, match="killed"):
            await eraser.run(plan(found, TODAY))
    assert (await verified(url)).ok, "what is gone was declared"
    await erased(url)
    async with opened(url) as log:
        assert await details_of(log) == list(range(2, 21, 2))
    assert (await verified(url)).ok


async def test_an_order_erases_before_the_time_but_not_under_a_hold(url):
    await filled(url, new_sealer())
    async with opened(url) as log:
        await log.append([held([4])])
    found = await standing(url)
    for wrong, why in (([4], "hold"), ([0], "no detail"), ([99], "no detail")):
        with pytest.raises(AuditError, match=why):
            ordered(found, ORIGIN, wrong)
    with pytest.raises(AuditError, match="no log"):
        ordered(found, "audit.example/BA/1999h1", [1])
    planned = ordered(found, ORIGIN, [2, 20])
    with pytest.raises(AuditError, match="who signed"):
        await erased(url, found, planned)
    done = await erased(url, found, planned, lambda log: signed(log=log))
    assert (done.entries, done.details) == (1, 2)
    with pytest.raises(AuditError, match="already"):
        ordered(await standing(url), ORIGIN, [2])


@given(st.sets(st.integers(0, 3000), min_size=1))
def test_batches_name_all_entries_once_and_fit_an_entry(indices):
    found = list(batches(ORIGIN, Ground.EUR_30, sorted(indices)))
    assert [n for batch in found for n in batch.indices] == sorted(indices)
    assert all(len(ranges_of(batch.indices)) <= MAX_ITEMS for batch in found)


def test_a_batch_is_full_at_its_runs_or_its_details():
    scattered = list(batches(ORIGIN, Ground.EUR_30, range(0, 2 * MAX_ITEMS + 2, 2)))
    assert [len(batch.indices) for batch in scattered] == [MAX_ITEMS, 1]
    dense = list(batches(ORIGIN, Ground.EUR_30, range(MOST + 1)))
    assert [len(batch.indices) for batch in dense] == [MOST, 1]


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.sets(st.integers(1, 12), min_size=1, max_size=4)),
        st.tuples(st.just("lift"), st.integers(0, 3)),
        st.tuples(st.just("erase"), st.integers(1, 6)),
    ),
    max_size=6,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([DUE, LATER, None]), min_size=12, max_size=12), ACTIONS)
def test_nothing_held_or_undue_ever_goes_and_all_that_is_gone_was_declared(
    tmp_path_factory, months, actions
):
    url = f"sqlite:///{tmp_path_factory.mktemp('log')}/log.db"
    create(url)
    asyncio.run(_play(url, months, actions))


async def _play(url, months, actions):
    async with opened(url) as log:
        await log.append([detailed(new_sealer(), month) for month in months])
        before = set(range(1, 13))
        for what, given in actions:
            found = await standing(url)
            held_now = set(found.held(ORIGIN))
            if what == "hold":
                await log.append([held(given, f"case-{min(given)}")])
            elif what == "lift":
                for hold in found.holds.in_force()[given:][:1]:
                    await log.append([lifted(hold)])
            else:
                eraser = Eraser(
                    Crashing(log, given, after=bool(given % 2)), found, lambda log: order(log=log)
                )
                with contextlib.suppress(LogUnavailableError):
                    await eraser.run(plan(found, TODAY))
                now = {n for n in await details_of(log) if n < 13}
                assert all(months[n - 1] == DUE and n not in held_now for n in before - now)
                before = now
        found = await standing(url)
        gone = set(range(1, 13)) - before
        assert gone <= set(found.logs[ORIGIN].declared)
        await Eraser(log.journal, found, lambda log: order(log=log)).run(plan(found, TODAY))
        kept = {n for n in await details_of(log) if n < 13}
        held_now = set(found.held(ORIGIN))
        due = {n for n in range(1, 13) if months[n - 1] == DUE}
        assert kept == set(range(1, 13)) - gone - (due - held_now)


async def test_an_entry_without_a_detail_is_never_due(url):
    async with opened(url) as log:
        await log.append([plain(), plain(erase=DUE)])
    assert plan(await standing(url), TODAY) == []


async def test_bytes_that_a_reader_keeps_alive_are_reported_and_go_with_the_next_run(url):
    await filled(url, new_sealer())
    path = url.removeprefix("sqlite:///")
    found = await standing(url)
    async with opened(url) as log:
        (entry,) = await log.read(1, 2)
        await log.append([plain()])
        with contextlib.closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM log_detail").fetchone()
            await log.append([plain()])
            with pytest.raises(LogUnavailableError, match="run this again"):
                await Eraser(log.journal, found, lambda log: order(log=log)).run(plan(found, TODAY))
    await erased(url)
    files = b"".join(one.read_bytes() for one in Path(path).parent.iterdir())
    assert entry.sealed.salt not in files
    async with opened(url) as log:
        assert await details_of(log) == list(range(2, 21, 2))


async def test_two_runs_at_once_declare_each_detail_once(url):
    await filled(url, new_sealer())
    stale = await standing(url)
    assert (await erased(url)).details == 10
    done = await erased(url, stale)
    assert (done.entries, done.details) == (0, 0)
