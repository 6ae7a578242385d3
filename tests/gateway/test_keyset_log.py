# SPDX-License-Identifier: EUPL-1.2
"""A keyset that was put back or exchanged serves nobody, and no ceremony is held twice."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from click.testing import CliRunner

from anonymise.errors import CeremonyError
from anonymise.keyring.custodian import read_approval
from anonymise.keyring.file_vault import FileVault
from audit import Pending, encode_envelope, parse_envelope
from gateway import ceremonies
from gateway.ceremonies import hold
from gateway.cli import cuvar
from gateway.commands.doctor import StepError, _keyset
from gateway.commands.init import create_missing
from gateway.keyset import open_keyring
from gateway.keyset_log import KeysetLog
from gateway.opening import open_journal, utc_now
from gateway.settings import load_settings
from tests.anonymise.backends import CHEAP
from tests.gateway import house as houses
from tests.gateway.test_ceremonies import (
    NAMES,
    PASSPHRASE,
    PUBLIC,
    appointed,
    approved,
    call,
    held,
    name_custodians,
    refused,
    states,
)
from tests.gateway.test_pseudonym_domains import PERSON, aided, question


@pytest.fixture
def folder(house_template, tmp_path, monkeypatch):
    """A gateway at rest whose keyset has custodians, where commands are given."""
    folder = houses.copy(house_template, tmp_path / "house")
    monkeypatch.chdir(folder)
    for name in NAMES:
        call(folder, "custodian", name)
    appointed(folder)
    return folder


def keyset(folder):
    return folder / "keyset.json"


def rotated(folder, request="r.ceremony"):
    call(folder, "rotate", "BA", "--request", request)
    held(folder, request)


def put_back(folder, kept):
    """An older copy over the keyset, as whoever has the disk can do it."""
    shutil.copy2(kept, keyset(folder))


def status(folder):
    done = CliRunner().invoke(
        cuvar, ["keys", "status", "--json", "--config", str(folder / "cuvar.toml")]
    )
    return done.exit_code, json.loads(done.stdout)


def doctor(folder):
    return asyncio.run(_keyset(load_settings(folder / "cuvar.toml")))


@pytest.fixture
def kept(folder, tmp_path):
    """A copy of the keyset from before BA's root was rotated, which it now is."""
    shutil.copy2(keyset(folder), tmp_path / "old.bak")
    rotated(folder)
    return tmp_path / "old.bak"


def test_a_ceremony_is_not_held_again_on_a_keyset_that_was_put_back(folder, kept):
    _, before = status(folder)
    put_back(folder, kept)
    said = refused(folder, "perform", "r.ceremony")
    assert "held or begun before (entry " in said
    assert "GATEWAY" in said
    put_back(folder, kept)
    code, after = status(folder)
    assert code == 1
    assert after["digest"] != before["digest"]


def test_a_new_ceremony_is_not_held_on_a_keyset_that_was_put_back(folder, kept):
    put_back(folder, kept)
    call(folder, "rotate", "RS", "--request", "s.ceremony")
    approved("s.ceremony", *NAMES[:2])
    assert "put back to an older state" in refused(folder, "perform", "s.ceremony")
    assert json.loads(kept.read_bytes()) == json.loads(keyset(folder).read_bytes())


def test_doctor_and_status_say_that_a_keyset_was_put_back(folder, kept):
    assert doctor(folder)
    assert status(folder)[0] == 0
    put_back(folder, kept)
    with pytest.raises(StepError, match="put back to an older state"):
        doctor(folder)
    code, document = status(folder)
    assert code == 1
    assert document["named_by"] is None
    assert "keys confirm" in document["unnamed"]


def test_a_keyset_with_other_roots_under_the_same_names_is_told(folder, tmp_path):
    """The same countries, versions and custodians; only the secrets differ."""
    settings = load_settings(folder / "cuvar.toml")
    before = status(folder)[1]
    keyset(folder).unlink()
    FileVault.create(keyset(folder), PASSPHRASE, sorted(settings.registers), work=CHEAP).appoint(
        {line.split()[1]: line.split()[2] for line in (open_text(folder, f) for f in PUBLIC)}
    )
    code, after = status(folder)
    assert code == 1
    assert [r["version"] for r in after["roots"]] == [r["version"] for r in before["roots"]]
    assert after["custodians"] == before["custodians"]


def open_text(folder, file):
    return (folder / file).read_text(encoding="utf-8")


