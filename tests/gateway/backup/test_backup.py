# SPDX-License-Identifier: EUPL-1.2
"""A gateway's backup from making to restoring, with the commands an operator types."""

import asyncio
import json
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from click.testing import CliRunner

from audit import Kind, Status, parse_envelope
from audit.backup import open_snapshot
from gateway.backup import KeepingError, check, create, read_manifest, restore
from gateway.cli import cuvar
from gateway.linkage.tables import LINKAGE
from gateway.logkeys import read_log_keys
from gateway.settings import load_settings
from tests.gateway import house as houses

KEPT = ("log.sqlite", "state.sqlite", "facts.sqlite", "keyset.json")


def run(*words, folder, code=0):
    result = CliRunner().invoke(cuvar, [*words, "--config", str(folder / "cuvar.toml")])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def empty(folder):
    """The same gateway on a new machine: its settings, its keys and the officers' public keys."""
    for path in folder.glob("*"):
        if path.name.startswith(KEPT):
            path.unlink()
    return folder


@pytest.fixture
def fresh(house_folder, tmp_path):
    return empty(houses.copy(house_folder, tmp_path / "fresh"))


@pytest.fixture
def kept(house_folder, tmp_path):
    run("backup", "create", str(tmp_path / "kept"), folder=house_folder)
    return tmp_path / "kept"


def test_a_backup_is_for_its_owner_only_and_without_the_logs_keys(kept, house_folder):
    files = [path for path in kept.rglob("*") if path.is_file()]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    secrets = [path.read_text() for path in (house_folder / "log-keys").glob("*.key")]
    assert secrets
    assert not any(s.split()[-1] in path.read_text("latin-1") for s in secrets for path in files)


def test_keys_of_logs_go_along_when_asked_and_it_says_so(house_folder, tmp_path):
    result = CliRunner().invoke(
        cuvar,
        [
            *("backup", "create", str(tmp_path / "all"), "--with-keys"),
            *("--config", str(house_folder / "cuvar.toml")),
        ],
    )
    assert "private keys" in result.stderr
    keys = tmp_path / "all/keys/log"
    assert {path.name for path in keys.iterdir()} == set(
        read_log_keys(load_settings(house_folder / "cuvar.toml"))
    )


def test_the_drill(kept, fresh):
    told = run("backup", "restore", str(kept), folder=fresh)
    assert "closed" in told
    followed = run("audit", "succeed", folder=fresh).splitlines()
    assert all(line.startswith("test.invalid/") for line in followed)
    url = load_settings(fresh / "cuvar.toml").log.url.get_secret_value()
    with open_snapshot(url) as snapshot:
        heads = [head for head in snapshot.heads() if not head.closed]
        first = parse_envelope(snapshot.entries(heads[0], 0, 1)[0].envelope)
    assert first.kind is Kind.CHECKPOINT_GAP
    assert first.status is Status.DONE
    run("audit", "verify", folder=fresh)


async def test_a_restored_gateway_answers_again_in_new_logs(kept, fresh, house_folder):
    await asyncio.to_thread(run, "backup", "restore", str(kept), folder=fresh)
    await asyncio.to_thread(run, "audit", "succeed", folder=fresh)
    async with houses.running(fresh) as house:
        token = house.token("HR-BP", "border_officer", strong=True)
        answer = await house.ask("count", {"owners": ["BA"]}, token=token)
        assert answer.status_code < 500
        assert (
            ".2026" in house.runtime.log.current("BA")
            or "." in (house.runtime.log.current("BA").rpartition("/")[2])
        )


def test_without_a_successor_no_gateway_starts_on_restored_logs(kept, fresh):
    run("backup", "restore", str(kept), folder=fresh)
    with pytest.raises(Exception, match="cuvar audit succeed"):
        start(fresh)


def start(folder):
    async def once():
        async with houses.running(folder):
            pass

    asyncio.run(once())


def test_a_backup_is_put_into_an_empty_place_only(kept, house_folder):
    with pytest.raises(Exception, match="empty place"):
        run("backup", "restore", str(kept), folder=house_folder)


@pytest.mark.parametrize("name", ["keys/keyset", "tables/state/case_number.jsonl"])
def test_a_changed_file_is_found_before_anything_is_put_in_place(kept, fresh, name):
    path = kept / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(KeepingError, match="changed"):
        check(kept)
    with pytest.raises(KeepingError, match="changed"):
        run("backup", "restore", str(kept), folder=fresh)
    assert not (fresh / "log.sqlite").exists()
    assert not (fresh / "keyset.json").exists()


def test_a_missing_and_an_added_file_are_found(kept):
    (kept / "keys/more").write_bytes(b"")
    with pytest.raises(KeepingError, match="not of this backup"):
        check(kept)


