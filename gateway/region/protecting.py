# SPDX-License-Identifier: EUPL-1.2
"""Protection notes and family links.

Notes carry codes, never a story: the one free text is a fixed sentence that says it is invented.
A note is written for every lone minor known to the authorities and for some others; many come from
aid bodies, which is why enforcement may not see them (HUM-05).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gateway.region.columns import Codes, Days, Form, Frame, Numbers, Several, Words, flags
from gateway.region.datafiles import centres
from gateway.region.local import Local, origins, running, standing
from gateway.region.randomness import MISSING, Flags, Ints, choose, texts, thin
from gateway.region.registering import Registered
from gateway.region.units import CHILD, HEAD, SIBLING, SPOUSE

__all__ = ["family_frame", "protection_frame"]

_NEEDS: Final = ("CR", "SC", "WR", "ER", "SP", "DS", "SM", "FU", "LP", "TR", "SV")
_RELATIONS: Final = ("spouse", "parent", "child", "sibling", "other")
_ELDER: Final = 60
_GUARDIANS: Final = 40
_PLAIN: Final = Form()
_REFERRALS: Final = ("medical", "psychosocial", "legal_aid", "child_protection", "safe_shelter")
_REFERRAL_STATES: Final = ("open", "accepted", "closed")


def _needs(rng: np.random.Generator, local: Local, person: Ints, alone: Flags) -> Several:
    """Up to three codes: what age, sex and unit suggest first, then what is not seen at once."""
    world, who = local.world, local.seen.person[person]
    age, female = local.ages(world.born[local.seen.person])[person], world.female[who]
    first = np.select(
        [alone, age < 18, age >= _ELDER, (female == 1) & (world.role[who] == HEAD), female == 1],  # noqa: PLR2004
        [1, 0, 3, 4, 2],
        default=-1,
    )
    hidden = choose(rng, [3, 4, 1, 3, 4, 1], len(person)) + _NEEDS.index("DS")
    second = np.where((first < 0) | thin(rng, 0.4, len(person)), hidden, -1)
    third = np.where(thin(rng, 0.1, len(person)), (hidden - 4) % 6 + 5, -1)
    third = np.where((third == second) | (third == first), -1, third)
    second = np.where(second == first, -1, second)
    return Several(np.stack([first, second, third], axis=1), _NEEDS)


def protection_frame(local: Local, persons: Frame) -> Frame:
    """At most one note a person."""
    rng, rates = local.stream("protection"), local.rates
    world = local.world
    minor = local.ages(world.born[local.seen.person]) < 18  # noqa: PLR2004
    alone_here = world.lone_minor[local.seen.person] & minor
    person = np.flatnonzero(
        (alone_here & thin(rng, 0.85, local.count)) | thin(rng, rates.protection_note, local.count)
    )
    count, alone, seen_on = len(person), alone_here[person], local.seen.day[person]
    victim = thin(rng, rates.trafficking, count)
    reflection = seen_on + rng.integers(30, 400, count)
    company = np.where(alone, 0, choose(rng, [0.2, 0.3, 0.5], count))
    return {
        "record_key": running(person),
        "person_key": Numbers(person),
        "needs_codes": _needs(rng, local, person, alone),
        "trafficking_mark": flags(victim),
        "reflection_until": Days(np.where(victim, reflection, MISSING)),
        "referral_kind": Codes(choose(rng, [0.3, 0.25, 0.2, 0.15, 0.1], count), _REFERRALS),
        "referral_state": Codes(choose(rng, [0.25, 0.35, 0.4], count), _REFERRAL_STATES),
        "declared_persecutor": persons["declared_persecutor"].at(person),
        "accompanied_by": Codes(company, ("nobody", "relative", "family")),
        **_written(rng, local, victim),
        **_guardian(rng, local, persons, person),
        **standing(local, "protection", seen_on + 5 * 365, "protection", _kept(count, "PROT")),
        **origins(local, "protection", local.seen.previous[person], aid=0.4),
    }


def _kept(count: int, name: str) -> Codes:
    return Codes(np.zeros(count, dtype=np.int64), (name,))


def _written(rng: np.random.Generator, local: Local, victim: Flags) -> Frame:
    """The fixed note, and the safe address of most victims."""
    count = len(victim)
    note = texts([f"Invented note of the synthetic region, {local.country}."] * count)
    note[~thin(rng, 0.5, count)] = None
    address = texts([None] * count)
    safe = victim & thin(rng, 0.6, count)
    address[safe] = f"{centres(local.country)[0].region}, synthetic safe house"
    return {"note": Words(note), "safe_address": Words(address)}


def _guardian(rng: np.random.Generator, local: Local, persons: Frame, person: Ints) -> Frame:
    """Guardian and best-interest day, where the person's record says that there are such."""
    count = len(person)
    has_guardian, has_check = (
        np.array([answer == "yes" for answer in persons[name].at(person).written(_PLAIN, 0, count)])
        for name in ("guardian_record", "best_interest")
    )
    drawn = choose(rng, [1.0] * _GUARDIANS, count).tolist()
    ward = texts([f"{local.country}-G{number:03d}" for number in drawn])
    ward[~has_guardian.astype(np.bool_)] = None
    checked = local.seen.day[person] + rng.integers(1, 40, count)
    checked = np.minimum(checked, local.plan.today)
    return {
        "guardian_ref": Words(ward),
        "best_interest_on": Days(np.where(has_check, checked, MISSING)),
    }


