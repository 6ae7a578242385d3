# SPDX-License-Identifier: EUPL-1.2
import json
from dataclasses import replace

from audit.errors import Trouble
from gateway.logs import Event
from gateway.signals import SignalFields, Words
from gateway.watch import Standing, tell_changes
from tests.gateway.test_pipeline import border

WELL = Standing(ready=True, log=True, facts=True, keys={"i": True}, registers={"BA": "up"})


class Told:
    def __init__(self):
        self.lines = []

    def info(self, event, **fields):
        self.lines.append((event, fields))

    warning = error = info


def between(before, now):
    told = Told()
    tell_changes(before, now, told)
    return told.lines


def test_nothing_new_is_no_line():
    assert between(WELL, WELL) == []


def test_why_the_log_takes_nothing_is_told_as_a_word():
    for trouble in Trouble:
        ill = replace(WELL, log=False, trouble=trouble)
        assert between(WELL, ill) == [(Event.LOG_UNAVAILABLE, {"trouble": trouble.value})]
        assert SignalFields(Words()).clean("trouble", trouble.value) == trouble.value
    assert SignalFields(Words()).clean("trouble", "/home/officer-17/log.db is full") is None


def test_each_part_is_told_when_it_fails_and_when_it_is_back():
    ill = Standing(ready=False, log=False, facts=False, keys={"i": False}, registers={"BA": "down"})
    assert between(WELL, ill) == [
        (Event.LOG_UNAVAILABLE, {}),
        (Event.FACTS_STALE, {}),
        (Event.NOT_READY, {}),
        (Event.KEYS_UNAVAILABLE, {"issuer": "i"}),
        (Event.SOURCE_CHANGED, {"owner": "BA", "state": "down"}),
    ]
    assert between(ill, WELL) == [
        (Event.LOG_AVAILABLE, {}),
        (Event.FACTS_FRESH, {}),
        (Event.READY, {}),
        (Event.KEYS_REFRESHED, {"issuer": "i"}),
        (Event.SOURCE_CHANGED, {"owner": "BA", "state": "up"}),
    ]


async def test_a_running_gateway_sees_its_own_trouble(house):
    await house.attest("presence", org="BA-BP")
    assert house.runtime.standing().registers["BA"] == "up"
    house.register("BA").unlink()
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    part = answer.json()["owners"][0]
    assert (part["status"], part["reason"]) == ("unavailable", "down")
    assert house.runtime.standing().registers["BA"] == "down"
    ready = await house.ready()
    assert (ready["status"], ready["degraded"]) == ("degraded", ["register BA"])
    metrics = (await house.client.get("/metrics")).text
    assert 'cuvar_source_state{owner="BA",state="down"} 1.0' in metrics
    (house.folder / "log.sqlite").rename(house.folder / "away")
    await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert not house.runtime.standing().log
    lines = [json.loads(line) for line in house.output.getvalue().splitlines()]
    assert {"policies.loaded", "gateway.started", "request"} <= {line["event"] for line in lines}
