# SPDX-License-Identifier: EUPL-1.2
"""`cuvar index …` and `cuvar keyholder …` as they are typed, on the registers of a house."""

import json
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymise.domain import epoch_after, epoch_of
from anonymise.keyring.document import Work
from anonymise.keyring.file_vault import FileVault
from anonymise.linkage.keyfile import create_nations_key
from gateway.cli import cuvar
from tests.anonymise.backends import CHEAP
from tests.gateway import house as houses
from tests.gateway.small import COUNTRIES, OTHER, PERSON, SURROGATES, change

WORDS = "only for the tests"
EPOCH = epoch_of(houses.today())
NEXT = epoch_after(EPOCH)
PAGES = Path(__file__).parents[4] / "docs/linkage"


@pytest.fixture
def at(house_folder, monkeypatch):
    """A house whose keyset opens quickly, as the working folder."""
    (house_folder / "keyset.json").unlink()
    FileVault.create(house_folder / "keyset.json", WORDS, COUNTRIES, work=CHEAP)
    create_nations_key(house_folder / "nations.key", WORDS, work=Work(n=1 << 14))
    monkeypatch.chdir(house_folder)
    monkeypatch.setenv("CUVAR_CONFIG", str(house_folder / "cuvar.toml"))
    monkeypatch.setenv("CUVAR_NATIONS_PASSPHRASE", WORDS)
    return house_folder


def run(line, *, code=0):
    found = CliRunner().invoke(cuvar, shlex.split(line))
    if code == 0:
        assert found.exit_code == 0, (line, found.output, found.exception)
        return found.stdout
    assert found.exit_code != 0, line
    return str(found.exception)


def test_a_year_of_an_index_on_the_command_line(at):
    assert EPOCH in run("index rotate")
    built = json.loads(run("index build BA --nations-key nations.key --out BA.index --json"))
    assert (built["country"], built["epoch"], built["persons"]) == ("BA", EPOCH, 2)
    loaded = json.loads(run("index load BA.index --json"))
    assert (loaded["country"], loaded["sha256"]) == ("BA", built["sha256"])
    lines = {line["country"]: line for line in json.loads(run("index status --json"))}
    assert set(lines) == set(COUNTRIES)
    assert (lines["BA"]["load"]["digest"], lines["RS"]["load"]) == (built["sha256"], None)
    assert "rows" not in json.dumps(lines)
    assert "persons" not in json.dumps(lines)
    told = run(f"index erase BA --surrogate {SURROGATES[PERSON]}")
    assert told.strip() == "BA: 1 persons are out"
    change(at / "region/registers/BA.sqlite", "persons", OTHER, t_retain_until="2001-01-01")
    assert json.loads(run("index erase BA --gone --json")) == {"country": "BA", "persons": 1}
    run("index rotate")
    assert "BA did not send" in run("index rotate --finish", code=2)
    assert EPOCH in run("index rotate --finish --without BA")
    with closing(sqlite3.connect(at / "state.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM link_row").fetchone() == (0,)


def test_building_takes_no_key_of_the_gateway_and_loading_none_of_the_nations(at):
    (at / "keyset.json").rename(at / "keyset.elsewhere")
    (at / "log.sqlite").rename(at / "log.elsewhere")
    (at / "state.sqlite").rename(at / "state.elsewhere")
    run("index build BA --nations-key nations.key --out BA.index")
    for name in ("keyset.json", "log.sqlite", "state.sqlite"):
        (at / name.split(".")[0]).with_suffix(".elsewhere").rename(at / name)
    (at / "nations.key").unlink()
    run("index rotate")
    run("index load BA.index")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("index build BA --out x.index", "--nations-key"),
        ("index build BA --nations-key nations.key --client x --out x.index", "--nations-key"),
        ("index build XX --nations-key nations.key --out x.index", "no register of XX"),
        ("index build BA --nations-key cuvar.toml --out x.index", "cuvar.toml"),
        ("index load cuvar.toml", "no index file"),
        ("index erase BA", "--surrogate"),
        ("index erase BA --gone --all", "--surrogate"),
        ("index erase BA --surrogate 11", "32 hex digits"),
        ("index erase BA --gone", "no index here"),
        ("index key check nations.key --passphrase-file nowhere", "nowhere"),
        ("keyholder serve holder --certificate cuvar.toml", "both"),
        ("keyholder serve holder --prefix x/", "slash"),
        ("keyholder status holder", "keyholder init"),
    ],
)
def test_a_refusal_says_what_to_do(at, line, told):
    assert told in run(line, code=2)
    assert not (at / "x.index").exists()


def test_a_key_holders_folder_on_the_command_line(at):
    run(f"keyholder init holder --epoch {EPOCH}")
    run("keyholder admit holder BA --out BA.client")
    run("keyholder open holder 2031q1")
    assert json.loads(run("keyholder status holder --json")) == {
        "epochs": [EPOCH, "2031q1"],
        "nations": ["BA"],
    }
    run("keyholder close holder 2031q1")
    run("keyholder dismiss holder BA")
    assert "not admitted" in run("keyholder dismiss holder BA", code=2)
    assert "nations: none" in run("keyholder status holder")


def commands_of(page):
    text = (PAGES / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("cuvar ")]


def test_the_pages_commands_work_as_they_stand(at):
    lines = [*commands_of("index.md"), *commands_of("keyholder.md")]
    assert len(lines) > 12
    (at / "nations.key").unlink()
    for line in lines:
        if " serve " not in line and " --keyholder " not in line:
            for written, now in (("2027q1", EPOCH), ("2027q2", NEXT), ("NEXT", NEXT)):
                line = line.replace(written, now)  # noqa: PLW2901  the page's line, today
            run(line.removeprefix("cuvar "))
