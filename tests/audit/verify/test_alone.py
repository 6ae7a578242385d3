# SPDX-License-Identifier: EUPL-1.2
"""`python -m audit.verify` where nothing but Python, cryptography and this package stands."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit.copies import open_copy
from audit.publish import publish
from audit.verify.__main__ import main
from audit.verify.chain import UNOPENED
from tests.audit.making import ORIGIN, SIGNER, STRANGER, VECTORS
from tests.audit.tampering import execute
from tests.audit.witnessing import cosigner

ROOT = Path(__file__).parent.parent.parent.parent
OLD = VECTORS / "format1"
VKEY = (OLD / "vkey").read_text(encoding="ascii").strip()
# Refuses every module that is neither of the standard library nor cryptography nor audit, and
# every socket; then runs what it is told as `python -m audit.verify`.
ALONE = """
import runpy, sys
allowed = sys.stdlib_module_names | {"audit", "cryptography", "cffi", "_cffi_backend", "pycparser"}
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ImportError(f"{name} is not allowed here")
sys.meta_path.insert(0, Refusing())
sys.addaudithook(lambda event, args: sys.exit(f"{event}") if event.startswith("socket.") else None)
runpy.run_module("audit.verify", run_name="__main__", alter_sys=True)
"""
GUARD, _, RUN = ALONE.partition("runpy.run_module")
RUN = f"runpy.run_module{RUN}"
# Every log is long enough for other processes, and it is told when they found a stretch clean.
AHEAD = """
import audit.verify.checking as checking, audit.verify.ahead as ahead
checking.Lookahead = lambda: ahead.Lookahead(2, 256, 0)
other = ahead._Other.answer
def answer(self):
    found = other(self)
    sys.stderr.write("clean" if found else "no")
    return found
