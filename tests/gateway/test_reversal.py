# SPDX-License-Identifier: EUPL-1.2
"""Turning one case number back: what grants it, how often, and what others make of a grant."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from anonymise import epoch_of
from audit import open_sealed, read_private_key
from gateway.cli import cuvar
from gateway.facts import Attestation, Scope
from gateway.facts.attestation import attest
from gateway.store import Store
from policies import Truth
from tests.gateway.house import today
from tests.gateway.small import CANARY_NAME, OTHER, PERSON
from tests.gateway.test_pipeline import court
from tests.gateway.test_pseudonym_domains import AID, number_in, parts_of

BOTH = "BA-DO/ana+BA-SA/boris"


@pytest.fixture
async def number(house):
    """The number of a person whose guardian may ask for it."""
    await house.attest("case_number", org="BA-GU")
    for person in (PERSON, OTHER):
        await house.attest("named_guardian", org="BA-GU", person=person)
    return await number_in(house, epoch_of(today()))


async def granted(house, number, truth=Truth.TRUE, *, by_unit=BOTH, **more):
    await house.attest("reid_granted", truth, org="BA-GU", person=number, by_unit=by_unit, **more)


async def reversal(house, number, **changes):
    bases = house.runtime.rules().snapshot.vocabulary.purposes["child_protection"].bases
    asked = {
        **court(purpose="child_protection", basis=bases[0]),
        "reference": {"kind": "case_number", "ref": number},
        "recipient": AID[1],
        "recipient_purpose": AID[2],
        "epoch": epoch_of(today()),
        **changes,
    }
    token = house.token("BA-GU", "guardian_officer", strong=True)
    return await house.ask("reidentify", asked, token=token)


def refused(answer):
    told = answer.status_code == 403 and "F62" in answer.text
    return told and CANARY_NAME not in answer.text


async def test_a_grant_turns_back_the_number_that_it_names_once(house, number):
    await granted(house, number)
    answer = await reversal(house, number)
    assert answer.status_code == 200, answer.text
    assert CANARY_NAME in answer.text
    assert refused(await reversal(house, number, reason="Potraga za porodicom, drugi put!"))
    await granted(house, number)
    assert (await reversal(house, number)).status_code == 200


async def test_a_grant_turns_back_no_other_number_of_the_same_case(house, number):
    other = await number_in(house, epoch_of(today()), OTHER)
    await granted(house, other)
    assert refused(await reversal(house, number))
    assert (await reversal(house, other)).status_code == 200


async def test_a_grant_that_names_no_number_is_worthless(house, number):
    await granted(house, "")
    assert refused(await reversal(house, number))


async def test_a_grant_for_a_person_in_the_owners_words_is_worthless(house, number):
    await granted(house, PERSON)
    assert refused(await reversal(house, number))


@pytest.mark.parametrize("issued_to", [("BA", "IOM", AID[2]), ("BA", "UNHCR", "tracing")])
async def test_a_grant_for_a_number_of_another_domain_turns_nothing_back(house, number, issued_to):
    elsewhere = await number_in(house, epoch_of(today()), domain=issued_to)
    await granted(house, elsewhere)
    assert refused(await reversal(house, number))
    # Nor does it lead anywhere when the domain is named that it was not issued in.
    answer = await reversal(house, elsewhere)
    assert answer.json()["owners"][0]["results"][0]["rows"] == []


async def test_a_grant_for_a_number_of_another_quarter_turns_nothing_back(house, number):
    earlier = await number_in(house, "2020q1")
    await granted(house, earlier)
    assert refused(await reversal(house, number))
    assert (await reversal(house, earlier)).json()["owners"][0]["results"][0]["rows"] == []


async def test_a_number_may_be_typed_as_people_write_it(house, number):
    for typed in (number.lower(), number.replace("-", ""), number.replace("0", "O")):
        await granted(house, number)
        assert CANARY_NAME in (await reversal(house, typed)).text, typed


NOT_TWO_OTHERS = (
    "",
    "two-others",
    "BA-DO/ana",
    "BA-DO/ana+BA-DO/ana",
    "BA-DO/ana+BA-DO/vera",
    "BA-DO/ana+BA-GU/boris",
    "BA-DO/ana+NOBODY/boris",
    "BA-DO/ana+BA-SA",
    "BA-DO+BA-SA",
    "BA-DO/ana+BA-SA/boris+",
)


async def test_it_takes_two_approvers_of_two_other_organisations(house, number):
    for by_unit in NOT_TWO_OTHERS:
        await granted(house, number, by_unit=by_unit)
        assert refused(await reversal(house, number)), by_unit
    await granted(house, number)
    assert (await reversal(house, number)).status_code == 200


async def test_a_grant_lasts_a_week_at_most(house, number):
    await granted(house, number, minutes=60 * 24 * 8)
    assert refused(await reversal(house, number))


async def test_a_grant_that_is_over_turns_nothing_back(house, number):
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=2), now - timedelta(hours=1)
    scope = Scope(org="BA-GU", person=number)
    store = Store(f"sqlite:///{house.folder}/facts.sqlite", name="facts")
    await attest(store, [Attestation("reid_granted", Truth.TRUE, scope, start, end, "t", BOTH)])
    await store.close()
    await house.runtime.facts.refresh()
    assert refused(await reversal(house, number))


async def test_a_doubt_or_a_no_restricts_whether_or_not_it_names_the_number(house, number):
    for truth in (Truth.POSSIBLE, Truth.FALSE):
        for named in (number, ""):
            await granted(house, number)
            await granted(house, named, truth, by_unit="")
            assert refused(await reversal(house, number)), (truth, named)
            await granted(house, named)
    assert (await reversal(house, number)).status_code == 200


@pytest.mark.parametrize("unbound", [False, True])
async def test_a_grant_withdrawn_while_the_question_is_on_its_way_turns_nothing_back(
    house, number, monkeypatch, unbound
):
    await granted(house, number)
    numbers = parts_of(house).case_numbers
    resolve = numbers.resolve

    async def withdrawn_meanwhile(domain, case_no):
        await granted(house, "" if unbound else number, Truth.FALSE)
        return await resolve(domain, case_no)

    monkeypatch.setattr(numbers, "resolve", withdrawn_meanwhile)
    assert refused(await reversal(house, number))


async def test_a_number_that_leads_nowhere_spends_no_grant(house, number):
    nowhere = await number_in(house, epoch_of(today()), domain=("BA", "IOM", AID[2]))
    await granted(house, nowhere)
    assert (await reversal(house, nowhere)).json()["owners"][0]["results"][0]["rows"] == []
    answer = await reversal(house, nowhere, recipient="IOM")
    assert CANARY_NAME in answer.text


async def test_questions_at_once_share_no_grant(house, number):
    await granted(house, number)
    answers = await asyncio.gather(*(reversal(house, number) for _ in range(8)))
    assert sum(CANARY_NAME in answer.text for answer in answers) == 1


async def test_the_officer_reads_who_approved_and_which_number(house, number):
    await granted(house, number)
    assert (await reversal(house, number)).status_code == 200
    stored = (await house.stored())[-1]
    envelope = json.loads(stored.envelope)
    assert envelope["kind"] == "reidentification"
    told = json.loads(open_sealed(stored.sealed, read_private_key(house.folder / "dpo/BA.key")))
    assert f"reid_granted:{BOTH}:test" in told["approvals"]
    assert told["query"]["reference"]["ref"] == number


async def test_the_command_writes_no_grant_that_would_be_worthless(house, number):
    config = ["--config", str(house.folder / "cuvar.toml")]
    for wrong in (
        ["--by-unit", BOTH],
        ["--by-unit", BOTH, "--person", "BA-0000-0000-00-01"],
        ["--person", number],
        ["--by-unit", BOTH, "--person", number, "--minutes", "11000"],
    ):
        arguments = ["attest", "reid_granted", "--org", "BA-GU", *wrong, *config]
        done = await asyncio.to_thread(CliRunner().invoke, cuvar, arguments)
        assert done.exit_code == 2, wrong
    await house.runtime.facts.refresh()
    assert refused(await reversal(house, number))


async def test_the_command_takes_a_number_as_it_is_typed(house, number):
    config = ["--config", str(house.folder / "cuvar.toml")]
    typed = number.lower().replace("-", " ")
    arguments = ["attest", "reid_granted", "--org", "BA-GU", "--person", typed, "--by-unit", BOTH]
    done = await asyncio.to_thread(CliRunner().invoke, cuvar, [*arguments, *config])
    assert done.exit_code == 0, done.output
    await house.runtime.facts.refresh()
    assert CANARY_NAME in (await reversal(house, number)).text
