# SPDX-License-Identifier: EUPL-1.2
"""Asylum files and readmission cases.

Few of those who declare an intention lodge a claim in Bosnia or Serbia (about one in eleven), most
do in Austria and Slovenia; the shares are set per country. A readmission case stands in both
registers: the asking state's file is its own, the asked state's was received from it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np

from gateway.region.columns import Codes, Days, Frame, Numbers, Several, Words, flags
from gateway.region.datafiles import COUNTRIES, MEMBERS, nations, places
from gateway.region.journeys import Journeys
from gateway.region.local import Local, origins, running, standing
from gateway.region.randomness import MISSING, Ints, choose, stream, texts, thin
from gateway.region.registering import CATEGORIES, Registered

__all__ = ["asylum_frame", "readmission_frame"]

_CLAIMS: Final[Mapping[str, float]] = {
    "BA": 0.04,
    "HR": 0.08,
    "RS": 0.03,
    "ME": 0.05,
    "AL": 0.04,
    "GR": 0.15,
    "AT": 0.25,
    "SI": 0.15,
    "MK": 0.03,
}
"""Claims of persons registered otherwise than as applicants."""
_STATES: Final = ("open", "granted", "refused", "withdrawn", "closed")
_REPLY_DAYS: Final = {"RS": 10, "BA": 10, "ME": 12, "AL": 14, "MK": 14}
_CASE_STATES: Final = ("requested", "accepted", "refused", "transferred", "lapsed")


def asylum_frame(local: Local, registered: Registered) -> Frame:
    """One file a claimant."""
    rng, today = local.stream("asylum"), local.plan.today
    asked = registered.category == CATEGORIES.index("ASY")
    person = np.flatnonzero(asked | thin(rng, _CLAIMS[local.country], local.count))
    count = len(person)
    applied = np.minimum(local.seen.day[person] + rng.integers(0, 25, count), today)
    settled = today - applied > 120  # noqa: PLR2004  younger claims are all open
    state = np.where(settled, choose(rng, [0.22, 0.24, 0.22, 0.2, 0.12], count), 0)
    here = COUNTRIES.index(local.country)
    before = local.seen.previous[person]
    union = np.isin(before, [COUNTRIES.index(country) for country in sorted(MEMBERS)])
    elsewhere = union & thin(rng, 0.35 if local.member else 0.0, count)
    moved = thin(rng, 0.01 if local.member else 0.0, count)
    granted = state == 1
    until = applied + 10 * 365 + 3
    ten_years = Codes(np.zeros(count, dtype=np.int64), ("ASY",))
    return {
        "record_key": running(person),
        "person_key": Numbers(person),
        "applied_on": Days(applied),
        "responsible_state": Codes(np.where(elsewhere, before, here), COUNTRIES),
        "relocation_state": Codes(np.where(moved, COUNTRIES.index("AT"), -1), COUNTRIES),
        "transfer_arrival_on": Days(
            np.where(
                elsewhere & thin(rng, 0.3, count),
                np.minimum(applied + rng.integers(60, 240, count), today),
                MISSING,
            )
        ),
        "claim_state": Codes(state, _STATES),
        "status_granted_on": Days(
            np.where(granted, applied + _share(rng, today - applied), MISSING)
        ),
        "protection_marked": flags(granted),
        "rejected_no_right_to_remain": flags((state == 2) & thin(rng, 0.6, count)),  # noqa: PLR2004
        **standing(local, "asylum", until, "asylum", ten_years),
        **origins(local, "asylum", before),
    }


def _share(rng: np.random.Generator, days: Ints) -> Ints:
    """Some part of these days, never less than half of them."""
    return np.asarray((days * (0.5 + rng.random(len(days)) / 2)).astype(np.int64))


@lru_cache(maxsize=1)
def _agreements() -> dict[frozenset[str], str]:
    text = (files("policies") / "rules" / "agreements.csv").read_text(encoding="utf-8")
    found: dict[frozenset[str], str] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["kind"] == "readmission":
            found.setdefault(frozenset((row["a"], row["b"])), row["id"])
    return found


def _reference(asking: str, asked: str) -> str:
    return _agreements().get(frozenset((asking, asked)), f"ad hoc {asking}-{asked}")


def _moves(local: Local, journeys: Journeys) -> tuple[Ints, Ints, Ints, Ints]:
    """The cases that concern this country: appearance that asked, its state and the asked state.

    Drawn from one stream for the whole region, so that both registers hold the same cases.
    """
    rng = stream(local.plan.seed, "readmissions")
    chosen = thin(rng, local.rates.readmission, len(journeys.person)) & (journeys.previous >= 0)
    at = np.flatnonzero(chosen)
    here = COUNTRIES.index(local.country)
    asking, asked = journeys.country[at], journeys.previous[at]
    mine = (asking == here) | (asked == here)
    return at[mine], np.flatnonzero(mine), asking[mine], asked[mine]


def readmission_frame(local: Local, journeys: Journeys, persons: Frame) -> Frame:
    """Cases that this country asked for or was asked for; `other_party` is the other state."""
    at, number, asking, asked = _moves(local, journeys)
    here = COUNTRIES.index(local.country)
    place = np.full(local.world.count, -1)
    place[local.seen.person] = np.arange(local.count)
    person = place[journeys.person[at]]
    kept = person >= 0
    at, number, asking, asked, person = (x[kept] for x in (at, number, asking, asked, person))
    count = len(at)
    pairs = [
        (COUNTRIES[a], COUNTRIES[b]) for a, b in zip(asking.tolist(), asked.tolist(), strict=True)
    ]
    mine = asking == here
    until = journeys.day[at] + 5 * 365
    sender = np.where(mine, -1, asking)
    return {
        "record_key": running(person),
        "person_key": Numbers(person),
        "other_party": Codes(np.where(mine, asked, asking), COUNTRIES),
        "case_no": Words(
            texts([f"{a}-{b}-{n:06d}" for (a, b), n in zip(pairs, number.tolist(), strict=True)])
        ),
        "agreement_ref": Words(texts([_reference(a, b) for a, b in pairs])),
        **_case(local, at, journeys, pairs),
        **_subject(local, persons, person),
        **_route(journeys, at),
        **standing(
            local, "readmissions", until, "return", Codes(np.zeros(count, dtype=np.int64), ("RDM",))
        ),
        "provenance": Codes(mine.astype(np.int64), ("abroad", "national")),
        "received_from": Codes(sender, COUNTRIES),
    }


def _case(local: Local, at: Ints, journeys: Journeys, pairs: list[tuple[str, str]]) -> Frame:
    """Dates and outcome; drawn from the region's stream so that both registers agree."""
    rng = stream(local.plan.seed, "readmission cases")
    size = len(journeys.person)
    asked_after = rng.integers(1, 20, size)[at]
    outcome = choose(rng, [0.2, 0.3, 0.2, 0.25, 0.05], size)[at]
    evidence = choose(rng, [0.2, 0.3, 0.5], size)[at]
    requested = np.minimum(journeys.day[at] + asked_after, local.plan.today)
    reply = np.array([_REPLY_DAYS.get(asked, 10) for _, asked in pairs], dtype=np.int64)
    agreed = np.isin(outcome, (1, 3))
    answer = np.select([agreed, outcome == 2], [0, 1], default=-1)  # noqa: PLR2004
    return {
        "requested_on": Days(requested),
        "reply_due_on": Days(requested + reply),
        "transfer_due_on": Days(np.where(agreed, requested + 90, MISSING)),
        "evidence_class": Codes(evidence, ("annex1", "annex2", "annex3")),
        "state": Codes(outcome, _CASE_STATES),
        "reply": Codes(answer, ("agreed", "refused with reasons")),
    }


