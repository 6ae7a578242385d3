# SPDX-License-Identifier: EUPL-1.2
"""What a treated page costs: 50 rows of 20 fields, and pseudonyms against one hash a row.

Bare is what any answer must do anyway: writing the page as JSON with the fastest encoder at hand.
"""

import hashlib
import os
import secrets
from datetime import date

import orjson

from anonymise import Domain, Keyring, ViewContext, compile_view
from bench.figure import Figure, at_most, interleaved

NAME = "views"
ROWS = 50
BATCH = 20_000
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
    "biographic.date_of_birth": "age_band_3",
    "biographic.sex": "sex_merged",
    "biographic.languages": "language_common",
    "biographic.nationalities": "region_of_origin",
    "travel.origin_state": "yes_no",
    "travel.event_date": "week_or_month",
    "asylum.applied_on": "month",
    "asylum.claim_state": "claim_open",
    "accommodation.centre_id": "has_value",
    "accommodation.arrived_on": "month",
    "accommodation.family_group_no": "size_band",
    "protection.separate_room": "yes_no",
    "protection.needs_codes": "vulnerable",
    "protection.referral_kind": "procedural_need",
    "protection.referral_state": "yes_no",
    "family.relation_code": "yes_no",
    "family.tracing_state": "contact_unit",
}


def _row(number: int) -> dict[str, str | bool | date | tuple[str, ...] | None]:
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


def _pages() -> list[Figure]:
    rows = [_row(number) for number in range(ROWS)]
    cipher = Keyring.of({"BA": os.urandom(32)}).domain_cipher(
        Domain("BA", "UNHCR", "humanitarian_assistance", "2026q4")
    )
    context = ViewContext(
        today=TODAY,
        case_nos=[f"BA-7K3D-9QXR-2F-{number:02}" for number in range(ROWS)],
        coded=cipher.code,
        counts={"biographic.nationalities": {"AF": 40}, "biographic.sex": {"M": 25, "F": 25}},
        places={"Velika Kladuša": "una_sana"},
        randbelow=secrets.randbelow,
    )
    full = compile_view("full", dict.fromkeys(TREATMENTS, "keep"))
    pseudonym = compile_view("pseudonym", TREATMENTS)
    general = compile_view("generalised", GENERAL)
    assert len(TREATMENTS) == 20
    took = interleaved(
        {
            "write": lambda: orjson.dumps(rows),
            "full": lambda: full.apply(rows, context),
            "pseudonym": lambda: pseudonym.apply(rows, context),
            "generalised": lambda: general.apply(rows, context),
            "compile": lambda: compile_view("pseudonym", TREATMENTS),
        },
        rounds=41,
        repeats=20,
    )
    named = {
        "full": "page of 50 x 20 at full",
        "pseudonym": "as pseudonyms",
        "generalised": "generalised",
    }
    return [
        Figure("writing a page of 50 x 20 as JSON", took["write"] * 1e3, "ms"),
        *(at_most(named[view], took[view] * 1e3, "ms", 1.0) for view in named),
        Figure("compiling its plan (once for each set of cells)", took["compile"] * 1e3, "ms"),
    ]


def _pseudonyms() -> list[Figure]:
    people = [os.urandom(16) for _ in range(BATCH)]
    page = people[:ROWS]
    keyring = Keyring.of({"BA": os.urandom(32)})
    domain = Domain("BA", "UNHCR", "humanitarian_assistance", "2026q4")
    cipher = keyring.domain_cipher(domain)

    def hashed() -> None:
        for person in people:
            hashlib.sha256(person).digest()

    took = interleaved(
        {
            "hash": hashed,
            "batch": lambda: cipher.pseudonyms(people),
            "page": lambda: [cipher.pseudonyms(page) for _ in range(BATCH // ROWS)],
            "domain": lambda: keyring.domain_cipher(domain),
        },
        rounds=15,
    )
    return [
        Figure("one SHA-256 call a row, in a loop", took["hash"] / BATCH * 1e9, "ns/row"),
        Figure("pseudonyms, 20,000 at once", took["batch"] / BATCH * 1e9, "ns/row"),
        at_most("  against the hash", took["batch"] / took["hash"], "x", 1.0),
        Figure("pseudonyms, pages of 50", took["page"] / BATCH * 1e9, "ns/row"),
        at_most("  against the hash", took["page"] / took["hash"], "x", 1.0),
        Figure("deriving a domain's keys (once for each answer)", took["domain"] * 1e6, "us"),
    ]


def run() -> list[Figure]:
    """Measure pages, then pseudonyms."""
    return [*_pages(), *_pseudonyms()]
