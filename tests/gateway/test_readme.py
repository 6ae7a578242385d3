# SPDX-License-Identifier: EUPL-1.2
"""What the README tells a newcomer, done: the demonstration, and a tenth country on PostgreSQL."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gateway.demo.authorities import AUTHORITIES
from gateway.demo.command import addresses
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway.demo.processes import left_running
from tests.gateway.test_pipeline import border

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def cuvar(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commands(text):
    """The commands in a text that look at what the demonstration left, without `cuvar`."""
    joined = re.sub(r"\\\n +", "", text)
    return re.findall(r"cuvar ((?:doctor|audit|witness) [^`\n]*\.demo[^`\n]*)", joined)


@pytest.mark.long
def test_the_demonstration_tells_its_story(tmp_path):
    told = cuvar("demo", "--check", "--port", "0", cwd=tmp_path)
    folder = tmp_path / ".demo"
    assert "view full" in told
    assert "view pseudonym" in told
    assert "refused by BA under F56" in told
    assert "verified offline" in told
    for country in AUTHORITIES:
        assert re.search(rf"cosigned by dpa-{country} at 2\d{{3}}-\d\d-\d\d ", told)
    assert re.search(
        r"published/BA: \d+ entries, whole,\n   witnessed by dpa-BA, dpa-HR, dpa-RS", told
    )
    assert re.search(r"BA/20\d\dh\d/(\d+) says count 0 instead of 1:\n   entry \1: .*changed", told)
    assert "each witness refuses its checkpoint: BA (422), HR (422), RS (422)" in told
    assert "the receipt does not prove the changed entry" in told
    assert re.search(r"its checkpoint contradicts the log: .*earlier checkpoint", told)
    assert left_running(folder) == []
    words = addresses(load_settings(folder / "cuvar.toml"), folder, ["http://127.0.0.1:1"])
    shown, written = commands(words.replace(str(folder), ".demo")), commands(README)
    assert (len(shown), len(written)) == (5, 3)
    ran = {c: cuvar(*c.split(), cwd=tmp_path) for c in {*written, *shown}}
    doctor = ran["doctor --config .demo/cuvar.toml"]
    assert "FAIL" not in doctor
    verified = ran["audit verify --config .demo/cuvar.toml"]
    assert len(re.findall(r"^whole: demo\.cuvar\.invalid/", verified, re.MULTILINE)) == 10
    assert "fork" in ran["witness evidence .demo/witnesses/BA"]
    assert "FORK" in ran["audit check-evidence .demo/fork.evidence"]


@pytest.fixture
def foreigners(postgres):
    """A register that nothing in the tree knows, as the README's mapping describes it."""
    database = postgres.new_database("foreigners")
    postgres.run(
        "CREATE TABLE persona (id text PRIMARY KEY, surrogati text, mbiemri text, emri text,"
        " mbiemri_mrz text, emri_mrz text, datelindja date, bllokuar boolean, ruaj_deri date,"
        " njoftuar boolean, gjinia text);"
        "INSERT INTO persona VALUES ('1', repeat('ab', 16), 'Hoxha', 'Arben', 'HOXHA', 'ARBEN',"
        " '1985-04-03', false, '2035-01-01', true, 'M')",
        database,
    )
    return postgres.url(database)


@pytest.mark.long
async def test_a_tenth_country_answers_after_a_mapping_and_a_rule_folder(
    house_template,
    foreigners,
    tmp_path,
):
    folder = houses.copy(house_template, tmp_path / "house")
    mapping = next(
        block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "XK" in block
    )
    mapping = "\n".join(line.removeprefix("   ") for line in mapping.splitlines()) + "\n"
    assert yaml.safe_load(mapping)["country"] == "XK"
    (folder / "xk.yaml").write_text(mapping, encoding="utf-8")
    houses.copy(ROOT / "policies/rules", folder / "my-rules")
    cuvar(
        *("policy", "new-country", "my-rules", "XK", "--name", "Kosovo", "--like", "ME"), cwd=folder
    )
    cuvar(*("audit", "keygen", "XK", "--private", "xk.key", "--public", "xk.pub"), cwd=folder)
    text = (folder / "cuvar.toml").read_text(encoding="utf-8")
    text = text.replace('rules = "example"', 'rules = "my-rules"')
    text = text.replace("[log.dpo_keys]\n", '[log.dpo_keys]\nXK = "xk.pub"\n')
    text = text.replace('countries = ["BA"', 'countries = ["XK", "BA"')
    text = text.replace("organisations = [", 'organisations = ["XK-BP", ')
    text = text.replace(
        "[limits]", f'[registers.XK]\nurl = "{foreigners}"\nmapping = "xk.yaml"\n\n[limits]'
    )
    (folder / "cuvar.toml").write_text(text, encoding="utf-8")
    before = houses.reports(house_template)
    assert "logs: created" in cuvar("init", "--config", "cuvar.toml", cwd=folder)
    after = houses.reports(folder)
    assert {country for country in after if country not in before} == {"XK"}
    assert all(after[country].root == before[country].root for country in before)
    told = cuvar(*("keys", "create", "XK", "--config", "cuvar.toml"), cwd=folder)
    assert "a first root key is made for XK" in told
    after = houses.reports(folder)
    assert "FAIL" not in cuvar("doctor", "--config", "cuvar.toml", cwd=folder)
    question = border(
        owners=["XK"],
        categories=["direct_identifier"],
        subject={"surnames": "Hoxha", "forenames": "Arben", "date_of_birth": "1985-04-03"},
    )
    async with houses.running(folder) as house:
        await house.attest("presence", org="XK-BP")
        answer = await house.ask("find", question, token=house.token("XK-BP", "border_officer"))
        log = house.log("XK")
        assert answer.headers["audit-entry"] == f"{log.origin}/{log.size - 1}"
    (row,) = answer.json()["owners"][0]["results"][0]["rows"]
    assert row["direct_identifier.surnames"] == "Hoxha"
