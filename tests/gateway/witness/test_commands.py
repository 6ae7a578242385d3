# SPDX-License-Identifier: EUPL-1.2
"""`cuvar witness …`, from an empty folder to exported evidence."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit import AuditError, NoteVerifier, WitnessError
from audit.evidence import check_evidence
from audit.witness import origin_digest
from gateway.commands.witness import witness
from gateway.witness.serving import WitnessFolder
from tests.audit.making import ORIGIN, SIGNER
from tests.audit.witnessing import LOG, Tree

TREE, FORK = Tree(), Tree(fork=3)
ROOT = Path(__file__).parents[3]
NAME = "witness.dpa.example/BA"


def run(*arguments):
    return CliRunner().invoke(witness, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "w"
    assert run("keygen", NAME, folder).exit_code == 0
    return folder


@pytest.mark.parametrize("options", [[], ["--mldsa"]])
def test_a_witness_is_made_and_tells_its_keys(tmp_path, options):
    told = run("keygen", NAME, tmp_path / "w", *options).stdout.split()
    kinds = [NoteVerifier.parse(vkey).kind for vkey in told]
    assert kinds == ([4, 6] if options else [4])
    assert run("vkey", tmp_path / "w").stdout.split() == told
    assert json.loads(run("vkey", tmp_path / "w", "--json").stdout) == {"name": NAME, "vkeys": told}
    with pytest.raises(AuditError, match="exists"):
        run("keygen", NAME, tmp_path / "w")


def test_trust_is_listed_and_added(made):
    assert "no log is trusted yet" in run("trust", made).stderr
    assert run("trust", made, LOG.vkey).stdout == f"log {LOG.vkey}\n"
    told = json.loads(run("trust", made, SIGNER.vkey, "--country", "--json").stdout)
    assert [row["name"] for row in told] == [LOG.name, "audit.example/BA"]
    assert len(json.loads(run("trust", made, LOG.vkey, "--json").stdout)) == 2, (
        "run twice, added once"
    )
    for bad in (["nonsense"], [LOG.vkey[:-4]]):
        with pytest.raises(AuditError):
            run("trust", made, *bad)
    assert len(json.loads(run("trust", made, "--json").stdout)) == 2


def test_the_key_of_one_half_year_trusts_the_country_for_all(made):
    run("trust", made, SIGNER.vkey, "--country")
    with WitnessFolder(made).app(prefix="", tell=print) as app:
        verifiers = app._trusted.current().verifiers
        assert verifiers(ORIGIN) == (SIGNER.verifier,)
        assert verifiers(ORIGIN.replace("2026h2", "2027h1"))


def refuse(made):
    run("trust", made, LOG.vkey)
    with WitnessFolder(made).app(prefix="", tell=print) as app:
        app._witness.add_checkpoint(TREE.submission(0, 9))
        app._witness.add_checkpoint(FORK.submission(9, 9))
        app._witness.add_checkpoint(FORK.submission(9, 13))


def test_what_was_cosigned_and_refused_is_listed_and_exported(made, tmp_path):
    refuse(made)
    (row,) = json.loads(run("list", made, "--json").stdout)
    assert (row["origin"], row["size"], row["root"]) == (LOG.name, 9, TREE.root(9).hex())
    assert LOG.name in run("list", made).stdout
    kinds = [row["kind"] for row in json.loads(run("evidence", made, "--json").stdout)]
    assert kinds == ["fork", "unproven"]
    assert re.search(r"1 .*fork .*9 .*audit\.example/test", run("evidence", made).stdout)
    run("evidence", made, "--number", 1, "-o", tmp_path / "fork")
    assert check_evidence((tmp_path / "fork").read_bytes(), LOG.verifier).first.size == 9
    run("evidence", made, "--number", 2, "-o", tmp_path / "other")
    data = (tmp_path / "other").read_bytes()
    assert data.startswith(FORK.submission(9, 13))
    assert TREE.note(9).encode() in data


def test_an_export_needs_a_number_that_is_there_and_a_file_that_is_not(made, tmp_path):
    refuse(made)
    (tmp_path / "there").touch()
    for arguments in (("9", tmp_path / "x"), ("1", tmp_path / "there")):
        with pytest.raises(WitnessError):
            run("evidence", made, "--number", arguments[0], "-o", arguments[1])
    with pytest.raises(WitnessError, match="-o"):
        run("evidence", made, "--number", "1")


@pytest.mark.parametrize(
    "options", [["--prefix", "w"], ["--prefix", "/w/"], ["--certificate", __file__]]
)
def test_serve_refuses_options_that_make_no_sense(made, options):
    with pytest.raises(WitnessError):
        run("serve", made, *options)


def test_the_service_runs_answers_and_stops_when_told(made, unused_tcp_port):
    run("trust", made, LOG.vkey)
    command = [sys.executable, "-c", "from gateway.commands.witness import witness; witness()"]
    command += ["serve", str(made), "--port", str(unused_tcp_port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert "witness on 127.0.0.1" in process.stderr.readline()
        base = f"http://127.0.0.1:{unused_tcp_port}"
        answer = ask_until_there(f"{base}/add-checkpoint", TREE.submission(0, 9))
        assert answer.startswith(f"\u2014 {NAME} ")
        shown = ask_until_there(f"{base}/{origin_digest(LOG.name)}/checkpoint")
        assert shown == TREE.note(9) + answer
        process.send_signal(signal.SIGTERM)
        process.wait()
    assert process.returncode in (0, -signal.SIGTERM)


def ask_until_there(url, data=None):
    while True:
        try:
            with urllib.request.urlopen(url, data) as answer:  # noqa: S310 - loopback
                return answer.read().decode()
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            continue
