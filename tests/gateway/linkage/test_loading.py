# SPDX-License-Identifier: EUPL-1.2
"""A nation's file becomes the country's index: whole or not at all, and never without its entry."""

import asyncio
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from audit import AuditError
from gateway.linkage import loading
from gateway.linkage.errors import IndexFileError, IndexStateError
from gateway.linkage.index import CAP, LinkIndex
from gateway.linkage.loading import load_file
from gateway.linkage.recording import UnkeptLogError
from gateway.linkage.rows import insert_rows
from gateway.store import StoreError
from tests.gateway.linkage.making import (
    EPOCH,
    NOW,
    Register,
    asked,
    file_of,
    gateway_half,
    loaded,
    people,
    surrogate,
    values,
)


@pytest.fixture(params=["sqlite", "postgres"])
async def parts(request, house_folder, tmp_path):
    url = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        url = server.url(server.new_database("links"), driver="")
    async with gateway_half(house_folder, url=url) as found:
        await found.peppers.open(EPOCH, NOW)
        yield found


def quiet(_):
    return None


async def rows(parts):
    statement = text("SELECT key, load, handle FROM link_row ORDER BY key")
    return await parts.store.run(lambda connection: connection.execute(statement).all())


async def test_who_is_in_a_register_is_found_by_whoever_blinds_alike(parts, tmp_path):
    result = await loaded(parts, Register("BA", people(9)), tmp_path / "BA.index")
    assert (result.header.persons, result.crowded) == (9, 0)
    await loaded(parts, Register("RS", people(3, "r")), tmp_path / "RS.index")
    found = await asked(parts, values(2), {"BA", "RS", "HR"})
    assert found == {"BA": {surrogate("p0002")}, "RS": {surrogate("r0002")}}
    assert await asked(parts, values(7), {"BA", "RS"}) == {"BA": {surrogate("p0007")}, "RS": set()}
    assert await asked(parts, values(500), {"BA"}) == {"BA": set()}
    assert await asked(parts, values(2), {"RS"}) == {"RS": {surrogate("r0002")}}


async def test_a_second_file_takes_the_place_of_the_first(parts, tmp_path):
    await loaded(parts, Register("BA", people(5)), tmp_path / "1.index")
    before = await rows(parts)
    await loaded(parts, Register("BA", {"q": values(40)}), tmp_path / "2.index")
    assert await asked(parts, values(1), {"BA"}) == {"BA": set()}
    assert await asked(parts, values(40), {"BA"}) == {"BA": {surrogate("q")}}
    assert len(await rows(parts)) < len(before)
    state = (await LinkIndex(parts.store).state())["BA"].loads
    assert [(load.epoch, load.blinding) for load in state] == [(EPOCH, "hmac")]


async def test_a_key_that_a_crowd_shares_is_not_stored_and_answers_nothing(parts, tmp_path):
    crowd = {
        f"c{number:03}": values(1) | {"document.doc_number": f"C{number:06}"}
        for number in range(CAP + 1)
    }
    result = await loaded(parts, Register("BA", crowd, page=100), tmp_path / "BA.index")
    assert result.crowded > 0
    assert result.rows == CAP + 1, "only the documents are left"
    alike = values(1) | {"document.doc_number": None}
    assert await asked(parts, alike, {"BA"}) == {"BA": set()}
    del crowd["c000"]
    await loaded(parts, Register("BA", crowd, page=100), tmp_path / "fewer.index")
    assert len((await asked(parts, alike, {"BA"}))["BA"]) == CAP


async def test_a_look_up_holds_to_the_cap_whatever_is_stored(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "CAP", 10_000)
    crowd = {f"c{number:03}": values(1) for number in range(CAP + 1)}
    await loaded(parts, Register("BA", crowd, page=100), tmp_path / "BA.index")
    assert await asked(parts, values(1), {"BA"}) == {"BA": set()}


async def test_a_load_without_its_entry_leaves_the_old_index(parts, tmp_path, house_folder):
    await loaded(parts, Register("BA", people(5)), tmp_path / "1.index")
    (house_folder / "log-keys/BA.key").unlink()
    with pytest.raises(AuditError):
        await loaded(parts, Register("BA", {"q": values(40)}), tmp_path / "2.index")
    assert await asked(parts, values(1), {"BA"}) == {"BA": {surrogate("p0001")}}
    assert await asked(parts, values(40), {"BA"}) == {"BA": set()}


async def test_what_a_cut_off_load_left_is_swept_by_the_next(parts, tmp_path, monkeypatch):
    await loaded(parts, Register("BA", people(2)), tmp_path / "1.index")
    whole = len(await rows(parts))

    async def cut_off(*_args, **_more):
        raise EOFError

    with monkeypatch.context() as patch:
        patch.setattr(type(parts.recorder), "of_country", cut_off)
        with pytest.raises(EOFError):
            await loaded(parts, Register("BA", people(4)), tmp_path / "2.index")
    assert len(await rows(parts)) > whole
    assert await asked(parts, values(3), {"BA"}) == {"BA": set()}
    await loaded(parts, Register("BA", people(2)), tmp_path / "3.index")
    assert len(await rows(parts)) == whole


