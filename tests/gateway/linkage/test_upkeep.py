# SPDX-License-Identifier: EUPL-1.2
"""Epochs end, and persons are taken out: destroyed, not hidden, and never without an entry."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from anonymise.errors import KeyringError
from audit import AuditError
from gateway.linkage import rows
from gateway.linkage.errors import IndexStateError
from gateway.linkage.index import handle_cipher
from gateway.linkage.upkeep import (
    erase,
    erase_gone,
    finish,
    forget_country,
    rotate,
    standing,
)
from gateway.sources.errors import SourceUnavailableError
from tests.gateway.linkage.making import (
    EPOCH,
    NEXT,
    NOW,
    Register,
    asked,
    gateway_half,
    loaded,
    people,
    surrogate,
    values,
)


def quiet(_):
    return None


@pytest.fixture
async def parts(house_folder):
    async with gateway_half(house_folder) as found:
        await rotate(found, None, NOW)
        yield found


async def test_the_old_epoch_answers_until_every_country_has_sent_again(parts, tmp_path):
    await loaded(parts, Register("BA", people(3)), tmp_path / "1.index")
    await loaded(parts, Register("RS", people(3, "r")), tmp_path / "2.index")
    assert await rotate(parts, None, NOW) == NEXT
    await loaded(parts, Register("BA", people(3)), tmp_path / "3.index", epoch=NEXT)
    assert await asked(parts, values(1), {"BA", "RS"}, epoch=NEXT) == {"BA": {surrogate("p0001")}}
    with pytest.raises(IndexStateError, match="RS"):
        await finish(parts, (), quiet)
    assert (await asked(parts, values(1), {"RS"}))["RS"] == {surrogate("r0001")}
    await loaded(parts, Register("RS", people(3, "r")), tmp_path / "4.index", epoch=NEXT)
    assert await finish(parts, (), quiet) == EPOCH
    assert await parts.peppers.pepper(EPOCH) is None
    assert await parts.peppers.epochs() == (NEXT,)
    assert (await asked(parts, values(1), {"RS"}, epoch=NEXT))["RS"] == {surrogate("r0001")}


async def test_a_country_that_never_sends_can_be_left_behind(parts, tmp_path):
    await loaded(parts, Register("BA", people(3)), tmp_path / "1.index")
    await rotate(parts, None, NOW)
    assert await finish(parts, ("BA",), quiet) == EPOCH
    assert [line.load for line in await standing(parts)] == [None, None, None]


def kept_in(folder):
    return b"".join(path.read_bytes() for path in folder.glob("state.sqlite*"))


async def careless(parts):
    """Not every SQLite overwrites what it deletes unless it is told to; some do."""
    off = text("PRAGMA secure_delete = OFF")
    await parts.store.run(lambda connection: connection.execute(off))


async def test_of_a_finished_epoch_no_byte_is_left_in_the_files(parts, tmp_path, house_folder):
    await loaded(parts, Register("BA", people(40)), tmp_path / "1.index")
    with closing(sqlite3.connect(house_folder / "state.sqlite")) as connection:
        kept = [row[0] for row in connection.execute("SELECT key FROM link_row")]
        kept += [row[0] for row in connection.execute("SELECT pepper FROM link_epoch")]
    await rotate(parts, None, NOW)
    await careless(parts)
    await finish(parts, ("BA",), quiet)
    assert len(kept) > 300
    data = kept_in(house_folder)
    assert not [one for one in kept if one in data]


async def test_of_a_person_who_is_taken_out_no_byte_is_left_in_the_files(
    parts, tmp_path, house_folder
):
    await loaded(parts, Register("BA", people(40)), tmp_path / "1.index")
    handle = handle_cipher(parts.keyring, "BA", EPOCH, 1).pseudonym(surrogate("p0007"))
    assert handle in kept_in(house_folder)
    await careless(parts)
    await erase(parts, "BA", [surrogate("p0007")])
    assert handle not in kept_in(house_folder)


@pytest.mark.parametrize("epoch", ["2026q4", EPOCH, "2027", "'; --"])
async def test_an_epoch_is_opened_after_the_newest_only(parts, epoch):
    with pytest.raises(IndexStateError):
        await rotate(parts, epoch, NOW)


async def test_two_epochs_are_open_at_most_and_the_last_one_stays(parts):
    with pytest.raises(IndexStateError):
        await finish(parts, (), quiet)
    await rotate(parts, None, NOW)
    with pytest.raises(IndexStateError, match="finish 2027q1"):
        await rotate(parts, None, NOW)


async def test_a_person_is_taken_out_of_every_epoch_by_surrogate(parts, tmp_path):
    await loaded(parts, Register("BA", people(3)), tmp_path / "1.index")
    await rotate(parts, None, NOW)
    await loaded(parts, Register("BA", people(3)), tmp_path / "2.index", epoch=NEXT)
    assert await erase(parts, "BA", [surrogate("p0001"), surrogate("nobody")]) == 1
    for epoch in (EPOCH, NEXT):
        assert (await asked(parts, values(1), {"BA"}, epoch=epoch))["BA"] == set()
        assert (await asked(parts, values(2), {"BA"}, epoch=epoch))["BA"] == {surrogate("p0002")}


async def test_whom_the_register_no_longer_holds_is_taken_out(parts, tmp_path):
    await loaded(parts, Register("BA", people(9)), tmp_path / "1.index")
    left = {key: fields for key, fields in people(9).items() if key != "p0004"}
    assert await erase_gone(parts, Register("BA", left), NOW, quiet) == 1
    assert (await asked(parts, values(4), {"BA"}))["BA"] == set()
    assert (await asked(parts, values(5), {"BA"}))["BA"] == {surrogate("p0005")}
    assert await erase_gone(parts, Register("BA", left), NOW, quiet) == 0


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_however_rows_are_read_in_parts_everybody_is_met_once(
    parts, tmp_path, monkeypatch, size
):
    monkeypatch.setattr(rows, "_PART", size)
    await loaded(parts, Register("BA", people(9)), tmp_path / "1.index")
    await loaded(parts, Register("RS", people(9)), tmp_path / "2.index")
    left = {key: fields for key, fields in people(9).items() if key not in {"p0000", "p0008"}}
    assert await erase_gone(parts, Register("BA", left), NOW, quiet) == 2
    assert (await asked(parts, values(8), {"BA", "RS"})) == {
        "BA": set(),
        "RS": {surrogate("p0008")},
    }
    gone = []
    await forget_country(parts, "BA", gone.append)
    count = text("SELECT load, count(*) FROM link_row GROUP BY load")
    found = await parts.store.run(lambda connection: connection.execute(count).all())
    assert [load for load, _ in found] == [2]
    assert sum(gone) > 7 * 5


async def test_a_register_that_stops_answering_takes_nobody_out(parts, tmp_path):
    await loaded(parts, Register("BA", people(9)), tmp_path / "1.index")
    with pytest.raises(SourceUnavailableError):
        await erase_gone(parts, Register("BA", people(9), fails_at="p0003"), NOW, quiet)
    assert (await asked(parts, values(8), {"BA"}))["BA"] == {surrogate("p0008")}


async def test_a_country_can_take_its_whole_index_out(parts, tmp_path):
    await loaded(parts, Register("BA", people(3)), tmp_path / "1.index")
    await loaded(parts, Register("RS", people(3)), tmp_path / "2.index")
    await forget_country(parts, "BA", quiet)
    assert await asked(parts, values(1), {"BA", "RS"}) == {"RS": {surrogate("p0001")}}
    with pytest.raises(IndexStateError):
        await erase(parts, "BA", [surrogate("p0001")])


@pytest.mark.parametrize("act", ["rotate", "finish", "erase", "gone", "forget"])
async def test_without_its_entry_nothing_is_opened_destroyed_or_erased(
    parts, tmp_path, house_folder, act
):
    await loaded(parts, Register("BA", people(3)), tmp_path / "1.index")
    if act == "finish":
        await rotate(parts, None, NOW)
    before = await parts.peppers.epochs()
    (house_folder / "log-keys/BA.key").unlink()
    acts = {
        "rotate": lambda: rotate(parts, None, NOW),
        "finish": lambda: finish(parts, ("BA",), quiet),
        "erase": lambda: erase(parts, "BA", [surrogate("p0001")]),
        "gone": lambda: erase_gone(parts, Register("BA", people(1)), NOW, quiet),
        "forget": lambda: forget_country(parts, "BA", quiet),
    }
    with pytest.raises(AuditError):
        await acts[act]()
    assert await parts.peppers.epochs() == before
    assert (await asked(parts, values(1), {"BA"}))["BA"] == {surrogate("p0001")}


async def test_each_act_is_an_entry_of_the_country_or_of_everybody(house, tmp_path):
    async with gateway_half(house.folder) as parts:
        await rotate(parts, None, NOW)
        await loaded(parts, Register("BA", people(3)), tmp_path / "1.index")
        await erase(parts, "BA", [surrogate("p0001")])
        await rotate(parts, None, NOW)
        await finish(parts, ("BA",), quiet)
    told = [
        (entry["rules"][0].removeprefix("linkage index "), entry["op"], entry["correlation"])
        for entry in await house.entries("BA")
        if entry["kind"] == "linkage-index"
    ]
    assert [(act, op) for act, op, _ in told] == [
        ("open", "administer"),
        ("load", "administer"),
        ("erase", "erase"),
        ("open", "administer"),
        ("destroy", "erase"),
    ]
    assert (told[0][2], told[-1][2]) == (EPOCH, EPOCH)
    elsewhere = [entry for entry in await house.entries("RS") if entry["kind"] == "linkage-index"]
    assert len(elsewhere) == 3


async def test_handles_of_two_epochs_cannot_be_joined_and_a_later_root_reads_none(parts):
    first = handle_cipher(parts.keyring, "BA", EPOCH, 1)
    second = handle_cipher(parts.keyring, "BA", NEXT, 1)
    person = surrogate("p0001")
    assert first.pseudonym(person) != second.pseudonym(person)
    assert first.reverse(first.pseudonym(person)) == person
    with pytest.raises(KeyringError):
        handle_cipher(parts.keyring, "BA", EPOCH, 2)
