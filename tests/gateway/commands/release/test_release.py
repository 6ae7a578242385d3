# SPDX-License-Identifier: EUPL-1.2
"""`cuvar release` as it is typed: from a table to a copy that the log knows, or to none."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymise.errors import AttackError, GateError, ReleaseExtraError
from anonymise.release.placing import digest
from audit.copies import open_copy, origins
from gateway.cli import cuvar
from gateway.opening import utc_now
from gateway.releases import MOST_RISK, ReleaseOrderError
from gateway.settings import load_settings
from tests.anonymise.release import making
from tests.environments import environment
from tests.gateway.house import copy

ADULT = Path(__file__).parents[4] / "bench/data/adult"
QUASI = "sex,age,race,marital-status,education,native-country,workclass,occupation"
SOON = f"{utc_now() + timedelta(days=200):%Y-%m-%d}"


def call(*arguments, code=0, error=None):
    done = CliRunner().invoke(cuvar, ["release", *map(str, arguments)])
    if error is not None:
        assert isinstance(done.exception, error), (done.output, done.exception)
        return str(done.exception)
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def create(folder, name, *options, rows=6000):
    """A draft of Adult's first rows."""
    lines = (ADULT / "adult.csv").read_text(encoding="utf-8").splitlines()[: rows + 1]
    (folder / "table.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return call(
        *("create", folder / "table.csv", "--hierarchies", ADULT / "hierarchies"),
        *("--quasi-identifiers", QUASI, "--sensitive", "salary-class", "--steps", "0.1"),
        *("--out", folder / name, *options),
    )


def ordered(draft, out, folder, **more):
    options = {
        "owner": "BA",
        "recipient": "UNHCR",
        "expires": SOON,
        "ordered-by": "Canary Officer",
        "file-no": "R 7/26",
        "out": out,
        "config": folder / "cuvar.toml",
    } | more
    return ("publish", draft, *(part for n, v in options.items() for part in (f"--{n}", v)))


@pytest.fixture
def house(house_template, tmp_path):
    return copy(house_template, tmp_path / "house")


def shown(house, entry):
    """An entry with its detail, as BA's data-protection officer opens it."""
    told = CliRunner().invoke(
        cuvar,
        [
            *("audit", "show", entry, "--json", "--key", str(house / "dpo/BA.key")),
            *("--config", str(house / "cuvar.toml")),
        ],
    )
    assert told.exit_code == 0, (told.output, told.exception)
    document = json.loads(told.stdout)
    return document, document.pop("opened")


def recorded(house):
    """Entries of kind export in any log."""
    place = load_settings(house / "cuvar.toml").log.url.get_secret_value()
    found = []
    for origin in origins(place):
        with open_copy(place, origin) as log:
            found += [row for row in log.rows(0, log.count()) if b'"kind":"export"' in row.envelope]
    return found


@pytest.mark.long
def test_a_release_that_passes_is_recorded_and_then_published(house, tmp_path):
    # In a smaller table the attacks are too few to be sure of so little.
    create(tmp_path, "draft.csv", "--k", "50", "--l", "2", rows=30_000)
    out = tmp_path / "for-unhcr.csv"
    order = ordered(tmp_path / "draft.csv", out, house, table=tmp_path / "table.csv")
    told = json.loads(call(*order, "--json"))
    assert told["sha256"] == digest(out)
    assert f"entry={told['entry']}" in out.read_text(encoding="utf-8").splitlines()[0]
    envelope, detail = shown(house, told["entries"][0])
    assert len(recorded(house)) == 1
    assert (envelope["kind"], envelope["op"], envelope["id"]) == (
        "export",
        "transfer",
        told["entry"],
    )
    assert envelope["requester"] == {"country": "INT", "org": "UNHCR", "role": None}
    assert envelope["owner"]["country"] == "BA"
    assert envelope["count"] == told["rows"]
    assert "Canary" not in json.dumps(envelope)
    assert detail["ordered_by"] == "Canary Officer"
    assert detail["copy"] == told["sha256"]
    assert detail["expires"] == SOON
    kept = tmp_path / "draft.csv.kept"
    assert detail["table"] == digest(tmp_path / "table.csv")
    assert detail["kept"] == {
        name: digest(kept / f"{name}.csv") for name in ("known", "shown", "control")
    }
    assert detail["attacker"]["version"] == "1.1.0"
    assert detail["attacker"]["python"] == digest(environment("anonymeter").resolve())
    assert [one["name"] for one in detail["attacks"]] == [
        "singling_out",
        "linkability",
        "inference",
    ]
    traced = json.loads(call("trace", out, "--draft", tmp_path / "draft.csv", "--json"))
    assert [(one["recipient"], one["sure"]) for one in traced] == [("UNHCR", True)]
    page = (tmp_path / "draft.csv.html").read_text(encoding="utf-8")
    assert "It passes the gate" in page


