# SPDX-License-Identifier: EUPL-1.2
"""One event, two logs: the owner's takes what was released, the asker's what his officers asked.

And who reads which: a data-protection officer lists her own country's log alone, and finds in it
what her officers asked abroad (AUD-05).
"""

import json
import re
from pathlib import Path

import pytest

from audit import create_dpo_key
from gateway.commands.init import create_missing
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway.house import REASON
from tests.gateway.test_pipeline import border

ABROAD = {
    "dataset": "registrations",
    "owners": ["RS"],
    "categories": ["record"],
    "view": "hit",
}

PAGE = Path("docs/retention.md").read_text(encoding="utf-8")


def bare(entry):
    """An entry without the one member in which its two sides differ."""
    return {name: value for name, value in entry.items() if name != "log"}


async def ask_abroad(house, **changes):
    question = border(**{**ABROAD, **changes})
    return await house.ask("find", question, token=house.token("BA-BP", "border_officer"))


def listing(**changes):
    return {
        "dataset": "log",
        "owners": ["BA"],
        "categories": ["log_envelope", "log_detail"],
        "view": "full",
        "purpose": "oversight",
        "basis": "GDP-07",
        "reason": REASON,
        **changes,
    }


def dpo(house, country="BA"):
    return house.token(f"{country}-DO", "dpo", strong=True)


async def listed(house, country="BA", **changes):
    bases = house.runtime.rules().snapshot.vocabulary.purposes["oversight"].bases
    question = listing(owners=[country], basis=bases[0], **changes)
    answer = await house.ask("list", question, token=dpo(house))
    assert answer.status_code == 200, answer.text
    part = answer.json()["owners"][0]
    return [row for result in part["results"] for row in result["rows"]], part.get("next")


@pytest.mark.parametrize("present", [True, False])
async def test_an_answer_and_a_refusal_alike_stand_in_both_logs(house, present):
    if present:
        await house.attest("presence", org="BA-BP")
    before = house.sizes()
    answer = await ask_abroad(house)
    assert answer.status_code == (200 if present else 403)
    grown = {c: size - before[c] for c, size in house.sizes().items() if size > before[c]}
    assert grown == {"RS": 1, "BA": 1}
    (theirs, read), (ours, own) = await house.newest("RS"), await house.newest("BA")
    assert (theirs["log"], ours["log"]) == (house.log("RS").origin, house.log("BA").origin)
    assert bare(theirs) == bare(ours)
    assert ours["decision"] == ("allow" if present else "deny")
    assert read == own
    sealed = [(await house.stored(country))[-1].sealed for country in ("RS", "BA")]
    assert sealed[0].commitment == sealed[1].commitment
    log = house.log("RS")
    assert answer.headers["audit-entry"] == f"{log.origin}/{log.size - 1}"


async def test_each_owner_of_one_question_has_his_own_event(house):
    await house.attest("presence", org="BA-BP")
    await ask_abroad(house, owners=["RS", "HR"])
    ours = (await house.entries("BA"))[-2:]
    theirs = [(await house.newest(country))[0] for country in ("RS", "HR")]
    assert [bare(one) for one in ours] == [bare(one) for one in theirs]
    assert len({one["id"] for one in ours}) == 2
    assert len({one["correlation"] for one in ours}) == 1


async def test_at_home_a_question_is_one_entry(house):
    before = house.sizes()
    await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    grown = {c: size - before[c] for c, size in house.sizes().items() if size > before[c]}
    assert grown == {"BA": 1}


async def test_an_asker_whose_body_keeps_no_log_here_leaves_one_entry_with_the_owner(house):
    before = house.sizes()
    token = house.token("UNHCR", "caseworker", country="INT")
    await house.ask("find", border(), token=token)
    grown = {c: size - before[c] for c, size in house.sizes().items() if size > before[c]}
    assert grown == {"BA": 1}
    entry, _ = await house.newest("BA")
    assert entry["requester"]["country"] == "INT"


async def test_a_login_that_fails_stands_in_the_house_log_alone(house):
    before = house.sizes()
    assert (await house.ask("find", border(), token="not-a-token")).status_code == 401
    grown = {c: size - before[c] for c, size in house.sizes().items() if size > before[c]}
    assert grown == {"GATEWAY": 1}
    entry = (await house.entries("GATEWAY"))[-1]
    assert (entry["kind"], entry["requester"]) == ("authentication", None)


