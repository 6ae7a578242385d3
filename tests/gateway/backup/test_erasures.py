# SPDX-License-Identifier: EUPL-1.2
"""What was erased in the logs after a backup is erased in it too, and not brought back by it."""

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit import (
    Envelope,
    Kind,
    Operation,
    Owner,
    Pending,
    Requester,
    Sealer,
    Status,
    encode_envelope,
    new_entry_id,
    read_public_key,
)
from audit.backup import open_snapshot
from audit.randomness import random_bytes
from gateway.backup import KeepingError, check, read_manifest
from gateway.opening import open_journal
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway.backup.test_backup import empty, run

WHOLE = {
    "op": Operation.ERASE,
    "owner": Owner("BA", "log"),
    "basis": "GDP-ORDER",
    "requester": Requester("BA", "BA-SA", None),
    "count": 1,
    "status": Status.DONE,
}


def utc_now():
    return datetime.now(UTC)


def entry(log, sealed=None, **told):
    told = {"kind": Kind.ACCESS, "op": Operation.CONSULT, "status": Status.HIT, **told}
    if sealed is not None:
        told |= {"detail": sealed.commitment.hex(), "keys": ("BA",)}
    envelope = Envelope(id=new_entry_id(utc_now(), random_bytes(10)), t=utc_now(), log=log, **told)
    return Pending(encode_envelope(envelope), sealed)


async def write_details(settings):
    """Three entries with details; the ciphertext of the second."""
    sealer = Sealer({"BA": read_public_key(settings.log.dpo_keys["BA"])}, utc_now)
    journal = await open_journal(settings)
    try:
        log = journal.current("BA")
        details = [sealer.seal(b"who asked about whom", ("BA",)) for _ in range(3)]
        placed = await journal.append([entry(log, sealed) for sealed in details])
        return log, [position.index for position in placed], details[1].blob
    finally:
        await journal.close()


async def erase_detail(settings, log, index):
    journal = await open_journal(settings)
    try:
        await journal.append([entry(log, kind=Kind.ERASURE, **WHOLE, about=(str(index),))])
        await journal.erase_details(log, [index])
    finally:
        await journal.close()


async def declare(settings, log, kind, index, **said):
    """An entry about another that takes nothing away itself."""
    journal = await open_journal(settings)
    try:
        await journal.append([entry(log, kind=kind, **WHOLE, about=(str(index),), **said)])
    finally:
        await journal.close()


@pytest.fixture
def erased(house_folder, tmp_path):
    """A backup with three details, the second of which was erased in the log afterwards."""
    settings = load_settings(house_folder / "cuvar.toml")
    log, indices, blob = asyncio.run(write_details(settings))
    run("backup", "create", str(tmp_path / "kept"), folder=house_folder)
    asyncio.run(erase_detail(settings, log, indices[1]))
    return tmp_path / "kept", log, indices, blob


def found(folder, blob):
    return [path for path in folder.rglob("*") if path.is_file() and blob in path.read_bytes()]


def test_an_erasure_reaches_the_backups(erased, house_folder):
    kept, log, _, blob = erased
    assert found(kept, blob)
    assert run("backup", "erase", str(kept), folder=house_folder).startswith("1 details")
    assert not found(kept, blob)
    seen = dict(
        zip([one.head.origin for one in read_manifest(kept).logs], check(kept).logs, strict=True)
    )
    assert seen[log].missing == 1
    told = run("backup", "check", str(kept), folder=house_folder, code=4)
    assert "newer logs must declare" in told
    assert run("backup", "erase", str(kept), folder=house_folder).startswith("0 details")


def test_what_a_hold_keeps_stays_in_the_backups_whatever_an_erasure_names(house_folder, tmp_path):
    settings = load_settings(house_folder / "cuvar.toml")
    log, indices, blob = asyncio.run(write_details(settings))
    kept = tmp_path / "kept"
    run("backup", "create", str(kept), folder=house_folder)
    asyncio.run(declare(settings, log, Kind.LEGAL_HOLD, indices[1], correlation="hold-1"))
    asyncio.run(declare(settings, log, Kind.ERASURE, indices[1]))
    assert run("backup", "erase", str(kept), folder=house_folder).startswith("0 details")
    assert found(kept, blob)