def test_two_custodians_confirm_a_restored_keyset_and_it_serves_again(folder, kept):
    put_back(folder, kept)
    call(folder, "confirm", "--reason", "restored from the backup", "--request", "c.ceremony")
    assert "0 approved so far" in refused(folder, "perform", "c.ceremony")
    held(folder, "c.ceremony")
    code, document = status(folder)
    assert (code, document["unnamed"]) == (0, None)
    assert doctor(folder)
    assert states(folder) == [(1, "active")]


def test_a_confirmation_names_the_custodians_whose_word_it_is(folder):
    call(folder, "confirm", "--request", "c.ceremony")
    statement = json.loads((folder / "c.ceremony").read_bytes())
    assert sorted(statement["custodians"]) == sorted(NAMES)
    assert statement["keyset"] == status(folder)[1]["digest"]


def test_a_ceremony_that_was_cut_off_after_its_act_is_confirmed(folder, monkeypatch):
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    approved("r.ceremony", *NAMES[:2])
    write = ceremonies._Record.write

    async def cut_off(record, status, *more):
        if status != "pending":
            raise KeyboardInterrupt
        return await write(record, status, *more)

    with monkeypatch.context() as patched:
        patched.setattr(ceremonies._Record, "write", cut_off)
        CliRunner().invoke(cuvar, ["keys", "perform", "r.ceremony", "--config", "cuvar.toml"])
    assert status(folder)[0] == 1
    assert "not as it was" in refused(folder, "perform", "r.ceremony")
    call(folder, "confirm", "--request", "c.ceremony")
    held(folder, "c.ceremony")
    assert status(folder)[0] == 0
    assert states(folder) == [(1, "retired"), (2, "active")]


async def rows(house):
    token = await aided(house, PERSON)
    return (await house.ask("list", question(), token=token)).json()["owners"][0]


async def test_a_gateway_makes_no_coded_row_with_a_keyset_that_the_log_does_not_name(folder, kept):
    put_back(folder, kept)
    async with houses.running(folder) as house:
        part = await rows(house)
        assert (part["status"], part["reason"]) == ("unavailable", "KeysetUnnamedError")
        assert "root keys" in (await house.client.get("/readyz")).json()["degraded"]
        assert b"keyset.not_named_by_the_log" in house.output.getvalue()
        await house.attest("presence", org="BA-BP")


async def test_a_running_gateway_notices_what_was_put_back_and_what_was_confirmed(folder, tmp_path):
    old = tmp_path / "old.bak"
    shutil.copy2(keyset(folder), old)
    async with houses.running(folder) as house:
        assert (await rows(house))["status"] == "answered"
        await asyncio.to_thread(rotated, folder)
        # Put back before the gateway has looked: the file is as it knows it, the log is not.
        put_back(folder, old)
        await house.runtime.roots.look()
        assert (await rows(house))["reason"] == "KeysetUnnamedError"
        await asyncio.to_thread(call, folder, "confirm", "--request", "c.ceremony")
        await asyncio.to_thread(held, folder, "c.ceremony")
        await house.runtime.roots.look()
        assert (await rows(house))["status"] == "answered"
        assert house.runtime.roots.well


async def test_a_trials_keyset_serves_without_an_entry_until_it_has_one(house_folder):
    async with houses.running(house_folder) as house:
        assert (await rows(house))["status"] == "answered"
        assert house.runtime.roots.well


def test_a_keyset_with_custodians_needs_an_entry_from_the_start(house_template, tmp_path):
    folder = houses.copy(house_template, tmp_path / "house")
    FileVault.open(keyset(folder), PASSPHRASE).appoint({"BA-DPA/ana": "k" * 43 + "="})
    code, document = status(folder)
    assert code == 1
    assert "names no keyset yet" in document["unnamed"]


def test_what_an_older_release_wrote_names_no_keyset(folder):
    settings = load_settings(folder / "cuvar.toml")

    async def entry_without_a_digest():
        journal = await open_journal(settings)
        try:
            house = journal.log(journal.current("GATEWAY"))
            for stored in await house.read(0, house.size):
                envelope = parse_envelope(stored.envelope)
                if envelope.policy is not None and envelope.kind == "key-change":
                    last = envelope
            old = replace(last, policy=None, detail=None, keys=(), erase=None)
            await journal.append([Pending(encode_envelope(old), None)])
        finally:
            await journal.close()

    asyncio.run(entry_without_a_digest())
    assert status(folder)[0] == 1