@pytest.mark.long
def test_a_release_that_fails_the_attacks_is_neither_published_nor_recorded(house, tmp_path):
    create(tmp_path, "draft.csv", "--k", "5", "--l", "2", "--most-risk", "0.05")
    out = tmp_path / "copy.csv"
    said = call(*ordered(tmp_path / "draft.csv", out, house), error=GateError)
    assert "inference succeeds up to" in said
    assert not out.exists()
    assert recorded(house) == []


@pytest.mark.long
def test_the_risk_that_is_allowed_when_nobody_says_another_stops_a_draft(tmp_path):
    create(tmp_path, "draft.csv", "--k", "2")
    told = json.loads(call("check", tmp_path / "draft.csv", "--json", code=1))
    assert any("inference succeeds up to" in one for one in told["missed"])
    assert max(one["high"] for one in told["attacks"]) > MOST_RISK


def test_too_few_attempts_are_no_result_and_no_result_does_not_pass(tmp_path):
    create(tmp_path, "draft.csv", "--k", "10", "--control", "30")
    told = json.loads(call("check", tmp_path / "draft.csv", "--json", code=1))
    assert not told["passes"]
    assert len(told["missed"]) == 3
    assert all("no result" in one for one in told["missed"])


def test_without_anonymeter_nothing_passes(house, tmp_path):
    making.made(tmp_path, k=5, l=2)
    out = tmp_path / "copy.csv"
    with (house / "cuvar.toml").open("a", encoding="utf-8") as file:
        file.write('\n[releases]\nanonymeter = "none/bin/python"\n')
    order = ordered(tmp_path / "out.csv", out, house)
    assert "pip install anonymeter" in call(*order, error=AttackError)
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("owner", "XX", "no such country"),
        ("recipient", "ACME", "no organisation of the rules"),
        ("purpose", "marketing", "no such purpose"),
        ("expires", "2020-01-01", "a day to come"),
        ("expires", "2099-01-01", "within two years"),
    ],
)
def test_an_order_that_the_rules_do_not_know_is_refused(house, tmp_path, option, value, words):
    order = ordered(tmp_path / "draft.csv", tmp_path / "copy.csv", house, **{option: value})
    assert words in call(*order, error=ReleaseOrderError)


def test_what_will_not_be_published_is_told_when_it_is_made_and_refused_before_any_attack(
    house, tmp_path
):
    making.table(tmp_path / "table.csv")
    with (house / "cuvar.toml").open("a", encoding="utf-8") as file:
        file.write('\n[releases]\nwithin = ["nationality"]\nsensitive = ["needs"]\n')
    made = CliRunner().invoke(
        cuvar,
        [
            *("release", "create", str(tmp_path / "table.csv"), "--quasi-identifiers", "age,sex"),
            *("--hierarchies", str(making.hierarchies(tmp_path / "h")), "--within", "needs"),
            *("--k", "5", "--out", str(tmp_path / "w.csv"), "--config", str(house / "cuvar.toml")),
        ],
    )
    assert made.exit_code == 0, (made.output, made.exception)
    assert "publish will refuse this: column needs is published exactly" in made.stderr
    out = tmp_path / "copy.csv"
    said = call(*ordered(tmp_path / "w.csv", out, house), error=ReleaseOrderError)
    assert "published exactly" in said
    assert "needs is sensitive" in said
    assert not out.exists()


def test_create_tells_what_was_made_and_what_comes_next(tmp_path):
    told = create(tmp_path, "draft.csv", "--k", "10", "--l", "2")
    assert "found in the file: k 1" in told
    assert "300 held back" in told
    assert "cuvar release check" in told


@pytest.mark.parametrize("option", [("recipient", "EUROPOL"), ("purpose", "border_check")])
def test_only_those_whom_the_rules_give_tables_get_a_release(house, tmp_path, option):
    order = ordered(tmp_path / "draft.csv", tmp_path / "copy.csv", house, **dict([option]))
    assert "whom the rules give tables" in call(*order, error=ReleaseOrderError)


def test_a_release_for_which_spark_is_wanted_and_not_there_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.commands.release.create.SPARK", tmp_path / "none/bin/python")
    making.table(tmp_path / "table.csv")
    said = call(
        *("create", tmp_path / "table.csv", "--hierarchies", making.hierarchies(tmp_path / "h")),
        *("--quasi-identifiers", "age,sex", "--k", "5", "--engine", "spark"),
        *("--out", tmp_path / "draft.csv"),
        error=ReleaseExtraError,
    )
    assert "make .venv/spark.done" in said
    assert not (tmp_path / "draft.csv").exists()
