# SPDX-License-Identifier: EUPL-1.2
"""What a treated page costs: 50 rows of 20 fields, beside one hash for each of its values.

Bare is what any answer must do anyway: writing the page as JSON with the fastest encoder at hand.
What pseudonyms cost is measured by the bench of that name.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from time import thread_time
from typing import Any

import orjson

from anonymise import Domain, Keyring, ViewContext, compile_view
from bench.figure import Figure, at_most, interleaved, turns

NAME = "views"
ROWS = 50
TODAY = date(2026, 11, 24)

# Twenty fields of a stay with its person, protection and family parts.
TREATMENTS = {
    "biographic.date_of_birth": "age_band",
    "biographic.sex": "keep",
    "biographic.languages": "keep",
    "biographic.nationalities": "nationality_or_region",
    "travel.origin_state": "keep",
    "travel.event_place": "place_region",
    "travel.event_date": "week",
    "asylum.applied_on": "week",
    "asylum.claim_state": "claim_state_3",
    "accommodation.centre_id": "keep",
    "accommodation.arrived_on": "week",
    "accommodation.family_group_no": "coded",
    "protection.medical_alert_code": "yes_no",
    "protection.separate_room": "keep",
    "protection.needs_codes": "keep",
    "protection.referral_kind": "keep",
    "protection.referral_state": "keep",
    "protection.guardian_ref": "has_value",
    "family.relation_code": "keep",
    "family.tracing_state": "keep",
}
GENERAL = {
    **TREATMENTS,
    "biographic.date_of_birth": "age_band_10",
    "biographic.sex": "sex_merged",
    "biographic.languages": "language_common",
    "travel.origin_state": "yes_no",
    "travel.event_date": "week_or_month",
    "asylum.applied_on": "week_or_month",
    "asylum.claim_state": "claim_open",
    "accommodation.centre_id": "centre_region",
    "accommodation.arrived_on": "week_or_month",
    "accommodation.family_group_no": "size_band",
    "protection.separate_room": "yes_no",
    "protection.needs_codes": "vulnerable",
    "protection.referral_kind": "procedural_need",
    "protection.referral_state": "yes_no",
    "family.relation_code": "yes_no",
    "family.tracing_state": "contact_unit",
}


# What the rules let be told of stays in generalised rows.
STAY = (
    "biographic.date_of_birth",
    "biographic.languages",
    "accommodation.centre_id",
    "accommodation.arrived_on",
    "accommodation.family_group_no",
    "protection.medical_alert_code",
)


def _row(number: int) -> dict[str, Any]:
    return {
        "biographic.date_of_birth": date(1960 + number, 1 + number % 12, 1 + number % 28),
        "biographic.dob_precision": "day" if number % 3 else "year",
        "biographic.sex": "MF"[number % 2],
        "biographic.languages": ("ps", "prs"),
        "biographic.nationalities": ("AF",) if number % 5 else ("AF", "PK"),
        "travel.origin_state": "RS",
        "travel.event_place": "Velika Kladuša",
        "travel.event_date": date(2026, 10, 1 + number % 28),
        "asylum.applied_on": date(2026, 11, 1 + number % 20),
        "asylum.claim_state": "open",
        "accommodation.centre_id": "BA-02",
        "accommodation.arrived_on": date(2026, 11, 1 + number % 20),
        "accommodation.family_group_no": str(number // 3),
        "protection.medical_alert_code": None if number % 4 else "A2",
        "protection.separate_room": number % 7 == 0,
        "protection.needs_codes": ("SM", "SP") if number % 4 == 0 else (),
        "protection.referral_kind": "medical",
        "protection.referral_state": "open",
        "protection.guardian_ref": None,
        "family.relation_code": "sibling",
        "family.tracing_state": "open",
    }


def _loops(rows: list[dict[str, Any]]) -> dict[str, Callable[[], object]]:
    """What one call of a hash for each value of the page costs: the yardstick."""
    values = [repr(value).encode() for row in rows for value in row.values()]
    key = os.urandom(32)

    def hashed() -> None:
        for value in values:
            hashlib.sha256(value).digest()

    def keyed() -> None:
        for value in values:
            hmac.digest(key, value, "sha256")

    return {"hash": hashed, "hmac": keyed}


def _plans(
    rows: list[dict[str, Any]], context: ViewContext
) -> tuple[dict[str, Callable[[], object]], int]:
    """A page under each view, and how many of its generalised rows are told."""
    full = compile_view("full", dict.fromkeys(TREATMENTS, "keep"))
    pseudonym = compile_view("pseudonym", TREATMENTS)
    general = compile_view("generalised", GENERAL)
    assert len(TREATMENTS) == len(GENERAL) == 20
    crowd = general.gather(rows * 10, range(10 * ROWS), context)
    among = replace(context, crowd=crowd)
    return {
        "full": lambda: full.apply(rows, context),
        "pseudonym": lambda: pseudonym.apply(rows, context),
        "generalised": lambda: general.apply(rows, among),
        "compile": lambda: compile_view("pseudonym", TREATMENTS),
    }, len(general.apply(rows, among))


def _crowds(rows: list[dict[str, Any]], context: ViewContext) -> list[Figure]:
    """Gathering the crowd of a whole list, as large as case loads are and as large as it gets."""
    plan = compile_view("generalised", {name: GENERAL[name] for name in STAY})
    figures = []
    for size in (50, 500, 5_000):
        everybody = [rows[number % ROWS] for number in range(size)]
        took = interleaved(
            {"gather": partial(plan.gather, everybody, range(size), context)}, rounds=3
        )
        figures.append(Figure(f"gathering the crowd of {size:,} stays", took["gather"] * 1e3, "ms"))
    return figures


def run() -> list[Figure]:
    """Measure pages, then crowds."""
    rows = [_row(number) for number in range(ROWS)]
    cipher = Keyring.of({"BA": os.urandom(32)}).domain_cipher(
        Domain("BA", "UNHCR", "humanitarian_assistance", "2026q4")
    )
    context = ViewContext(
        today=TODAY,
        case_nos=[f"BA-7K3D-9QXR-2F-{number:02}" for number in range(ROWS)],
        coded=cipher.code,
        counts={"biographic.nationalities": {"AF": 400}, "biographic.sex": {"M": 250, "F": 250}},
        places={"Velika Kladuša": "una_sana", "BA-02": "una_sana"},
        randbelow=secrets.randbelow,
    )
    plans, told = _plans(rows, context)
    assert told == ROWS
    jobs = {"write": lambda: orjson.dumps(rows), **_loops(rows), **plans}
    # A page only computes: other work on the machine can add to a round, never take from it, so
    # the least of the rounds is what the page costs (as timeit says).
    times = turns(
        jobs,
        rounds=41,
        repeats=dict.fromkeys(jobs, 20),
        clocks=dict.fromkeys(jobs, thread_time),
    )
    took = {name: min(found) * 1e6 for name, found in times.items()}
    named = {
        "full": "page of 50 x 20 at full",
        "pseudonym": "as pseudonyms",
        "generalised": "generalised, in its crowd",
    }
    return [
        Figure("writing a page of 50 x 20 as JSON", took["write"], "us"),
        Figure("one hashlib SHA-256 a value, in a loop", took["hash"], "us"),
        Figure("one hmac SHA-256 a value, in a loop", took["hmac"], "us"),
        *(at_most(named[view], took[view], "us", 300) for view in named),
        Figure("compiling its plan (once for each set of cells)", took["compile"], "us"),
        *_crowds(rows, context),
    ]