def test_the_log_is_read_on_from_where_it_was_read_before(folder, kept):
    log = KeysetLog(load_settings(folder / "cuvar.toml"))
    first = log.named()
    assert log.named() == first
    rotated(folder, "again.ceremony")
    second = log.named()
    assert second != first
    assert second.digest == status(folder)[1]["digest"]
    fresh = KeysetLog(load_settings(folder / "cuvar.toml"))
    assert fresh.named() == second


def test_an_entry_that_was_edited_in_the_database_names_nothing(folder, kept):
    """Without the log's key nobody makes the log name an older keyset."""
    before = status(folder)[1]["digest"]
    rotated(folder, "again.ceremony")
    after = status(folder)[1]["digest"]
    path = (
        load_settings(folder / "cuvar.toml").log.url.get_secret_value().removeprefix("sqlite:///")
    )
    with closing(sqlite3.connect(path)) as log, log:
        changed = log.execute(
            "UPDATE log_entry SET envelope = CAST(replace(CAST(envelope AS TEXT), ?, ?) AS BLOB)"
            " WHERE instr(CAST(envelope AS TEXT), ?) > 0",
            (after, before, after),
        ).rowcount
    assert changed
    code, told = status(folder)
    assert code == 1
    assert "not those that were signed" in told["unnamed"]


def approvals_of(folder, request):
    return [read_approval(path.read_bytes()) for path in folder.glob(f"{request}.*")]


def test_two_performances_at_once_hold_a_ceremony_once(folder):
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    approved("r.ceremony", *NAMES[:2])
    settings = load_settings(folder / "cuvar.toml")
    content, given = (folder / "r.ceremony").read_bytes(), approvals_of(folder, "r.ceremony")

    async def both():
        return await asyncio.gather(
            *(hold(settings, content, given, utc_now) for _ in range(2)), return_exceptions=True
        )

    done = asyncio.run(both())
    assert sum(isinstance(one, BaseException) for one in done) == 1
    assert states(folder) == [(1, "retired"), (2, "active")]


def test_a_performance_that_was_halted_is_overtaken_by_none(folder, tmp_path, monkeypatch):
    """One is halted after it looked into the log, the other performed, the keyset put back."""
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    approved("r.ceremony", *NAMES[:2])
    settings = load_settings(folder / "cuvar.toml")
    content, given = (folder / "r.ceremony").read_bytes(), approvals_of(folder, "r.ceremony")
    old = tmp_path / "old.bak"
    shutil.copy2(keyset(folder), old)

    async def halted(settings):
        with monkeypatch.context() as patched:
            patched.setattr(ceremonies, "open_journal", open_journal)
            await hold(settings, content, given, utc_now)
        put_back(folder, old)
        return await open_journal(settings)

    with monkeypatch.context() as patched:
        patched.setattr(ceremonies, "open_journal", halted)
        with pytest.raises(CeremonyError, match="begun before"):
            asyncio.run(hold(settings, content, given, utc_now))
    assert old.read_bytes() == keyset(folder).read_bytes()


def test_custodians_of_the_settings_do_not_confirm(folder, kept):
    for name in ("BA-OP/mallory", "BA-CP/accomplice"):
        call(folder, "custodian", name)
    name_custodians(folder, ["BA-OP-mallory.pub", "BA-CP-accomplice.pub"])
    put_back(folder, kept)
    call(folder, "confirm", "--request", "c.ceremony")
    approved("c.ceremony", "BA-OP/mallory", "BA-CP/accomplice")
    assert "not this custodian's" in refused(folder, "perform", "c.ceremony")


async def test_a_log_in_postgresql_names_the_keyset_too(
    house_template, tmp_path, monkeypatch, durable_postgres
):
    folder = houses.copy(house_template, tmp_path / "house")
    monkeypatch.chdir(folder)
    url = durable_postgres.url(durable_postgres.new_database("ceremonies"), driver="")
    text = (folder / "cuvar.toml").read_text(encoding="utf-8")
    assert '"sqlite:///log.sqlite"' in text
    (folder / "cuvar.toml").write_text(text.replace("sqlite:///log.sqlite", url), encoding="utf-8")
    await asyncio.to_thread(create_missing, load_settings(folder / "cuvar.toml"))
    await asyncio.to_thread(call, folder, "rotate", "BA")
    async with houses.running(folder) as house:
        assert house.runtime.roots.well
        assert (await rows(house))["status"] == "answered"
        ring = open_keyring(house.runtime.settings)
        ring.rotate("RS", "2099q1")
        ring.close()
        await house.runtime.roots.look()
        assert (await rows(house))["reason"] == "KeysetUnnamedError"