ahead._Other.answer = answer
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with nothing but the package, a published log, and what an authority keeps."""
    here = tmp_path_factory.mktemp("court")
    shutil.copytree(ROOT / "audit", here / "audit", ignore=shutil.ignore_patterns("__pycache__"))
    with open_copy(str(OLD / "log.sqlite")) as copy:
        publish(copy, here / "public", SIGNER.verifier, details=True)
    for kept in ("checkpoint-200", "204.tlog-proof", "204.entry", "log.sqlite"):
        shutil.copy(OLD / kept, here / kept)
    return here


def alone(folder, *words, code=ALONE, **more):
    command = [sys.executable, "-B", "-c", code, *words]
    env = {"PATH": "", **more}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env)


@pytest.mark.parametrize("place", ["public", "log.sqlite"])
def test_a_log_is_checked_with_nothing_else_installed(folder, place):
    done = alone(folder, place, "--vkey", VKEY, "--checkpoint", "checkpoint-200")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"whole: {ORIGIN}, 301 entries, 3 erased details, root ")


def test_processes_that_look_ahead_need_nothing_else_either(tmp_path, folder, master):
    """Python runs the guard at the start of each process."""
    note = f"allowed |= {{'sitecustomize', 'usercustomize'}}\nopen({str(tmp_path / 'on')!r}, 'a')"
    (tmp_path / "sitecustomize.py").write_text(f"{GUARD}{note}.write('x')\n", encoding="utf-8")
    code, words = GUARD + AHEAD + RUN, (str(master[0]), "--vkey", SIGNER.vkey)
    done = alone(folder, *words, code=code, PYTHONPATH=str(tmp_path))
    assert done.stderr == "clean" * 2
    assert done.stdout.startswith(f"entry 0: {UNOPENED}\nNOT WHOLE: {ORIGIN}, 600 entries")
    assert (tmp_path / "on").read_text(encoding="utf-8") == "xxx"


def test_a_receipt_is_checked_with_nothing_else_installed(folder):
    words = ("receipt", "204.tlog-proof", "--vkey", VKEY)
    done = alone(folder, *words, "--envelope", "204.entry")
    assert (done.returncode, done.stderr) == (0, "")
    told = f"entry 204 stands in {ORIGIN} at size 301; witnesses were not looked at:"
    assert done.stdout.startswith(told)


def test_the_guard_itself_refuses_other_packages_and_the_network(folder):
    for code in ("import click", "import socket; socket.socket()"):
        here = folder / "audit" / "verify" / "__main__.py"
        good = here.read_text(encoding="utf-8")
        try:
            here.write_text(code + "\n" + good, encoding="utf-8")
            assert alone(folder, "public", "--vkey", VKEY).returncode != 0
        finally:
            here.write_text(good, encoding="utf-8")


@pytest.fixture
def court(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys, *words):
    status = main([*words, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_0_is_a_whole_log(court, capsys):
    status, report = told(capsys, "public", "--vkey", VKEY)
    assert (status, report["ok"], report["size"], report["status"]) == (0, True, 301, 0)


def test_1_is_a_log_that_is_not_whole_and_names_the_first_wrong_entry(court, capsys):
    bundle = court / "public/tile/entries/000"
    data = bundle.read_bytes()
    for place in (100_000, 50_000):
        data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    bundle.write_bytes(data)
    status, report = told(capsys, "public", "--vkey", VKEY)
    assert status == 1
    indices = [f["index"] for f in report["findings"] if f["index"] is not None]
    assert indices == sorted(indices)
    assert len(set(indices)) == 2
    assert main(["public", "--vkey", VKEY]) == 1
    assert capsys.readouterr().out.startswith(f"entry {indices[0]}: ")


def test_2_is_a_command_that_cannot_be_run(court, capsys):
    for words in (
        ["absent", "--vkey", VKEY],
        ["public", "--vkey", "x"],
        ["public", "--vkey", VKEY, "--checkpoint", "absent"],
        ["public", "--vkey", VKEY, "--policy", "checkpoint-200"],
        ["public", "--vkey", VKEY, "--vkey", VKEY, "--origin", "x"],
        ["receipt", "absent", "--vkey", VKEY, "--leaf", "00" * 32],
    ):
        assert main(words) == 2, words
        assert capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        main(["public"])
    assert usage.value.code == 2


SPOILT = {
    "empty": lambda _note: b"",
    "no note": lambda _note: b"x\n",
    "a mark before it": lambda note: b"\xef\xbb\xbf" + note,
    "carriage returns": lambda note: note.replace(b"\n", b"\r\n"),
    "cut off": lambda note: note[:-1],
    "not text": lambda note: b"\xff" + note,
    "of a log that was not handed over": lambda note: note.replace(b"/BA/", b"/HR/"),
}


@pytest.mark.parametrize("keys", [1, 2])
@pytest.mark.parametrize("how", SPOILT)
def test_a_kept_checkpoint_that_fits_no_log_is_never_passed_over(court, capsys, how, keys):
    note = (court / "checkpoint-200").read_bytes()
    (court / "kept").write_bytes(SPOILT[how](note))
    words = ["public", *(["--vkey", VKEY] * keys), "--checkpoint", "kept"]
    assert main(words) == 2
    assert capsys.readouterr().err


def test_3_is_a_log_that_too_few_witnesses_saw(court, capsys):
    policy = f"witness w1 {cosigner(1).verifiers[0].vkey}\nquorum w1\n"
    (court / "policy").write_text(policy, encoding="utf-8")
    status, report = told(capsys, "public", "--vkey", VKEY, "--policy", "policy")
    assert (status, report["findings"][0]["fault"]) == (3, "witness")
    words = ("receipt", "204.tlog-proof", "--envelope", "204.entry", "--vkey", VKEY)
    status, report = told(capsys, *words, "--policy", "policy")
    assert (status, report["ok"], report["witnesses"]) == (3, False, [])


def test_4_is_a_log_whose_details_are_gone(court, capsys):
    execute(court / "log.sqlite", "DELETE FROM log_detail WHERE idx = 213")
    status, report = told(capsys, "log.sqlite", "--vkey", VKEY)
    assert (status, report["findings"][0]["fault"]) == (4, "detail")


def test_what_is_graver_decides_the_status(court, capsys):
    execute(court / "log.sqlite", "DELETE FROM log_detail WHERE idx = 213", "DELETE FROM log_tile")
    assert told(capsys, "log.sqlite", "--vkey", VKEY)[0] == 1


def test_details_that_a_copy_lacks_are_counted_and_no_fault(court, capsys):
    shutil.rmtree(court / "public/details")
    status, report = told(capsys, "public", "--vkey", VKEY)
    assert (status, report["unchecked"]) == (0, 20)


def test_a_receipt_of_another_entry_or_key_proves_nothing(court, capsys):
    words = ["receipt", "204.tlog-proof", "--leaf", "00" * 32]
    status, report = told(capsys, *words, "--vkey", VKEY)
    assert (status, report["ok"]) == (1, False)
    words = ["receipt", "204.tlog-proof", "--envelope", "204.entry"]
    assert told(capsys, *words, "--vkey", STRANGER.vkey)[0] == 1


def test_python_m_audit_hands_over_to_the_verifier(court, capsys):
    from audit.__main__ import main as other

    assert other(["verify", "public", "--vkey", VKEY]) == 0
    words = ["receipt", "204.tlog-proof", "--envelope", "204.entry", "--vkey", VKEY]
    assert other(words) == 0
    assert "entry 204 stands" in capsys.readouterr().out
