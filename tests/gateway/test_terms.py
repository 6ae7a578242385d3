# SPDX-License-Identifier: EUPL-1.2
"""Uses of a rule line: counted before the answer, never overspent, and over when nobody can say."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from gateway.state import METADATA
from gateway.store import Store
from gateway.terms import Terms
from policies.loader import build, read_folder
from tests.gateway import house as houses
from tests.gateway.test_pipeline import border

RULES = Path(__file__).parents[2] / "policies/rules"
TODAY = date(2026, 11, 24)


@pytest.fixture
def limited(house_folder):
    """A house whose border officers at home have two answers."""
    houses.copy(RULES, house_folder / "my-rules")
    (house_folder / "my-rules/BA/terms.csv").write_text(
        "rule,from,to,uses,unused_days\nBA-O01,-,-,2,-\n", encoding="utf-8"
    )
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('"example"', '"my-rules"'), encoding="utf-8")
    return house_folder


async def test_the_answer_after_the_last_use_is_refused_and_says_why(limited):
    async with houses.running(limited) as house:
        await house.attest("presence", org="BA-BP")
        token = house.token("BA-BP", "border_officer")
        asked = border(categories=["direct_identifier"])
        codes = [(await house.ask("find", asked, token=token)).status_code for _ in range(2)]
        assert codes == [200, 200]
        third = await house.ask("find", asked, token=token)
        assert third.status_code == 403
        (owner,) = third.json()["owners"]
        assert owner["withheld"] == [{"category": "direct_identifier", "rules": ["Q-TERM"]}]
        assert (await house.entries())[-1]["rules"] == ["Q-TERM"]


async def test_askers_at_once_share_the_uses_that_are_left(limited):
    async with houses.running(limited) as house:
        await house.attest("presence", org="BA-BP")
        asked = border(categories=["direct_identifier"])
        answers = await asyncio.gather(
            *(
                house.ask("find", asked, token=house.token("BA-BP", "border_officer"))
                for _ in range(8)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200, 200] + [403] * 6


async def test_a_state_database_that_is_gone_ends_every_counted_line(limited):
    async with houses.running(limited) as house:
        await house.attest("presence", org="BA-BP")
        (limited / "state.sqlite").unlink()
        answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 403
    assert "Q-TERM" in answer.text


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_last_use_is_given_once_on_each_database(kind, tmp_path, postgres):
    url = f"sqlite:///{tmp_path}/state.sqlite"
    if kind == "postgres":
        url = postgres.url(postgres.new_database("terms"))
    await asyncio.to_thread(Store.create, url, METADATA, name="state")
    files = read_folder(RULES)
    files["BA/terms.csv"] = b"rule,from,to,uses,unused_days\nBA-O01,-,-,5,-\nBA-O02,-,-,9,-\n"
    snapshot = build(files, on=TODAY)
    store = Store(url, name="state")
    terms = Terms(store)
    spent = await asyncio.gather(
        *(terms.spend(map(snapshot.book.terms.get, ("BA-O01", "BA-O02")), TODAY) for _ in range(12))
    )
    assert sum(spent) == 5
    assert await terms.lines_over(snapshot, TODAY) == {"BA-O01"}
    # What a refused use had counted of the other line was taken back.
    assert [await terms.spend([snapshot.book.terms["BA-O02"]], TODAY) for _ in range(5)] == [
        True
    ] * 4 + [False]
    assert await terms.lines_over(snapshot, TODAY) == {"BA-O01", "BA-O02"}
    await store.close()


async def test_rules_without_terms_ask_no_database(tmp_path):
    snapshot = build(read_folder(RULES), on=TODAY)
    nowhere = Terms(Store(f"sqlite:///{tmp_path}/none.sqlite", name="state"))
    assert await nowhere.lines_over(snapshot, TODAY) == frozenset()
    assert await nowhere.spend([], TODAY)
