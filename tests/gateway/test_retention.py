# SPDX-License-Identifier: EUPL-1.2
"""The month in an entry: from the records that left, by the clock of each log's country."""

import json

from audit.retention import Terms
from gateway.retention import clock_of
from gateway.settings import load_settings
from tests.gateway.house import REASON
from tests.gateway.small import CANARY_NAME, PERSON, change

HIT = {
    "dataset": "registrations",
    "owners": ["RS"],
    "categories": ["record"],
    "view": "hit",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": REASON,
    "subject": {"surnames": CANARY_NAME, "forenames": "Amir", "date_of_birth": "1985-04-03"},
}


async def month(house, country="RS", **changes):
    await house.ask("find", {**HIT, **changes}, token=house.token("BA-BP", "border_officer"))
    journal = house.runtime.log
    (entry,) = await journal.log(journal.current(country)).newest(None, 1)
    envelope = json.loads(entry.envelope)
    return envelope["erase"], envelope["count"]


async def test_a_released_records_storage_sets_the_month_in_both_logs(house):
    await house.attest("presence", org="BA-BP")
    assert await month(house) == ("2036-06", 1)
    assert await month(house, "BA") == ("2036-06", 1)


async def test_what_is_not_released_does_not_show_in_the_month(house):
    await house.attest("presence", org="BA-BP")
    nobody = {"subject": {**HIT["subject"], "surnames": "NOBODY"}}
    empty = await month(house, **nobody)
    assert empty[1] == 0
    change(house.register("RS"), "person", PERSON, t_nationalities="BA")
    assert await month(house) == empty


async def test_the_clock_follows_the_settings(house):
    file = house.folder / "cuvar.toml"
    file.write_text(
        file.read_text(encoding="utf-8")
        + "\n[log.retention]\nle_months = { BA = 36 }\nround_months = 3\n",
        encoding="utf-8",
    )
    terms = clock_of(load_settings(file)).terms
    assert terms == Terms(le_months={"BA": 36}, round_months=3)
