# SPDX-License-Identifier: EUPL-1.2
"""A running gateway and its rule folder: what it takes, what it refuses, what it says."""

import json
import shutil
from datetime import UTC, date, datetime

import pytest

from audit import AuditError
from gateway.commands.doctor import examine
from gateway.opening import open_gateway
from gateway.ruleset import RuleSetError
from gateway.ruleset.keys import create_key_pair
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway import signing
from tests.gateway.test_pipeline import border

BEGIN = signing.BEGINNING


async def ready(house):
    return await house.ready()


async def changes(house):
    """The changes of rules, which stand alike in every log."""
    found = {}
    for country in house.sizes():
        entries = await house.entries(country)
        found[country] = [entry for entry in entries if entry["kind"] == "policy-change"]
    one, *others = ([{**e, "log": ""} for e in entries] for entries in found.values())
    assert all(other == one for other in others), "a change that not every log has"
    return found["BA"]


def events(house):
    return [json.loads(line) for line in house.output.getvalue().splitlines()]


async def still_answers(house, digest):
    """The gateway answers, and its entries carry this digest."""
    await house.attest("presence", org="BA-BP")
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 200, answer.text
    last = (await house.entries())[-1]
    assert last["policy"] == digest


def reword(rules, text="changed"):
    """Another remark in a line of BA: other bytes, the same meaning."""
    path = rules / "BA/rules.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = f"{lines[1].rpartition(',')[0]},{text}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


async def test_a_signed_set_starts_the_gateway_and_its_digest_is_the_first_entry(signed_house):
    digest = signed_house.runtime.rules().snapshot.digest
    (change,) = await changes(signed_house)
    assert change["policy"] == digest
    assert change["op"] == "policy_change"
    body = await ready(signed_house)
    assert (body["status"], body["policy"]) == ("ready", digest)
    versions = dict.fromkeys(("common", *signing.SIGNERS), 1)
    assert body["rules"] == {"mode": "signed", "versions": versions, "troubles": []}
    await still_answers(signed_house, digest)


def _sign_as(rules, keys, part, other):
    """The signature of `part` made with the key of another country, under its own name."""
    from gateway.ruleset.signature import sign

    data = (rules / part / "manifest").read_bytes()
    (rules / part / "signature").write_bytes(sign(data, part, signing.private_key(keys, other)))


def _older(rules, keys):
    reword(rules)
    (rules / "BA/manifest").unlink()
    signing.sign(rules, keys, "BA", version=1)


