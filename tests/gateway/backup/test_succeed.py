# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit succeed` asks witnesses over HTTP what the lost logs had."""

import asyncio
import json

import pytest
from aiohttp import web

from audit import LogUnavailableError
from audit.witness import origin_digest
from gateway.opening import open_journal
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway.backup.test_backup import empty, run
from tests.gateway.backup.test_erasures import entry


async def cuvar(folder, *words):
    """In a thread of its own: commands start event loops, and the test runs in one."""
    return await asyncio.to_thread(run, *words, folder=folder)


async def grow(settings):
    """One entry more; the log and its checkpoint."""
    journal = await open_journal(settings)
    try:
        log = journal.current("BA")
        await journal.append([entry(log)])
        return log, await journal.log(log).checkpoint()
    finally:
        await journal.close()


async def serving(notes):
    async def answer(request):
        note = notes.get(request.match_info["digest"])
        return web.Response(text=note) if note else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{digest}/checkpoint", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def test_a_witness_says_how_much_was_lost(house_folder, tmp_path):
    kept = str(tmp_path / "kept")
    await cuvar(house_folder, "backup", "create", kept)
    log, note = await grow(load_settings(house_folder / "cuvar.toml"))
    fresh = empty(houses.copy(house_folder, tmp_path / "fresh"))
    await cuvar(fresh, "backup", "restore", kept)
    runner, url = await serving({origin_digest(log): note})
    try:
        out = await cuvar(fresh, "audit", "succeed", "--json", "--witness", url)
    finally:
        await runner.cleanup()
    (made,) = [one for one in json.loads(out) if one["old"] == log]
    # One that came after the backup, and the entry of the backup itself.
    assert (made["size"], made["lost"]) == (3, 2)


async def test_a_witness_that_does_not_answer_opens_nothing(house_folder, tmp_path):
    kept = str(tmp_path / "kept")
    await cuvar(house_folder, "backup", "create", kept)
    fresh = empty(houses.copy(house_folder, tmp_path / "fresh"))
    await cuvar(fresh, "backup", "restore", kept)
    with pytest.raises(LogUnavailableError, match="does not answer"):
        await cuvar(fresh, "audit", "succeed", "--witness", "http://127.0.0.1:9")


async def test_a_second_restore_succeeds_though_witnesses_know_the_logs_of_the_first(
    house_folder, tmp_path
):
    await cuvar(house_folder, "backup", "create", str(tmp_path / "one"))
    log, note = await grow(load_settings(house_folder / "cuvar.toml"))
    fresh = empty(houses.copy(house_folder, tmp_path / "fresh"))
    await cuvar(fresh, "backup", "restore", str(tmp_path / "one"))
    runner, url = await serving({origin_digest(log): note})
    try:
        await cuvar(fresh, "audit", "succeed", "--witness", url)
        await cuvar(fresh, "backup", "create", str(tmp_path / "two"))
        again = empty(houses.copy(fresh, tmp_path / "again"))
        await cuvar(again, "backup", "restore", str(tmp_path / "two"))
        made = json.loads(await cuvar(again, "audit", "succeed", "--json", "--witness", url))
    finally:
        await runner.cleanup()
    assert all("/2026h2." in one["old"] for one in made), "each country's newest, and no other"
    states = json.loads(await cuvar(again, "audit", "logs", "--json"))["logs"]
    assert [one["state"] for one in states].count("open") == len(made)


async def test_what_a_successor_declares_lost_is_told_as_that_and_nothing_else(
    house_folder, tmp_path
):
    await cuvar(house_folder, "backup", "create", str(tmp_path / "kept"))
    log, note = await grow(load_settings(house_folder / "cuvar.toml"))
    fresh = empty(houses.copy(house_folder, tmp_path / "fresh"))
    await cuvar(fresh, "backup", "restore", str(tmp_path / "kept"))
    runner, url = await serving({origin_digest(log): note})
    try:
        await cuvar(fresh, "audit", "succeed", "--witness", url)
    finally:
        await runner.cleanup()
    told = await asyncio.to_thread(run, "audit", "verify", "--json", folder=fresh, code=7)
    (old,) = [one for one in json.loads(told)["logs"] if one["status"]]
    assert (old["origin"], old["status"]) == (log, 7)
    assert [one["what"].split(" are lost")[0] for one in old["findings"]] == ["entries 1 to 2"]
    seen = tmp_path / "seen"
    seen.write_text(note)
    words = ("audit", "verify", "--checkpoint", str(seen))
    await asyncio.to_thread(run, *words, folder=fresh, code=7)
    (grown, more) = await grow(load_settings(house_folder / "cuvar.toml"))
    seen.write_text(more)
    assert grown == log
    told = await asyncio.to_thread(run, *words, folder=fresh, code=1)
    assert "entries were cut off" in told, "larger than the successor owns to"
