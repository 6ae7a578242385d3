# SPDX-License-Identifier: EUPL-1.2
"""Removing a part, one at a time: nothing is released that was not released before, and the
gateway says which part is missing (invariant 2).
"""

import shutil

import pytest

from anonymise import AnonymiseError
from audit import AuditError
from gateway.commands.doctor import examine
from gateway.errors import GatewayError
from policies import PolicyError, example_rules
from tests.gateway import house as houses
from tests.gateway.small import CANARY_NAME, PERSON
from tests.gateway.test_pipeline import border

BA_BORDER = ("BA-BP", "border_officer")


async def released(house):
    """What three different questions release now: (owner, view, field) of every told value."""
    await house.attest("presence", org="BA-BP")
    for fact in ("case_number", "consent_given"):
        await house.attest(fact, org="UNHCR", owner="BA")
    await house.attest("assigned_case", org="UNHCR", person=PERSON)
    await house.attest("case_number", org="RS-RA")
    hit = border(
        dataset="registrations", owners=["RS", "ME", "HR"], categories=["record"], view="hit"
    )
    aid = {
        "dataset": "persons",
        "owners": ["BA"],
        "view": "full",
        "purpose": "humanitarian_assistance",
        "basis": "HUM-03",
        "case_no": "C-1",
    }
    take_back = {**hit, "owners": ["BA"], "purpose": "readmission", "basis": "RDM-01"}
    asks = [
        ("find", border(), house.token(*BA_BORDER)),
        ("find", hit, house.token(*BA_BORDER)),
        ("list", aid, house.token("UNHCR", "caseworker", country="BA")),
        ("find", {**take_back, "case_no": "R-1"}, house.token("RS-RA", "readmission_officer")),
    ]
    told = set()
    for action, question, token in asks:
        answer = await house.ask(action, question, token=token)
        if answer.status_code != 200:
            continue
        for part in answer.json()["owners"]:
            for result in part["results"]:
                for row in result["rows"]:
                    told |= {(part["owner"], result["view"], k) for k, v in row.items() if v}
    return told


@pytest.fixture(scope="module")
def rules_template(house_template, tmp_path_factory):
    """A house with its own copy of the rules, in which every readmission pair is in force."""
    folder = houses.copy(house_template, tmp_path_factory.mktemp("rules"))
    rules = houses.copy(example_rules(), folder / "rules")
    row = (
        "T-BA-RS,readmission,BA,RS,readmission + return_documents,"
        "readmissions + registrations + persons,2020-01-01,2020-01-01,-,verified,-,-,-,"
        "made for the tests\n"
    )
    with (rules / "agreements.csv").open("a", encoding="utf-8") as file:
        file.write(row)
    text = (folder / "cuvar.toml").read_text(encoding="utf-8")
    text = text.replace('rules = "example"', 'rules = "rules"')
    (folder / "cuvar.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folder(rules_template, tmp_path):
    return houses.copy(rules_template, tmp_path / "house")


@pytest.fixture
async def baseline(rules_template, tmp_path):
    whole = houses.copy(rules_template, tmp_path / "whole")
    async with houses.running(whole) as house:
        found = await released(house)
    assert {owner for owner, _, _ in found} == {"BA", "RS", "ME"}
    return found


def drop_line(path, start):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) < len(lines)
    path.write_text("".join(kept), encoding="utf-8")


STOPS_THE_START = {
    "the rules of a country": (lambda f: shutil.rmtree(f / "rules/RS"), "RS/rules.csv"),
    "the floor": (lambda f: (f / "rules/floor.csv").unlink(), "floor.csv"),
    "a vocabulary file": (lambda f: (f / "rules/vocabulary/guards.csv").unlink(), "guards.csv"),
    "the keyset": (lambda f: (f / "keyset.json").unlink(), "keyset"),
    "the log": (lambda f: (f / "log.sqlite").unlink(), "log"),
    "a log's key": (lambda f: (f / "log-keys/RS.key").unlink(), "RS.key"),
    "the house log's key": (lambda f: (f / "log-keys/GATEWAY.key").unlink(), "GATEWAY.key"),
    "another country's key": (
        lambda f: shutil.copy(f / "log-keys/BA.key", f / "log-keys/RS.key"),
        "RS.key",
    ),
    "the state database": (lambda f: (f / "state.sqlite").unlink(), "state"),
    "an issuer's keys": (lambda f: (f / "issuer/jwks.json").unlink(), "jwks_file"),
    "an officer's key": (lambda f: (f / "dpo/BA.pub").unlink(), "BA.pub"),
    "a mapping": (lambda f: (f / "region/mappings/RS.yaml").unlink(), "RS.yaml"),
}


@pytest.mark.parametrize("part", STOPS_THE_START)
async def test_without_this_the_gateway_does_not_start_and_says_what_is_missing(part, folder):
    remove, named = STOPS_THE_START[part]
    remove(folder)
    with pytest.raises((GatewayError, PolicyError, AuditError, AnonymiseError)) as caught:
        async with houses.running(folder):
            pass
    assert named in str(caught.value)
    steps = await examine(folder / "cuvar.toml")
    assert any(not step.ok and named in step.told for step in steps), steps


RESTRICTS = {
    "an agreement": lambda f: drop_line(f / "rules/agreements.csv", "T-BA-RS"),
    "a register": lambda f: (f / "region/registers/RS.sqlite").unlink(),
    "an allowing line": lambda f: drop_line(f / "rules/BA/rules.csv", "BA-O01,"),
    "an asking line": lambda f: drop_line(f / "rules/BA/asking.csv", "BA-Q01,"),
}


@pytest.mark.parametrize("part", RESTRICTS)
async def test_without_this_less_is_released_and_nothing_new(part, folder, baseline):
    RESTRICTS[part](folder)
    async with houses.running(folder) as house:
        found = await released(house)
    assert found < baseline


async def test_without_the_fact_register_nothing_that_needs_a_fact_is_released(folder):
    (folder / "facts.sqlite").unlink()
    async with houses.running(folder) as house:
        answer = await house.ask("find", border(), token=house.token(*BA_BORDER))
    assert answer.status_code == 403
    assert not (folder / "facts.sqlite").exists()


async def test_a_log_that_vanishes_while_running_stops_every_answer(folder):
    async with houses.running(folder) as house:
        await house.attest("presence", org="BA-BP")
        (folder / "log.sqlite").unlink()
        answer = await house.ask("find", border(), token=house.token(*BA_BORDER))
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("log_unavailable")
        assert CANARY_NAME not in answer.text
        ready = await house.client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["needed"]["log"] is False


async def test_a_state_database_that_vanishes_stops_coded_rows_only(folder):
    async with houses.running(folder) as house:
        before = await released(house)
        (folder / "state.sqlite").unlink()
        house.runtime.pipeline._parts.desk._desk.case_numbers._cache.clear()
        after = await released(house)
    assert after < before
    assert {view for _, view, _ in before - after} == {"pseudonym"}