SPOILED = {
    "one byte of a rule file": (lambda r, _k: flip(r / "BA/rules.csv"), "BA/rules.csv"),
    "one byte of the floor": (lambda r, _k: flip(r / "floor.csv"), "floor.csv"),
    "one byte of a manifest": (lambda r, _k: flip(r / "HR/manifest"), "HR/signature"),
    "one byte of a signature": (lambda r, _k: flip(r / "RS/signature"), "RS/signature"),
    "a signature left out": (lambda r, _k: (r / "AL/signature").unlink(), "AL/signature"),
    "a country left out under common": (
        lambda r, _k: (r / "signatures/SI").unlink(),
        "signatures/SI",
    ),
    "a file left out": (lambda r, _k: (r / "GR/roles.csv").unlink(), "GR/roles.csv"),
    "a file added": (lambda r, _k: (r / "GR/more.csv").write_text("x\n"), "GR/more.csv"),
    "a stranger's folder": (
        lambda r, _k: shutil.copytree(r / "GR", r / "XX"),
        "XX/rules.csv",
    ),
    "another country's key": (
        lambda r, k: (
            reword(r),
            signing.write_part(r, "BA", version=2, start=BEGIN),
            _sign_as(r, k, "BA", "HR"),
        ),
        "BA/signature",
    ),
    "another country's folder in its place": (
        lambda r, _k: (shutil.rmtree(r / "BA"), shutil.copytree(r / "HR", r / "BA")),
        "BA/signature",
    ),
    "a common part that the countries did not stand on": (
        lambda r, k: signing.sign(r, k, "common", version=2),
        "BA/manifest",
    ),
    "an older version of its own": (
        _older,
        "BA/manifest",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
async def test_a_spoiled_folder_leaves_the_set_in_force_and_health_says_so(
    signed_house, rules, rule_keys, what
):
    spoil, file = SPOILED[what]
    digest = signed_house.runtime.rules().snapshot.digest
    spoil(rules, rule_keys)
    await signed_house.runtime.keeper.look()
    await still_answers(signed_house, digest)
    body = await ready(signed_house)
    assert (body["status"], body["degraded"]) == ("degraded", ["rules"])
    assert body["policy"] == digest
    assert file in {trouble["file"] for trouble in body["rules"]["troubles"]}
    assert len(await changes(signed_house)) == 1
    told = [line["refusal"] for line in events(signed_house) if line["event"] == "policies.refused"]
    assert told
    assert set(told) <= {"signature", "older"}
    metrics = (await signed_house.client.get("/metrics")).text
    assert "cuvar_policy_degraded 1.0" in metrics


async def test_health_heals_when_the_folder_is_mended(signed_house, rules, signed_template):
    flip(rules / "BA/rules.csv")
    await signed_house.runtime.keeper.look()
    shutil.copy2(signed_template / "BA/rules.csv", rules / "BA/rules.csv")
    await signed_house.runtime.keeper.look()
    assert (await ready(signed_house))["status"] == "ready"
    assert "policies.well" in {line["event"] for line in events(signed_house)}
    assert len(await changes(signed_house)) == 1


async def test_a_newer_version_is_an_entry_and_then_the_rules(signed_house, rules, rule_keys):
    before = signed_house.runtime.rules().snapshot.digest
    reword(rules)
    signing.sign(rules, rule_keys, "BA", version=2)
    await signed_house.runtime.keeper.look()
    after = signed_house.runtime.rules().snapshot.digest
    assert after != before
    assert [change["policy"] for change in await changes(signed_house)] == [before, after]
    await still_answers(signed_house, after)
    entry = next(
        e for e in await signed_house.stored("ME") if json.loads(e.envelope)["policy"] == after
    )
    detail = signed_house.opened(entry, "HR")
    assert (detail["before"], detail["after"], detail["mode"]) == (before, after, "signed")
    assert {p["part"]: p["version"] for p in detail["parts"]}["BA"] == 2


async def test_a_version_once_in_force_is_never_taken_again(signed_folder, rules, rule_keys):
    old = shutil.copytree(rules, rules.with_name("old"))
    async with houses.running(signed_folder) as house:
        reword(rules)
        signing.sign(rules, rule_keys, "BA", version=2)
        await house.runtime.keeper.look()
        digest = house.runtime.rules().snapshot.digest
        shutil.rmtree(rules)
        shutil.copytree(old, rules)
        await house.runtime.keeper.look()
        await still_answers(house, digest)
        (trouble,) = (await ready(house))["rules"]["troubles"]
        assert (trouble["why"], trouble["file"]) == ("older", "BA/manifest")
    with pytest.raises(RuleSetError, match="version 1 is older than 2"):
        await open_gateway(load_settings(signed_folder / "cuvar.toml"), house.output)


async def test_the_same_version_with_other_content_is_never_taken(signed_folder, rules, rule_keys):
    async with houses.running(signed_folder):
        pass
    _older(rules, rule_keys)
    with pytest.raises(RuleSetError, match="in force with other content"):
        await open_gateway(load_settings(signed_folder / "cuvar.toml"), None)


async def test_a_start_under_the_same_rules_is_no_second_entry(signed_folder):
    for _ in range(2):
        async with houses.running(signed_folder) as house:
            assert len(await changes(house)) == 1


async def test_a_change_that_the_log_does_not_take_is_no_change(
    signed_house, rules, rule_keys, monkeypatch
):
    before = signed_house.runtime.rules().snapshot.digest
    reword(rules)
    signing.sign(rules, rule_keys, "BA", version=2)
    keeper = signed_house.runtime.keeper

    async def full(_chosen, _before):
        raise AuditError("full")

    with monkeypatch.context() as patch:
        patch.setattr(type(keeper._entries), "record", lambda _self, *rest: full(*rest))
        await keeper.look()
    assert signed_house.runtime.rules().snapshot.digest == before
    assert (await ready(signed_house))["rules"]["troubles"][0]["why"] == "record"
    await keeper.look()
    assert signed_house.runtime.rules().snapshot.digest != before
    assert (await ready(signed_house))["status"] == "ready"


async def test_an_unsigned_folder_does_not_start_a_gateway(signed_folder, rules):
    for path in rules.rglob("signature"):
        path.unlink()
    with pytest.raises(RuleSetError, match=r"BA/signature: is missing"):
        await open_gateway(load_settings(signed_folder / "cuvar.toml"), None)


async def test_a_key_without_a_country_and_a_country_without_a_key_are_refused(
    signed_folder, rule_keys
):
    settings = signed_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    create_key_pair("XK", signed_folder / "XK.key", signed_folder / "XK.pub")
    settings.write_text(text.replace("[policies.keys]", '[policies.keys]\nXK = "XK.pub"'))
    with pytest.raises(RuleSetError, match="signatures/XK: is missing"):
        await open_gateway(load_settings(settings), None)
    settings.write_text(text.replace(f'"BA" = "{rule_keys}/BA.pub"\n', ""))
    with pytest.raises(RuleSetError, match=r"BA/rules\.csv: belongs to nobody"):
        await open_gateway(load_settings(settings), None)


async def test_development_mode_shouts_wherever_it_can(house, house_folder):
    body = await ready(house)
    assert "NOBODY SIGNED" in body["rules"]["mode"]
    warned = [line for line in events(house) if line["event"].startswith("policies.unsigned")]
    assert [line["level"] for line in warned] == ["warning"]
    assert "cuvar_policy_signed 0.0" in (await house.client.get("/metrics")).text
    steps = {step.name: step.told for step in await examine(house_folder / "cuvar.toml")}
    assert "NOBODY SIGNED" in steps["rules"]


async def test_in_development_mode_a_change_counts_at_the_second_equal_look(house_folder, rules):
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    changed = text.replace('rules = "example"', f'rules = "{rules}"\nreload_s = 3600.0')
    settings.write_text(changed, encoding="utf-8")
    async with houses.running(house_folder) as house:
        before = house.runtime.rules().snapshot.digest
        reword(rules, "half")
        await house.runtime.keeper.look()
        assert house.runtime.rules().snapshot.digest == before
        reword(rules, "whole")
        await house.runtime.keeper.look()
        assert house.runtime.rules().snapshot.digest == before
        await house.runtime.keeper.look()
        assert house.runtime.rules().snapshot.digest != before
        assert len(await changes(house)) == 2


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def at(day, hour=12):
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


async def test_no_question_is_answered_on_a_day_without_a_valid_set(
    signed_folder, rules, rule_keys, monkeypatch
):
    last = datetime.now(UTC).date()
    signing.sign(rules, rule_keys, "BA", version=2, end=last)
    async with houses.running(signed_folder) as house:
        assert (await ready(house))["status"] == "ready"
        clock = Clock(at(date.fromordinal(last.toordinal() + 1)))
        monkeypatch.setattr(house.runtime.keeper, "_clock", clock)
        token = house.token("BA-BP", "border_officer")
        # At once, before any look at the folder.
        answer = await house.ask("find", border(), token=token)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:cuvar:problem:no_rules")
        assert (await house.entries())[-1]["rules"] == ["no rules"]
        await house.runtime.keeper.look()
        response = await house.client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["needed"]["policy"] is False
        assert response.json()["rules"]["troubles"][0]["why"] == "dates"


async def test_a_staged_set_takes_over_on_its_day_without_a_restart(
    signed_folder, rules, rule_keys, monkeypatch
):
    today = datetime.now(UTC).date()
    tomorrow = date.fromordinal(today.toordinal() + 1)
    staged = shutil.copytree(rules, rules.with_name("next"))
    reword(staged)
    signing.sign(staged, rule_keys, "BA", version=2, start=tomorrow)
    settings = signed_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    listed = f'rules = ["{rules}", "{staged}"]'
    settings.write_text(text.replace(f'rules = ["{rules}"]', listed), encoding="utf-8")
    async with houses.running(signed_folder) as house:
        before = house.runtime.rules().snapshot.digest
        await house.runtime.keeper.look()
        assert house.runtime.rules().snapshot.digest == before
        monkeypatch.setattr(house.runtime.keeper, "_clock", Clock(at(tomorrow, hour=0)))
        await house.runtime.keeper.look()
        after = house.runtime.rules().snapshot
        assert after.digest != before
        assert after.book.on == tomorrow
        assert (await ready(house))["status"] == "ready"
        # The old folder may go, or be spoiled: the set in force is newer.
        flip(rules / "BA/rules.csv")
        await house.runtime.keeper.look()
        assert house.runtime.rules().snapshot.digest == after.digest
        assert (await ready(house))["status"] == "degraded"


async def test_the_set_in_force_outlives_midnight_without_its_folder(
    signed_house, rules, monkeypatch
):
    digest = signed_house.runtime.rules().snapshot.digest
    shutil.rmtree(rules)
    tomorrow = date.fromordinal(datetime.now(UTC).date().toordinal() + 1)
    monkeypatch.setattr(signed_house.runtime.keeper, "_clock", Clock(at(tomorrow)))
    await signed_house.runtime.keeper.look()
    assert signed_house.runtime.rules().snapshot.digest == digest
    assert signed_house.runtime.rules().snapshot.book.on == tomorrow
    assert (await ready(signed_house))["status"] == "degraded"


async def test_in_shadow_mode_stock_casbin_judges_what_is_answered(house_folder):
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("[policies]\n", "[policies]\nshadow_one_in = 1\n"), encoding="utf-8"
    )
    async with houses.running(house_folder) as house:
        await house.attest("presence", org="BA-BP")
        token = house.token("BA-BP", "border_officer")
        assert (await house.ask("find", border(), token=token)).status_code == 200
        # A judge that allows nothing: whatever the compiled rules say, nothing leaves.
        shadow = house.runtime.rules().snapshot._shadow
        shadow._judge = lambda *_: Nay()
        answer = await house.ask("find", border(), token=token)
        assert answer.status_code == 403
        assert "Q-SHADOW" in answer.text
        assert b"policies.shadow_differs" in house.output.getvalue()
        metrics = (await house.client.get("/metrics")).text
        assert "cuvar_policy_shadow_differences_total 1.0" in metrics


class Nay:
    def enforce(self, *_request):
        return False
