# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy agreements`: what counts on a day, in words and as JSON."""

import json

from click.testing import CliRunner

from gateway.cli import cuvar


def run(*arguments):
    done = CliRunner().invoke(cuvar, ["policy", "agreements", *arguments])
    return done.exit_code, done.output


def test_a_pair_is_shown_with_clocks_and_contacts():
    code, told = run("--pair", "AT,RS", "--on", "2026-11-24")
    assert code == 0
    assert "RDM-RS-AT-EC: readmission, RS and AT: in force" in told
    assert "reply 10d" in told
    assert "silence means agreed" in told
    assert "contact: RS-RA + AT-RA" in told
    assert "RDM-AT-RS-P: readmission, AT and RS: not certain" in told


def test_the_day_decides():
    _, before = run("--pair", "RS,AT", "--on", "2003-01-01", "--json")
    _, after = run("--pair", "RS,AT", "--on", "2026-11-24", "--json")
    standing = [{row["id"]: row["in_force"] for row in json.loads(t)} for t in (before, after)]
    assert standing[0]["RDM-RS-AT-EC"] == "false"
    assert standing[1]["RDM-RS-AT-EC"] == "true"


def test_a_pair_is_two_parties():
    code, told = run("--pair", "RS")
    assert code == 2
    assert "name two parties" in told
