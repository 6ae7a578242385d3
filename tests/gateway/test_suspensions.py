# SPDX-License-Identifier: EUPL-1.2
"""Access ended at once: within a second, in every form, with an entry for each change."""

import asyncio
import io
import json

import pytest
from click.testing import CliRunner

from audit import open_sealed, read_private_key
from gateway.cli import cuvar
from gateway.commands.suspend import suspend
from gateway.errors import GatewayError
from gateway.identity.revocation import RELOAD_S
from gateway.opening import open_gateway
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway.test_pipeline import border

HEADER = "kind,value,issuer\n"


@pytest.fixture
def listed(house_folder):
    (house_folder / "suspended.csv").write_text(HEADER, encoding="utf-8")
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    table = '[identity]\nrevocations_file = "suspended.csv"\n'
    settings.write_text(text.replace("[limits]", f"{table}[limits]"), encoding="utf-8")
    return house_folder


def run(folder, *arguments):
    config = ("--config", str(folder / "cuvar.toml"))
    return CliRunner().invoke(cuvar, [*arguments, *config], catch_exceptions=True)


def border_token(house):
    return house.token("BA-BP", "border_officer", unit="BA-BP-1")


FORMS = {
    "org": ("org", "BA-BP"),
    "unit": ("unit", "BA-BP/BA-BP-1"),
    "officer": ("officer", "officer-1", "--issuer", houses.ISSUER),
    "issuer": ("issuer", houses.ISSUER),
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_suspension_is_effective_a_second_later_and_is_an_entry(listed, form):
    async with houses.running(listed) as house:
        await house.attest("presence", org="BA-BP")
        token = border_token(house)
        assert (await house.ask("find", border(), token=token)).status_code == 200
        done = await asyncio.to_thread(run, listed, "suspend", *FORMS[form])
        assert done.exit_code == 0, done.output
        await asyncio.sleep(RELOAD_S)
        answer = await house.ask("find", border(), token=token)
        assert answer.status_code == 403
        assert "F01" in answer.text
        await house.runtime.recorder.look()
        entry = (await recorded(house))[-1]
        envelope = json.loads(entry.envelope)
        assert (envelope["kind"], envelope["count"]) == ("policy-change", 1)
        assert b"officer-1" not in entry.envelope
        detail = json.loads(open_sealed(entry.sealed, read_private_key(listed / "dpo/BA.key")))
        assert detail["suspended"][0][:2] == list(FORMS[form][:2])


async def test_lifting_waits_for_its_entry(listed):
    assert run(listed, "suspend", "org", "BA-BP").exit_code == 0
    async with houses.running(listed) as house:
        await house.attest("presence", org="BA-BP")
        await house.runtime.recorder.look()
        revocations, recorder = house.runtime.revocations, house.runtime.recorder
        assert (await house.ask("find", border(), token=border_token(house))).status_code == 403
        done = await asyncio.to_thread(run, listed, "unsuspend", "org", "BA-BP")
        assert done.exit_code == 0, done.output
        held = revocations.change
        revocations.change = lambda: None
        await asyncio.sleep(RELOAD_S + 0.1)
        assert (await house.ask("find", border(), token=border_token(house))).status_code == 403
        revocations.change = held
        before = house.sizes()
        await recorder.look()
        assert house.sizes() == {country: size + 1 for country, size in before.items()}
        assert (await house.ask("find", border(), token=border_token(house))).status_code == 200


async def test_a_suspension_while_the_register_is_asked_stops_the_answer(listed):
    async with houses.running(listed) as house:
        await house.attest("presence", org="BA-BP")
        source = house.runtime.sources["BA"]
        fetch = source.fetch

        async def slow(question):
            page = await fetch(question)
            (listed / "suspended.csv").write_text(HEADER + "org,BA-BP,\n", encoding="utf-8")
            await asyncio.sleep(RELOAD_S)
            return page

        source.fetch = slow
        answer = await house.ask("find", border(), token=border_token(house))
        assert answer.status_code == 403
        assert "F01" in answer.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("suspend", "org", "BA-PB"), "name an organisation of the rules"),
        (("suspend", "unit", "BA-BP"), "a unit as BA-BP/UNIT"),
        (("suspend", "officer", "officer-1"), "name the issuer"),
        (("suspend", "issuer", "https://elsewhere.invalid"), "no such issuer"),
        (("suspend", "officer", "a b", "--issuer", houses.ISSUER), "no spaces"),
        (("suspend", "org", "BA-BP", "--issuer", houses.ISSUER), "only officers"),
        (("unsuspend", "org", "BA-BP"), "not on the list"),
    ],
)
def test_a_suspension_that_would_suspend_nobody_is_refused(listed, arguments, says):
    done = run(listed, *arguments)
    assert isinstance(done.exception, GatewayError)
    assert says in str(done.exception)
    assert (listed / "suspended.csv").read_text(encoding="utf-8") == HEADER


