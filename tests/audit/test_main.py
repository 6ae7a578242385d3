# SPDX-License-Identifier: EUPL-1.2
"""`python -m audit` as an officer or a court would run it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from audit import Journal, Sealer, create_dpo_key, read_public_key
from audit.__main__ import main
from audit.store import sqlite_path
from tests.audit.making import KEY as KEY_BA
from tests.audit.making import NOON, ORIGIN, SIGNER, Clock, opened, plain, sealed

KEY = ("--vkey", SIGNER.vkey, "--origin", ORIGIN)
DETAIL = b"officer 17 asked about person 4711"


@pytest.fixture
def kept(sqlite_place, tmp_path):
    """A log of an opening and two entries; a DPO's key, checkpoint, receipt, entry in files."""
    create_dpo_key(tmp_path / "ba.key", tmp_path / "ba.pub", "BA")
    sealer = Sealer({"BA": read_public_key(tmp_path / "ba.pub")}, Clock())

    Path(sqlite_path(sqlite_place.url)).unlink()
    Journal.create(sqlite_place.url, keys={"BA": KEY_BA}, now=NOON)

    async def write():
        async with opened(sqlite_place.url) as log:
            await log.append([plain(), sealed(sealer, DETAIL, ("BA",))])
            (tmp_path / "checkpoint").write_text(await log.checkpoint(), encoding="utf-8")
            (tmp_path / "receipt").write_text(await log.receipt(2), encoding="utf-8")
            (tmp_path / "entry").write_bytes((await log.read(2, 3))[0].envelope)

    asyncio.run(write())
    return sqlite_place


def test_a_whole_log_exits_with_0(kept, tmp_path, capsys):
    path = sqlite_path(kept.url)
    assert main(["verify", path, *KEY, "--checkpoint", str(tmp_path / "checkpoint")]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"whole: {ORIGIN}, 3 entries, 0 erased details, root ")


def test_a_changed_log_exits_with_1_and_names_the_entry(kept, capsys):
    kept.execute("UPDATE log_entry SET envelope = zeroblob(9) WHERE pos = 1")
    assert main(["verify", kept.url, *KEY]) == 1
    told = capsys.readouterr().out
    assert told.startswith("entry 1: the envelope is not ASCII JSON")
    assert f"NOT WHOLE: {ORIGIN}, 3 entries" in told
    assert main(["verify", kept.url, *KEY, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["size"], told["findings"][0]["index"]) == (False, 3, 1)


def test_a_command_that_cannot_run_exits_with_2(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "absent"), *KEY]) == 2
    assert "there is no log at" in capsys.readouterr().err
    assert main(["verify", "x", *KEY, "--checkpoint", str(tmp_path / "absent")]) == 2


def test_the_verifier_runs_alone_in_a_process_of_its_own(kept):
    command = [sys.executable, "-m", "audit", "verify", sqlite_path(kept.url), *KEY]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_officer_opens_a_detail(kept, tmp_path, capsysbinary):
    assert main(["open", kept.url, "2", "--key", str(tmp_path / "ba.key")]) == 0
    assert capsysbinary.readouterr().out == DETAIL


def test_another_officer_does_not(kept, tmp_path, capsys):
    assert main(["keygen", "HR", str(tmp_path / "hr.key"), str(tmp_path / "hr.pub")]) == 0
    assert "keep" in capsys.readouterr().out
    assert main(["open", kept.url, "2", "--key", str(tmp_path / "hr.key")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "none of this detail's recipients" in told.err


@pytest.mark.parametrize(("index", "message"), [("0", "no detail"), ("7", "no readable entry")])
def test_there_is_nothing_to_open(kept, tmp_path, capsys, index, message):
    assert main(["open", kept.url, index, "--key", str(tmp_path / "ba.key")]) == 2
    assert message in capsys.readouterr().err


def test_a_detail_that_the_envelope_does_not_name_is_not_shown(kept, tmp_path, capsys):
    kept.execute("UPDATE log_detail SET salt = zeroblob(32)")
    assert main(["open", kept.url, "2", "--key", str(tmp_path / "ba.key")]) == 2
    assert "verify the log" in capsys.readouterr().err


def test_a_receipt_is_checked_against_the_entry_or_its_hash(kept, tmp_path, capsys):
    receipt = ["receipt", str(tmp_path / "receipt"), *KEY]
    assert main([*receipt, "--envelope", str(tmp_path / "entry")]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"entry 2 stands in {ORIGIN} at size 3; witnesses were not looked at")
    assert main([*receipt, "--leaf", "00" * 32]) == 1
    with pytest.raises(SystemExit):
        main([*receipt, "--leaf", "00"])