def test_a_restore_does_not_bring_back_what_newer_logs_say_was_erased(
    erased, house_folder, tmp_path
):
    kept, log, indices, blob = erased
    fresh = empty(houses.copy(house_folder, tmp_path / "fresh"))
    place = str(house_folder / "log.sqlite")
    run("backup", "restore", str(kept), "--erasures", place, folder=fresh)
    settings = load_settings(fresh / "cuvar.toml")
    with open_snapshot(settings.log.url.get_secret_value()) as snapshot:
        (head,) = [head for head in snapshot.heads() if head.origin == log]
        entries = snapshot.entries(head, indices[0], head.size)
    assert [e.index for e in entries if e.sealed] == [indices[0], indices[2]]
    assert blob not in (fresh / "log.sqlite").read_bytes()


def test_erasures_of_a_log_that_is_not_whole_are_not_believed(erased, house_folder):
    with closing(sqlite3.connect(house_folder / "log.sqlite")) as con:
        changed = "replace(CAST(envelope AS TEXT), 'done', 'pending')"
        con.execute(f"UPDATE log_entry SET envelope = CAST({changed} AS BLOB)")  # noqa: S608 - ours
        con.commit()
    with pytest.raises(KeepingError, match="not believed"):
        run("backup", "erase", str(erased[0]), folder=house_folder)


def test_an_erasure_that_was_stopped_is_finished_by_the_next_one(erased, house_folder, monkeypatch):
    kept, _, _, blob = erased

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.backup.restoring.replace_file", stop)
    with pytest.raises((KeyboardInterrupt, AssertionError)):
        run("backup", "erase", str(kept), folder=house_folder)
    monkeypatch.undo()
    with pytest.raises(KeepingError, match="backup erase"):
        check(kept)
    run("backup", "erase", str(kept), folder=house_folder)
    assert not found(kept, blob)
    check(kept)


def rewritten(kept, change):
    """The backup with its manifest made to fit whatever was done to it."""
    manifest = change(read_manifest(kept))
    (kept / "manifest.json").write_bytes(manifest.listing(kept).data())


def test_details_taken_out_of_a_backup_are_told_by_the_status(erased, house_folder):
    kept, *_ = erased
    run("backup", "check", str(kept), folder=house_folder)
    for path in (kept / "logs").rglob("*"):
        if path.is_file() and path.parent.name == "details":
            path.write_bytes(b"")
    rewritten(kept, lambda manifest: manifest)
    assert "somebody took them out" in run(
        "backup", "check", str(kept), folder=house_folder, code=4
    )


def test_what_newer_logs_declare_is_accounted_for(erased, house_folder):
    kept, *_ = erased
    run("backup", "erase", str(kept), folder=house_folder)
    run("backup", "check", str(kept), folder=house_folder, code=4)
    newer = str(house_folder / "log.sqlite")
    told = run("backup", "check", str(kept), "--erasures", newer, folder=house_folder)
    assert "took them out" not in told


def test_a_country_whose_log_was_taken_out_of_a_backup_is_named(erased, house_folder):
    kept, *_ = erased
    gone = next(one for one in read_manifest(kept).logs if "/RS/" in one.head.origin)
    for name in (*gone.entries, *gone.details):
        (kept / name).unlink()
    rewritten(kept, lambda m: replace(m, logs=tuple(log for log in m.logs if log != gone)))
    with pytest.raises(KeepingError, match="no log of RS"):
        run("backup", "check", str(kept), folder=house_folder)


def test_what_a_restore_left_out_is_declared_again_by_the_successor(erased, house_folder, tmp_path):
    kept, log, indices, _ = erased
    fresh = empty(houses.copy(house_folder, tmp_path / "fresh"))
    newer = str(house_folder / "log.sqlite")
    run("backup", "restore", str(kept), "--erasures", newer, folder=fresh)
    run("audit", "succeed", "--erasures", newer, folder=fresh)
    told = run("audit", "verify", "--json", folder=fresh)
    old = next(one for one in json.loads(told)["logs"] if one["origin"] == log)
    assert (old["status"], old["erased"]) == (0, 1)
    assert indices