async def test_a_dpo_lists_her_own_log_and_finds_her_officers_questions_abroad(house):
    await house.attest("presence", org="BA-BP")
    await ask_abroad(house)
    question = border(**{**ABROAD, "owners": ["ME"]})
    await house.ask("find", question, token=house.token("HR-BP", "border_officer"))
    rows, _ = await listed(house, limit=50)
    assert {row["log"] for row in rows} == {house.log("BA").origin}
    seen = [row["log_envelope.envelope"] for row in rows]
    assert [one["index"] for one in rows] == sorted((r["index"] for r in rows), reverse=True)
    abroad = [one for one in seen if (one["owner"] or {}).get("country") == "RS"]
    assert abroad
    assert all(one["requester"]["country"] == "BA" for one in abroad)
    for one in seen:
        sides = {side["country"] for side in (one["owner"], one["requester"]) if side}
        assert not sides or "BA" in sides, "an entry that touches only others"


async def test_another_countrys_log_shows_her_nothing_that_touches_only_others(house):
    question = border(**{**ABROAD, "owners": ["RS"]})
    await house.ask("find", question, token=house.token("HR-BP", "border_officer"))
    await ask_abroad(house)
    bases = house.runtime.rules().snapshot.vocabulary.purposes["oversight"].bases
    asked = listing(owners=["RS"], basis=bases[0], limit=50)
    answer = await house.ask("list", asked, token=dpo(house))
    results = [found for part in answer.json()["owners"] for found in part["results"]]
    seen = [row["log_envelope.envelope"] for found in results for row in found["rows"]]
    sides = [{s["country"] for s in (one["owner"], one["requester"]) if s} for one in seen]
    assert sides == [{"RS", "BA"}]


async def test_a_joint_supervisor_opens_every_detail_and_a_stranger_none(house_folder):
    create_dpo_key(house_folder / "dpo/ALL.key", house_folder / "dpo/ALL.pub", "SUPERVISOR")
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    text = text.replace("[log.dpo_keys]", 'supervisor_key = "dpo/ALL.pub"\n[log.dpo_keys]')
    settings.write_text(text, encoding="utf-8")
    async with houses.running(house_folder) as house:
        await ask_abroad(house)
        await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
        for country in ("RS", "BA"):
            sealed = [entry for entry in await house.stored(country) if entry.sealed]
            assert sealed
            for entry in sealed:
                assert "SUPERVISOR" in json.loads(entry.envelope)["keys"]
                assert house.opened(entry, "ALL")
        (entry,) = (await house.stored("RS"))[-1:]
        with pytest.raises(Exception, match="key"):
            house.opened(entry, "HR")


def test_a_second_init_touches_no_log(house_folder):
    before = houses.reports(house_folder)
    assert "logs: was there, untouched" in create_missing(
        load_settings(house_folder / "cuvar.toml")
    )
    assert {c: r.root for c, r in houses.reports(house_folder).items()} == {
        c: r.root for c, r in before.items()
    }


async def test_the_list_that_the_page_on_retention_asks_for_is_the_whole_log(house):
    (block,) = re.findall(r"```json\n(\{\"role\".*?)```", PAGE, re.DOTALL)
    question = {**json.loads(block), "limit": 2}
    await house.attest("presence", org="BA-BP")
    await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    size, token = house.sizes()["BA"], house.token("BA-DO", "dpo", strong=True)
    rows, after = [], None
    for _ in range(size):
        more = {} if after is None else {"after": after}
        (part,) = (await house.ask("list", {**question, **more}, token=token)).json()["owners"]
        rows += [row for result in part["results"] for row in result["rows"]]
        after = part["next"]
        if after is None:
            break
    assert {row["index"] for row in rows} >= set(range(size))


async def test_no_limit_on_records_keeps_an_officer_from_reading_her_whole_log(house_folder):
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    low = text.replace("records_per_officer_per_hour = 1000000", "records_per_officer_per_hour = 1")
    settings.write_text(low, encoding="utf-8")
    (block,) = re.findall(r"```json\n(\{\"role\".*?)```", PAGE, re.DOTALL)
    async with houses.running(house_folder) as house:
        await house.attest("presence", org="BA-BP")
        for _ in range(3):
            await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
        token = house.token("BA-DO", "dpo", strong=True)
        answer = await house.ask("list", json.loads(block), token=token)
        (part,) = answer.json()["owners"]
        assert sum(len(result["rows"]) for result in part["results"]) > 1
        persons = {**border(), "limit": 101}
        persons.pop("subject")
        refused = await house.ask("list", persons, token=token)
        assert refused.status_code == 422, "long pages are for the log only"
