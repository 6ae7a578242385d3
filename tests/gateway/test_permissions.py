# SPDX-License-Identifier: EUPL-1.2
"""Single permissions that end: spent by the answers that needed them, once, and by nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from gateway.cli import cuvar
from gateway.facts import Scope
from gateway.sources import SourceUnavailableError
from policies import Truth
from tests.gateway.house import REASON
from tests.gateway.small import CANARY_NAME, PERSON
from tests.gateway.test_onward import ask, mark  # noqa: F401  a fixture
from tests.gateway.test_pipeline import border


async def test_a_permission_for_one_answer_is_spent_by_it(house):
    await house.attest("presence", org="BA-BP", uses=1)
    asked = border(categories=["direct_identifier"])
    tokens = [house.token("BA-BP", "border_officer", officer=f"officer-{n}") for n in range(6)]
    answers = await asyncio.gather(*(house.ask("find", asked, token=t) for t in tokens))
    assert sorted(answer.status_code for answer in answers) == [200] + [403] * 5
    later = await house.ask("find", asked, token=tokens[0])
    assert later.status_code == 403
    assert "F03" in later.text


async def test_a_permission_that_others_gave_still_counts_when_one_is_spent(house):
    await house.attest("presence", org="BA-BP", uses=1)
    await house.attest("presence", org="BA-BP", officer="officer-1")
    token = house.token("BA-BP", "border_officer")
    codes = [(await house.ask("find", border(), token=token)).status_code for _ in range(3)]
    assert codes == [200, 200, 200]


async def test_a_counted_permission_about_one_record_counts_for_nothing(house):
    await house.attest("presence", org="BA-BP", person="p-1", uses=1)
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 403


async def test_an_unused_permission_lapses(house):
    await house.attest("presence", org="BA-BP", unused=1)
    (permission,) = house.runtime.facts.permissions(Scope(org="BA-BP"), datetime.now(UTC))
    first = permission.valid_from.date()
    assert not permission.over(0, None, first + timedelta(days=1))
    assert permission.over(0, None, first + timedelta(days=2))
    assert not permission.over(3, first + timedelta(days=2), first + timedelta(days=3))


async def test_an_answer_on_its_way_cannot_use_what_another_has_spent(house):
    """The permission has gone from sight when the slow answer leaves; it is owed all the same."""
    await house.attest("presence", org="BA-BP", uses=1)
    token = house.token("BA-BP", "border_officer")
    source = house.runtime.sources["BA"]
    fetch, waiting, go_on = source.fetch, asyncio.Event(), asyncio.Event()

    async def slow(question):
        source.fetch = fetch
        waiting.set()
        await go_on.wait()
        return await fetch(question)

    source.fetch = slow
    first = asyncio.create_task(house.ask("find", border(), token=token))
    await waiting.wait()
    assert (await house.ask("find", border(), token=token)).status_code == 200
    assert (await house.ask("find", border(), token=token)).status_code == 403
    await house.attest("presence", Truth.FALSE, org="BA-BP")
    go_on.set()
    answer = await first
    assert answer.status_code == 403
    assert "Q-TERM" in answer.text


async def test_a_permission_that_only_a_denial_asks_for_is_spent_too(house):
    """GR-N1 refuses investigators without the owner's approval; no allow line names it."""
    for fact in ("case_number", "le_grounds", "hit_token"):
        await house.attest(fact, org="AT-CP")
    await house.attest("verified", org="AT-CP", by_unit="AT-VA-1")
    await house.attest("owner_approval", org="AT-CP", uses=1)
    token = house.token("AT-CP", "investigator", strong=True, unit="AT-CP-1")
    consult = {
        "dataset": "persons",
        "owners": ["GR"],
        "categories": ["direct_identifier"],
        "view": "full",
        "purpose": "law_enforcement",
        "basis": "EUR-20",
        "case_no": "K-1",
        "reason": REASON,
        "reference": {"kind": "person", "ref": PERSON},
    }
    codes = [await house.ask("consult", consult, token=token) for _ in range(2)]
    assert [answer.status_code for answer in codes] == [200, 403], codes[0].text
    assert "GR-N1" in codes[1].text


async def test_the_consent_that_frees_a_mark_is_spent_too(house, mark):  # noqa: F811
    await house.attest("sender_consent", org="AT-AS", owner="BA", uses=1)
    codes = [(await ask(house, "AT-AS", mark)).status_code for _ in range(2)]
    assert codes == [200, 403]


async def test_a_no_does_not_end_even_when_nobody_can_count(house):
    await house.attest("presence", Truth.FALSE, org="BA-BP", uses=1)
    await house.attest("presence", org="BA-BP", officer="officer-1")
    (house.folder / "state.sqlite").unlink()
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 403


async def test_a_fact_that_restricts_does_not_end_even_when_nobody_can_count(house):
    await house.attest("presence", org="BA-BP")
    token = house.token("BA-BP", "border_officer")
    assert CANARY_NAME in (await house.ask("find", border(), token=token)).text
    await house.attest("blocked", org="BA-BP", unused=1)
    (house.folder / "state.sqlite").unlink()
    answer = await house.ask("find", border(), token=token)
    assert answer.status_code == 200
    assert CANARY_NAME not in answer.text


async def test_a_register_that_is_down_spends_nothing(house):
    await house.attest("presence", org="BA-BP", uses=1)
    token = house.token("BA-BP", "border_officer")
    source = house.runtime.sources["BA"]
    fetch = source.fetch

    async def down(_question):
        raise SourceUnavailableError("down")

    source.fetch = down
    assert "unavailable" in (await house.ask("find", border(), token=token)).text
    source.fetch = fetch
    assert (await house.ask("find", border(), token=token)).status_code == 200
    assert (await house.ask("find", border(), token=token)).status_code == 403


async def test_permissions_of_others_cost_no_look_up(house):
    await house.attest("presence", org="RS-BP", uses=1)
    await house.attest("presence", org="BA-BP")
    (house.folder / "state.sqlite").unlink()
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 200


async def test_without_the_count_a_counted_permission_counts_for_nothing(house):
    await house.attest("presence", org="BA-BP", uses=1)
    (house.folder / "state.sqlite").unlink()
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 403
    assert "F03" in answer.text


@pytest.mark.parametrize(
    "arguments", [("presence", "--truth", "false"), ("blocked",), ("presence", "--person", "p-1")]
)
def test_the_command_gives_limits_to_permissions_only(house_folder, arguments):
    config = ("--config", str(house_folder / "cuvar.toml"))
    done = CliRunner().invoke(cuvar, ["attest", *arguments, "--uses", "1", *config])
    assert done.exit_code == 2, done.output
