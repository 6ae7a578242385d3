# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy keygen`, `sign` and `verify`, as a ministry runs them."""

import json
import shutil

import pytest
from click.testing import CliRunner

from gateway.cli import cuvar
from gateway.errors import GatewayError
from policies import PolicyError, example_rules
from tests.gateway import signing
from tests.gateway.small import COUNTRIES


def run(*arguments):
    return CliRunner().invoke(cuvar, ["policy", *map(str, arguments)])


def told(*arguments):
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_nine_countries_sign_a_folder_and_anyone_verifies_it(tmp_path):
    rules, keys = tmp_path / "rules", tmp_path / "keys"
    shutil.copytree(example_rules(), rules)
    assert set(signing.SIGNERS) == signing.vocabulary_signers()
    for signer in signing.SIGNERS:
        files = ("--private", keys / f"{signer}.key", "--public", keys / f"{signer}.pub")
        assert "keep" in told("keygen", signer, *files)
    dates = ("--version", "1", "--from", "2026-01-01", "--to", "2026-12-31")
    for place, country in enumerate(COUNTRIES):
        more = () if place else dates
        sign = ("sign", rules, "--part", "common", "--as", country, *more)
        assert f"{country} signed part common, version 1" in told(
            *sign, "--key", keys / f"{country}.key"
        )
    for part in signing.SIGNERS:
        made = json.loads(
            told("sign", rules, "--part", part, "--key", keys / f"{part}.key", *dates, "--json")
        )
        assert (made["part"], made["version"], made["to"]) == (part, 1, "2026-12-31")
    output = told("verify", rules, "--keys", keys, "--on", "2026-06-01")
    assert output.count("✓") == len(signing.SIGNERS) + 1
    assert "the set is signed and valid" in output
    late = run("verify", rules, "--keys", keys, "--on", "2027-01-01", "--json")
    assert late.exit_code == 1
    document = json.loads(late.output)
    assert not document["ok"]
    assert {(part["signed"], part["valid"]) for part in document["parts"]} == {(True, False)}


def test_verify_names_what_was_spoiled_and_exits_one(rules, rule_keys):
    path = rules / "RS/asking.csv"
    path.write_bytes(path.read_bytes().replace(b"unverified", b"verified", 1))
    done = run("verify", rules, "--keys", rule_keys)
    assert done.exit_code == 1
    assert "✕ RS: not signed as it must be" in done.output
    assert "✓ BA: version 1" in done.output
    assert "RS/asking.csv: is not as RS/manifest says" in done.output
    assert "THE SET IS NOT TO BE TAKEN" in done.output


def test_verify_takes_the_keys_that_a_gateway_pins(signed_folder, rules):
    assert "✓ common" in told("verify", rules, "--config", signed_folder / "cuvar.toml")


def test_a_folder_that_does_not_load_is_not_signed(rules, rule_keys):
    with (rules / "BA/rules.csv").open("a", encoding="utf-8") as file:
        file.write("BA-O99,nobody\n")
    before = (rules / "BA/manifest").read_bytes()
    done = run(
        *("sign", rules, "--part", "BA", "--key", rule_keys / "BA.key"),
        *("--version", "2", "--from", "2026-01-01"),
    )
    assert isinstance(done.exception, PolicyError)
    assert (rules / "BA/manifest").read_bytes() == before


def test_signing_for_another_country_is_refused(rules, rule_keys):
    arguments = ("--part", "BA", "--as", "HR", "--key", rule_keys / "HR.key")
    assert isinstance(run("sign", rules, *arguments).exception, GatewayError)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--part", "common"),
        ("--part", "BA", "--version", "2"),
        ("--part", "BA", "--from", "2026-01-01"),
        ("--part", "BA", "--to", "2026-01-01"),
    ],
)
def test_a_half_said_command_is_a_usage_error(rules, rule_keys, arguments):
    done = run("sign", rules, *arguments, "--key", rule_keys / "BA.key")
    assert done.exit_code == 2
    assert "--" in done.output


def test_verify_wants_exactly_one_source_of_keys(rules, rule_keys, house_folder):
    assert run("verify", rules).exit_code == 2
    assert run("verify", rules, "--config", house_folder / "cuvar.toml").exit_code == 2


def test_verify_with_one_countrys_key_alone_does_not_pass_the_others(rules, rule_keys, tmp_path):
    """Parts that hold are not enough: what nobody answers for lies in the folder too."""
    keys = tmp_path / "one"
    keys.mkdir()
    shutil.copy(rule_keys / "BA.pub", keys / "BA.pub")
    done = run("verify", rules, "--keys", keys)
    assert done.exit_code == 1
    assert "RS/rules.csv: belongs to nobody" in done.output
    assert "NOT TO BE TAKEN" in done.output


def test_check_looks_at_signatures_when_it_is_given_keys(rules, rule_keys):
    whole = run("check", rules, "--keys", rule_keys)
    assert whole.exit_code == 0, whole.output
    assert f"signatures hold for {len(signing.SIGNERS) + 1} parts" in whole.output
    path = rules / "RS/asking.csv"
    path.write_bytes(path.read_bytes().replace(b"unverified", b"verified", 1))
    broken = run("check", rules, "--keys", rule_keys)
    assert broken.exit_code == 1
    assert "RS/manifest" in broken.output
    assert "signatures do not hold" in broken.output
    assert run("check", rules, "--unsigned").exit_code == 0


def test_a_signature_names_the_key_that_made_it(rules, rule_keys, tmp_path):
    made = told("keygen", "BA", "--private", tmp_path / "a.key", "--public", tmp_path / "a.pub")
    mark = made.partition("the key is ")[2].partition(":")[0]
    dates = ("--version", "2", "--from", "2026-01-01")
    by = told("sign", rules, "--part", "BA", "--key", tmp_path / "a.key", *dates)
    assert f"with the key {mark}" in by
    other = told("sign", rules, "--part", "BA", "--key", rule_keys / "BA.key")
    assert "with the key " in other
    assert mark not in other
