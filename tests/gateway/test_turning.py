# SPDX-License-Identifier: EUPL-1.2
"""The turn of a half-year in a running gateway: logs close, the next open, nothing is lost."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from audit import LogUnavailableError
from gateway.identity import DevIssuer
from gateway.logs import Event
from gateway.turning import turn
from tests.gateway import house as houses
from tests.gateway.house import REASON
from tests.gateway.test_pipeline import border


class Clock:
    """Stands a minute before the next turn until `strike` is called."""

    def __init__(self):
        now = datetime.now(UTC)
        year, month = (now.year, 7) if now.month < 7 else (now.year + 1, 1)
        self.turn = datetime(year, month, 1, tzinfo=UTC)
        self.now = self.turn - timedelta(minutes=1)

    def __call__(self):
        self.now += timedelta(milliseconds=1)
        return self.now

    def seconds(self):
        return self.now.timestamp()

    def strike(self):
        self.now = self.turn + timedelta(seconds=1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def late_house(house_folder, clock, monkeypatch):
    monkeypatch.setattr("gateway.runtime.TURN_S", 0.01)
    monkeypatch.setattr("time.time", clock.seconds)  # logins are as late
    async with houses.running(house_folder, clock) as house:
        house.issuer = DevIssuer(
            house_folder / "issuer",
            issuer=houses.ISSUER,
            audience=houses.AUDIENCE,
            clock=clock.seconds,
        )
        yield house


async def ask(house, owner="RS"):
    question = border(dataset="registrations", owners=[owner], categories=["record"], view="hit")
    answer = await house.ask("find", question, token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 403, answer.text
    return answer.headers["audit-entry"]


async def turned(house):
    async with asyncio.timeout(20):
        while Event.LOG_TURNED not in {e["event"] for e in events(house)}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def origins(house):
    return {country: house.log(country).origin for country in house.sizes()}


def events(house):
    return [json.loads(line) for line in house.output.getvalue().splitlines()]


async def test_after_the_turn_each_country_goes_on_in_the_next_log(late_house, clock, house_folder):
    house = late_house
    old = origins(house)
    first = await ask(house)
    assert first.startswith(old["RS"])
    clock.strike()
    await turned(house)
    second = await ask(house)
    new = origins(house)
    assert second == f"{new['RS']}/1"
    journal = house.runtime.log
    for country, origin in old.items():
        closed, opened = journal.log(origin), journal.log(new[country])
        (last,) = await closed.newest(None, 1)
        (opening,) = await opened.read(0, 1)
        last, opening = json.loads(last.envelope), json.loads(opening.envelope)
        assert (last["kind"], last["link"]["log"]) == ("closing", new[country])
        assert opening["kind"] == "opening"
        assert opening["link"] == {
            "log": origin,
            "size": closed.size,
            "root": closed.root.hex(),
        }
    assert Event.LOG_TURNED in {line["event"] for line in events(house)}
    token = house.token("BA-BP", "border_officer")
    receipt = await house.get(f"/v1/logs/{old['RS']}/receipts/{first[-1]}", token=token)
    assert receipt.status_code == 200
    shown = (await house.get("/v1/logs", token=token)).json()["logs"]
    assert {log["log"]: log["closed"] for log in shown if log["country"] == "RS"} == {
        old["RS"]: True,
        new["RS"]: False,
    }


async def test_questions_at_the_turn_are_each_answered_with_an_entry_or_not_at_all(
    late_house, clock
):
    house = late_house
    old = origins(house)
    question = border(dataset="registrations", owners=["RS"], categories=["record"], view="hit")
    token = house.token("BA-BP", "border_officer")

    async def keep_asking():
        return [await house.ask("find", question, token=token) for _ in range(6)]

    asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
    await asyncio.sleep(0.05)
    clock.strike()
    answers = [answer for answers in await asyncio.gather(*asking) for answer in answers]
    await turned(house)
    assert {answer.status_code for answer in answers} <= {403, 503}
    named = [answer.headers["audit-entry"] for answer in answers if answer.status_code == 403]
    assert len(named) == len(set(named))
    journal, sides = house.runtime.log, {}
    for country in ("RS", "BA"):
        for origin in (old[country], house.log(country).origin):
            log = journal.log(origin)
            found = [json.loads(entry.envelope) for entry in await log.read(0, log.size)]
            sides.setdefault(country, []).extend(
                e["id"] for e in found if (e["owner"] or {}).get("country") == "RS"
            )
    assert sides["RS"] == sides["BA"]
    assert len(sides["RS"]) >= len(named)


async def test_a_dpo_reads_across_the_turn_with_one_cursor(late_house, clock):
    house = late_house
    old = origins(house)
    for _ in range(3):
        await ask(house)
    clock.strike()
    await turned(house)
    await ask(house)
    token = house.token("BA-DO", "dpo", strong=True)
    question = {
        "dataset": "log",
        "owners": ["BA"],
        "categories": ["log_envelope"],
        "view": "full",
        "purpose": "oversight",
        "basis": "GDP-07",
        "reason": REASON,
        "limit": 2,
    }
    size = sum(house.runtime.log.log(o).size for o in (old["BA"], house.log("BA").origin))
    seen, after = [], None
    while True:
        asked = question if after is None else {**question, "after": after}
        answer = await house.ask("list", asked, token=token)
        assert answer.status_code == 200, answer.text
        (part,) = answer.json()["owners"]
        seen += [(row["log"], row["index"]) for r in part["results"] for row in r["rows"]]
        after = part.get("next")
        if after is None:
            break
    assert len(seen) == len(set(seen)) == size
    assert {log for log, _ in seen} == {old["BA"], house.log("BA").origin}
    assert seen == sorted(seen, key=lambda one: (one[0], one[1]), reverse=True)
    one = {key: value for key, value in question.items() if key != "limit"}
    half = old["BA"].rpartition("/")[2]
    ref = {"reference": {"kind": "record", "ref": f"{half}/1"}}
    read = await house.ask("read", {**one, **ref}, token=token)
    assert read.status_code == 200, read.text
    (row,) = read.json()["owners"][0]["results"][0]["rows"]
    assert (row["log"], row["index"]) == (old["BA"], 1)


async def test_a_turn_that_fails_is_told_and_tried_again(house_folder, clock):
    async with houses.running(house_folder, clock) as house:
        journal, tries = house.runtime.log, []
        opens = journal._open_after

        async def failing(*arguments):
            tries.append(arguments)
            if len(tries) < 3:
                raise LogUnavailableError("the disk is full")
            await opens(*arguments)

        journal._open_after = failing
        clock.strike()
        task = asyncio.create_task(turn(journal, house.runtime.events, 0.01))
        await turned(house)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        told = [line["event"] for line in events(house)]
        assert told.count(Event.LOG_NOT_TURNED) == 2
        assert Event.LOG_TURNED in told
        await ask(house)