def test_the_list_is_shown(listed):
    assert "nobody" in run(listed, "suspensions").output
    run(listed, "suspend", *FORMS["officer"])
    assert f"officer-1 of {houses.ISSUER}" in run(listed, "suspensions").output
    (row,) = json.loads(run(listed, "suspensions", "--json").output)
    assert row["kind"] == "officer"


def test_without_a_list_the_command_says_how_to_make_one(house_folder):
    done = run(house_folder, "suspend", "org", "BA-BP")
    assert "revocations_file is not set" in str(done.exception)


async def test_changes_made_at_once_all_stand(listed):
    change, settings = suspend.callback, listed / "cuvar.toml"
    orgs = [f"{country}-BP" for country in houses.COUNTRIES]
    await asyncio.gather(*(asyncio.to_thread(change, "org", o, "", settings) for o in orgs))
    rows = (listed / "suspended.csv").read_text(encoding="utf-8").splitlines()
    assert rows == [HEADER.strip(), *(f"org,{org}," for org in sorted(orgs))]


async def recorded(house, country="BA"):
    return [e for e in await house.stored(country) if b'"suspension list"' in e.envelope]


async def test_a_list_cut_while_no_gateway_ran_is_lifted_by_an_entry_only(listed):
    assert run(listed, "suspend", "org", "BA-BP").exit_code == 0
    async with houses.running(listed) as house:
        await house.runtime.recorder.look()
    (listed / "suspended.csv").write_text(HEADER, encoding="utf-8")
    async with houses.running(listed) as house:
        await house.attest("presence", org="BA-BP")
        await house.runtime.recorder.look()
        told = await recorded(house)
        assert house.opened(told[-1], "BA")["lifted"] == [["org", "BA-BP", ""]]
        assert json.loads(told[-1].envelope)["count"] == 0
        assert (await house.ask("find", border(), token=border_token(house))).status_code == 200


async def test_until_its_entry_stands_a_cut_list_lifts_nobody(listed):
    assert run(listed, "suspend", "org", "BA-BP").exit_code == 0
    async with houses.running(listed) as house:
        await house.runtime.recorder.look()
    (listed / "suspended.csv").write_text(HEADER, encoding="utf-8")
    runtime = await open_gateway(load_settings(listed / "cuvar.toml"), io.BytesIO())
    try:
        runtime.revocations.generation()
        assert ("org", "BA-BP", "") in runtime.revocations._entries
    finally:
        await runtime.closing.aclose()


async def test_every_start_records_the_list_even_an_empty_one(listed):
    for starts in (1, 2):
        async with houses.running(listed) as house:
            await house.runtime.recorder.look()
            for country in house.sizes():
                assert len(await recorded(house, country)) == starts


async def test_a_token_without_a_unit_is_no_way_around_a_suspended_unit(listed):
    assert run(listed, "suspend", "unit", "BA-BP/BA-BP-1").exit_code == 0
    async with houses.running(listed) as house:
        await house.attest("presence", org="BA-BP")
        other = house.token("BA-BP", "border_officer", unit="BA-BP-2")
        assert (await house.ask("find", border(), token=other)).status_code == 200
        without = house.token("BA-BP", "border_officer")
        answer = await house.ask("find", border(), token=without)
        assert answer.status_code == 403
        assert "F01" in answer.text