def _links(local: Local) -> tuple[Ints, Ints, Ints]:
    """Pairs of persons of one unit who both stand in this register, with the relation.

    The relation is what the second is to the first.
    """
    world, who = local.world, local.seen.person
    place = np.full(world.count, -1)
    place[who] = np.arange(local.count)
    member = np.flatnonzero(world.role[who] >= SPOUSE)
    head = place[world.unit_start[world.unit[who[member]]]]
    known = head >= 0
    member, head = member[known], head[known]
    role = world.role[who[member]]
    up = np.select([role == SPOUSE, role == CHILD, role == SIBLING], [0, 1, 3])
    down = np.select([role == SPOUSE, role == CHILD, role == SIBLING], [0, 2, 3])
    return (
        np.concatenate([member, head]),
        np.concatenate([head, member]),
        np.concatenate([up, down]),
    )


def family_frame(local: Local, registered: Registered) -> Frame:
    """Links within travelling units, and requests for relatives who are not found yet."""
    rng = local.stream("family")
    first, second, relation = _links(local)
    seekers = np.flatnonzero(thin(rng, local.rates.tracing_request, local.count))
    person = np.concatenate([first, seekers])
    sought = np.concatenate([np.zeros(len(first), bool), np.ones(len(seekers), bool)])
    relation = np.concatenate([relation, choose(rng, [1, 3, 2, 4, 2], len(seekers))])
    linked = np.concatenate(
        [registered.reference[registered.first[second]], texts([None] * len(seekers))]
    )
    order = np.lexsort((relation, person))
    person, sought, relation = person[order], sought[order], relation[order]
    count = len(person)
    evidence = choose(rng, [0.5, 0.3, 0.2], count)
    return {
        "record_key": running(person),
        "person_key": Numbers(person),
        "relation_code": Codes(relation, _RELATIONS),
        "linked_reference": Words(linked[order]),
        "evidence_code": Codes(evidence, ("statement", "document", "observed")),
        "tracing_state": Codes(
            np.where(sought, 0, choose(rng, [0.0, 0.1, 0.9], count)),
            ("searching", "possible_match", "together"),
        ),
        "contact_consent": flags(thin(rng, 0.8, count)),
        **standing(
            local, "family", local.seen.day[person] + 5 * 365, "family", _kept(count, "FAM")
        ),
        **origins(local, "family", local.seen.previous[person], aid=0.12),
    }
