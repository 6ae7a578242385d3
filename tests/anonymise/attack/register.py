# SPDX-License-Identifier: EUPL-1.2
"""A made-up register of one country, a month of it, and what attackers know of its people.

Three thousand people in reception, shaped after the region's figures (law reference, section
5.4): mostly young men, a few large nationalities and a long tail, some families, few needs.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

TODAY = date(2026, 11, 24)
PEOPLE = 3_000
KNOWN_SHARE = 0.01
CENTRES = {"BA-01": "north", "BA-02": "north", "BA-03": "centre", "BA-04": "south"}
_NATIONS = {
    "AF": 30, "SY": 24, "MA": 14, "PK": 9, "EG": 6, "SD": 5, "BD": 4, "IR": 3, "IQ": 2,
    "TR": 1.5, "CU": 0.6, "NP": 0.4, "SO": 0.3, "ER": 0.2,
}  # fmt: skip
_LANGUAGES = {
    "AF": (("prs",), ("ps",), ("prs", "ps")), "SY": (("ar",), ("ar", "ku")), "MA": (("ar",),
    ("ar", "fr")), "PK": (("ur",), ("ps", "ur")), "EG": (("ar",),), "SD": (("ar",),),
    "BD": (("bn",),), "IR": (("fa",),), "IQ": (("ar",), ("ku",)), "TR": (("tr",), ("ku", "tr")),
    "CU": (("es",),), "NP": (("ne",),), "SO": (("so",),), "ER": (("ti",),),
}  # fmt: skip
_NEEDS = ("SM", "SV", "TR", "DS", "SP", "WR")


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person as the register has him, all datasets together."""

    reference: str
    surrogate: bytes
    values: dict

    def __repr__(self):
        return f"Person({self.reference})"


def _choice(dice, weights):
    return dice.choices(list(weights), list(weights.values()))[0]


def _person(dice, number, family):
    age = min(84, max(0, int(dice.gauss(26, 9)))) if not family else dice.choice((34, 31, 9, 6, 3))
    nation = _choice(dice, _NATIONS)
    born = TODAY - timedelta(days=365 * age + dice.randrange(365))
    sex = "F" if dice.random() < (0.5 if family else 0.06) else "M"
    arrived = TODAY - timedelta(days=min(300, int(dice.expovariate(1 / 25))))
    needs = (dice.choice(_NEEDS),) if dice.random() < (0.35 if family else 0.12) else ()
    minor = age < 18
    return {
        "biographic.date_of_birth": born,
        "biographic.dob_precision": "year" if dice.random() < 0.3 else "day",
        "biographic.age": age,
        "biographic.sex": sex,
        "biographic.nationalities": (nation,),
        "biographic.languages": dice.choice(_LANGUAGES[nation]),
        "accommodation.centre_id": dice.choice(sorted(CENTRES)),
        "accommodation.arrived_on": arrived,
        "accommodation.family_group_no": family or None,
        "asylum.applied_on": arrived + timedelta(days=dice.randrange(14)),
        "asylum.claim_state": _choice(dice, {"open": 70, "refused": 20, "granted": 10}),
        "protection.medical_alert_code": "A1" if dice.random() < 0.07 else None,
        "protection.separate_room": sex == "F" and dice.random() < 0.3,
        "protection.needs_codes": (*needs, "SC") if minor and not family else needs,
        "protection.referral_kind": "medical" if "SM" in needs else None,
        "protection.referral_state": "open" if needs else None,
        "protection.guardian_ref": f"G-{number}" if minor and not family else None,
        "family.relation_code": "sibling" if family else None,
        "family.tracing_state": "open" if dice.random() < 0.1 else None,
    }


def register(seed=1, people=PEOPLE):
    """Everybody, in the register's own order."""
    dice = random.Random(seed)  # noqa: S311 - made-up people need a seed, not a secret
    found, family, left = [], "", 0
    for number in range(people):
        if left == 0:
            starts = dice.random() < 0.06
            family, left = (f"{number}", dice.choice((2, 3, 4, 5))) if starts else ("", 1)
        left -= 1
        found.append(
            Person(
                f"P-{number}",
                dice.randbytes(16),
                _person(dice, number, family),
            )
        )
    return found


def known(people, seed=2, share=KNOWN_SHARE):
    """The people of whom an attacker knows everything but what is sensitive."""
    return random.Random(seed).sample(people, round(share * len(people)))  # noqa: S311