@pytest.mark.parametrize("change", ["made", "files", "escape"])
def test_a_manifest_that_create_would_not_write_is_refused(kept, change):
    document = json.loads((kept / "manifest.json").read_text())
    if change == "made":
        text = json.dumps(document)
    elif change == "files":
        text = json.dumps({**document, "files": {}}, separators=(",", ":")) + "x"
    else:
        document["files"]["../../etc/passwd"] = ["0" * 64, 1]
        text = json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n"
    (kept / "manifest.json").write_text(text)
    with pytest.raises(KeepingError, match="another backup"):
        read_manifest(kept)


def test_no_backup_is_written_over_another(kept, house_folder):
    with pytest.raises(KeepingError, match="exists"):
        run("backup", "create", str(kept), folder=house_folder)


def test_a_backup_that_fails_leaves_nothing(house_folder, tmp_path):
    (house_folder / "facts.sqlite").unlink()
    settings = load_settings(house_folder / "cuvar.toml")
    with pytest.raises(Exception, match="facts"):
        create(settings, house_folder / "cuvar.toml", tmp_path / "new")
    assert not list(tmp_path.glob("*new*"))


def test_rows_come_back_as_they_were(kept, fresh, house_folder):
    run("backup", "restore", str(kept), folder=fresh)
    for name in ("state.sqlite", "facts.sqlite"):
        with (
            closing(sqlite3.connect(house_folder / name)) as old,
            closing(sqlite3.connect(fresh / name)) as new,
        ):
            tables = [
                row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            for table in tables:
                sql = f"SELECT * FROM {table}"  # noqa: S608 - a name out of the catalogue
                # The blind index is in no backup: each nation sends its half again.
                kept_rows = [] if table in LINKAGE.tables else sorted(old.execute(sql))
                assert sorted(new.execute(sql)) == kept_rows


CHILD = """
import os, signal, sys
from pathlib import Path
import gateway.backup.restoring as restoring
from gateway.backup import restore
from gateway.settings import load_settings
name, folder, kept = sys.argv[1:]
def stop(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(restoring, name, stop)
restore(load_settings(Path(folder) / "cuvar.toml"), Path(kept))
"""


@pytest.mark.parametrize("stopped_at", ["holds_already", "restore_logs"])
def test_a_restore_that_was_killed_leaves_no_log_and_is_run_again(kept, fresh, stopped_at):
    words = [sys.executable, "-c", CHILD, stopped_at, str(fresh), str(kept)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert not (fresh / "log.sqlite").exists()
    settings = load_settings(fresh / "cuvar.toml")
    assert restore(settings, kept).report.logs
    assert restore(settings, kept).lines[-1] == "logs: were there from an earlier try"


def test_a_restore_beside_other_rows_is_refused(kept, fresh, house_folder):
    shutil.copy(house_folder / "state.sqlite", fresh / "state.sqlite")
    with closing(sqlite3.connect(fresh / "state.sqlite")) as con:
        con.execute("INSERT INTO suspended VALUES ('officer', 'x', 'y')")
        con.commit()
    with pytest.raises(KeepingError, match="other rows"):
        run("backup", "restore", str(kept), folder=fresh)
    assert not (fresh / "log.sqlite").exists()


def test_check_tells_a_backup_from_another(kept, house_folder):
    told = json.loads(run("backup", "check", str(kept), "--json", folder=house_folder))
    assert all(log["signature_checked"] for log in told["logs"])
    run("backup", "check", str(kept), "--digest", told["digest"], folder=house_folder)
    with pytest.raises(KeepingError, match="another backup"):
        run("backup", "check", str(kept), "--digest", "0" * 64, folder=house_folder)


def test_every_log_says_that_it_was_copied_how_far_and_into_which_backup(kept, house_folder):
    manifest = read_manifest(kept)
    with open_snapshot(str(house_folder / "log.sqlite")) as snapshot:
        for log, head in zip(manifest.logs, snapshot.heads(), strict=True):
            assert (head.origin, head.size) == (log.head.origin, log.head.size + 1)
            last = parse_envelope(snapshot.entries(head, head.size - 1, head.size)[0].envelope)
            assert (last.kind, last.correlation) == (Kind.BACKUP, manifest.digest)
            told = (last.link.log, last.link.size, last.link.root)
            assert told == (head.origin, log.head.size, log.head.root.hex())


def test_a_log_that_takes_no_entry_still_gets_its_backup_and_the_operator_is_told(
    house_folder, tmp_path
):
    with closing(sqlite3.connect(house_folder / "log.sqlite")) as con:
        con.execute(
            "CREATE TRIGGER full BEFORE INSERT ON log_entry BEGIN SELECT RAISE(FAIL, ''); END"
        )
        con.commit()
    with pytest.raises(KeepingError, match="no log says that it was made"):
        run("backup", "create", str(tmp_path / "kept"), folder=house_folder)
    assert check(tmp_path / "kept").logs