def _subject(local: Local, persons: Frame, person: Ints) -> Frame:
    """What RDM-03 allows about the person, as the register holds it."""
    rng = local.stream("readmission subjects")
    same = (
        "surnames",
        "forenames",
        "previous_names",
        "aliases",
        "sex",
        "date_of_birth",
        "place_of_birth",
        "doc_type",
        "doc_number",
    )
    codes = tuple(row.code for row in nations())
    nation = local.world.nation[local.seen.person[person]]
    has = local.world.document[local.seen.person[person]] >= 0
    place = persons["place_of_birth"].at(person)
    return {
        **{name: persons[name].at(person) for name in same},
        "civil_status": Codes(
            choose(rng, [0.6, 0.34, 0.06], len(person)), ("single", "married", "widowed")
        ),
        "nationality": Codes(nation, codes),
        "previous_nationalities": Several(
            np.where(thin(rng, 0.03, len(person)), (nation + 1) % len(codes), -1)[:, None], codes
        ),
        "valid_until": persons["doc_expiry"].at(person),
        "issued_on": persons["doc_issued_on"].at(person),
        "authority": Codes(np.where(has, nation, -1), tuple(f"authority of {c}" for c in codes)),
        "issue_place": Codes(
            np.where(has, place.numbers, -1) if isinstance(place, Codes) else nation,
            place.words if isinstance(place, Codes) else codes,
        ),
    }


def _route(journeys: Journeys, at: Ints) -> Frame:
    """The countries passed before the asking one, and the asked one's likeliest border place."""
    back = np.stack([journeys.previous[at], _before(journeys, at)], axis=1)
    crossing = [places(country)[0].name.split(", ")[0] for country in COUNTRIES]
    asking, asked = journeys.country[at].tolist(), journeys.previous[at].tolist()
    return {
        "stopovers": Several(back, COUNTRIES),
        "itineraries": Words(
            texts([f"{crossing[b]} - {crossing[a]}" for a, b in zip(asking, asked, strict=True)])
        ),
    }


def _before(journeys: Journeys, at: Ints) -> Ints:
    """The country before the previous one, -1 when the person had not been seen there."""
    return np.where(journeys.hop[at] > 1, journeys.previous[at - 1], -1)