async def test_of_two_loads_at_once_the_later_wins_and_the_earlier_says_so(parts, tmp_path):
    await file_of(Register("BA", people(4)), tmp_path / "1.index")
    await file_of(Register("BA", people(5)), tmp_path / "2.index")
    overtaken = False

    def overtake(written):
        nonlocal overtaken
        if written and not overtaken:
            overtaken = True
            statement = text("UPDATE link_load SET state = 'gone' WHERE state = 'loading'")
            tasks.append(asyncio.ensure_future(parts.store.run(lambda con: con.execute(statement))))

    tasks = []
    recorder = parts.recorder
    slow = replace(parts, recorder=Slow(recorder, tasks))
    with pytest.raises(IndexStateError, match="took over"):
        await load_file(slow, tmp_path / "1.index", NOW, overtake)
    result = await load_file(parts, tmp_path / "2.index", NOW, quiet)
    assert result.header.persons == 5


class Slow:
    """A recorder that lets what was begun meanwhile end first."""

    def __init__(self, recorder, tasks):
        self._recorder, self._tasks = recorder, tasks

    async def of_country(self, *args, **more):
        await asyncio.gather(*self._tasks)
        await self._recorder.of_country(*args, **more)


async def test_rows_go_into_a_load_that_is_under_way_and_into_no_other(parts, tmp_path):
    await loaded(parts, Register("BA", people(1)), tmp_path / "BA.index")
    number = (await rows(parts))[0].load
    some = np.zeros((1, 16), np.uint8)
    for load in (number, number + 1):
        with pytest.raises(IndexStateError):
            await insert_rows(parts.store, load, some, some, quiet)


async def test_only_a_whole_file_for_this_gateway_is_loaded(parts, tmp_path):
    await file_of(Register("BA", people(3)), tmp_path / "BA.index")
    data = bytearray((tmp_path / "BA.index").read_bytes())
    data[-1] ^= 1
    (tmp_path / "changed.index").write_bytes(data)
    await file_of(Register("MK", people(1)), tmp_path / "MK.index")
    await file_of(Register("BA", people(1)), tmp_path / "later.index", epoch="2031q1")
    for name, error in (
        ("changed.index", IndexFileError),
        ("MK.index", IndexFileError),
        ("later.index", IndexStateError),
    ):
        with pytest.raises(error):
            await load_file(parts, tmp_path / name, NOW, quiet)
    assert await rows(parts) == []


async def test_keys_of_another_grammar_are_not_loaded(parts, tmp_path, monkeypatch):
    await file_of(Register("BA", people(1)), tmp_path / "BA.index")
    monkeypatch.setattr(loading, "GRAMMAR", loading.GRAMMAR + 1)
    with pytest.raises(IndexFileError, match="grammar"):
        await load_file(parts, tmp_path / "BA.index", NOW, quiet)


async def test_a_country_whose_log_is_kept_elsewhere_is_not_loaded(parts, tmp_path):
    stranger = replace(parts, countries=parts.countries | {"XK"})
    with pytest.raises(UnkeptLogError):
        await loaded(stranger, Register("XK", people(1)), tmp_path / "XK.index")
    assert await asked(parts, values(0), {"XK"}) == {}


async def test_a_database_without_the_tables_is_told_apart_from_an_empty_one(parts, tmp_path):
    drop = text("DROP TABLE link_row")
    await parts.store.run(lambda connection: connection.execute(drop))
    with pytest.raises(StoreError):
        await LinkIndex(parts.store).open()


def killed_at(place, folder, path):
    """Load in a process of its own that is killed once rows are written, or once they serve."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    swept, sweep = [], loading.sweep

    def kill(written):
        if written:
            os.kill(os.getpid(), signal.SIGKILL)

    async def once(store, country, _progress):
        swept.append(country)
        kill(len(swept) > 1)
        await sweep(store, country, quiet)

    async def run():
        async with gateway_half(folder) as parts:
            await load_file(parts, path, NOW, kill if place == "written" else quiet)

    loading.sweep = once
    try:
        asyncio.run(run())
    finally:
        os._exit(1)


def test_a_load_that_is_killed_leaves_the_old_index_or_the_new(house_folder, tmp_path):
    async def prepare():
        async with gateway_half(house_folder) as parts:
            await parts.peppers.open(EPOCH, NOW)
            await loaded(parts, Register("BA", people(3)), tmp_path / "old.index")
            await file_of(Register("BA", people(3, "n")), tmp_path / "new.index")

    async def answer():
        async with gateway_half(house_folder) as parts:
            return await asked(parts, values(1), {"BA"})

    asyncio.run(prepare())
    for place, expected in (("written", "p0001"), ("served", "n0001")):
        assert killed_at(place, house_folder, tmp_path / "new.index") == -signal.SIGKILL
        assert asyncio.run(answer()) == {"BA": {surrogate(expected)}}


async def test_a_load_stands_in_the_countrys_log_and_tells_counts_to_officers_alone(
    house, tmp_path
):
    async with gateway_half(house.folder) as parts:
        await parts.peppers.open(EPOCH, NOW)
        result = await loaded(parts, Register("BA", people(7)), tmp_path / "BA.index")
    envelope, detail = await house.newest("BA")
    assert (envelope["kind"], envelope["rules"]) == ("linkage-index", ["linkage index load"])
    assert envelope["correlation"] == result.header.sha256[:32]
    assert envelope["count"] is None
    assert (detail["persons"], detail["epoch"]) == (7, EPOCH)
