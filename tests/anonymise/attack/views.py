# SPDX-License-Identifier: EUPL-1.2
"""Two recipients' complete views of one register, made as the gateway makes them.

The fields and their treatments are those of the example rules, so that a change of the vocabulary
is attacked too. A recipient joins the rows of all datasets by his own case numbers.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property

from anonymise import Domain, Keyring, ViewContext, compile_view, format_case_no
from policies import example_rules, load_rules
from tests.anonymise.attack.register import CENTRES, TODAY

# What caseworkers are granted in rows: access matrix, lines O18 and O19.
GRANTED = {
    "persons": ("biographic",),
    "stays": ("biographic", "accommodation", "protection"),
    "asylum": ("asylum",),
    "protection": ("protection",),
    "family": ("family",),
}
PURPOSE = "humanitarian_assistance"
KEYRING = Keyring.of({"BA": bytes(range(32))})
# Which columns of each view are codes of the recipient's own domain.
OWN = frozenset({"case_no", "accommodation.family_group_code", "family.linked_code"})
SENSITIVE = (
    "asylum.claim_open",
    "asylum.claim_state",
    "protection.medical_alert",
    "protection.needs_codes",
    "protection.vulnerable",
    "protection.procedural_need",
)


@dataclass(frozen=True, eq=False)
class View:
    """A complete view: rows as told, and (which no recipient has) whose each row is."""

    rows: list
    persons: list
    held_back: int = 0
    steps: dict = field(default_factory=dict)

    @cached_property
    def columns(self):
        """Column -> its values, in the order of the rows."""
        return {name: [row[name] for row in self.rows] for name in self.rows[0]}


def _treatments(view):
    vocabulary = load_rules(example_rules(), on=date(2026, 11, 24)).vocabulary
    for dataset, categories in GRANTED.items():
        yield {
            field.id: field.treatment(view)
            for category in categories
            for field in vocabulary.datasets[dataset].categories[category].fields.values()
            if field.treatment(view) != "drop"
        }


def _context(people, **more):
    nations = Counter(nation for p in people for nation in p.values["biographic.nationalities"])
    return ViewContext(
        today=TODAY, counts={"biographic.nationalities": nations}, places=CENTRES, **more
    )


def pseudonym_view(people, recipient, seed, *, purpose=PURPOSE, epoch="2026q4"):
    """Everybody in one recipient's pseudonym view, rows of all datasets joined.

    One country's root gives every recipient's keys, as in the gateway; `seed` draws the numbers.
    """
    dice = random.Random(seed)  # noqa: S311 - numbers of a test, not of people
    cipher = KEYRING.domain_cipher(Domain("BA", recipient, purpose, epoch))
    numbers = [format_case_no("BA", dice.getrandbits(50)) for _ in people]
    joined = {}
    context = _context(people, case_nos=numbers, coded=cipher.code)
    for treatments in _treatments("pseudonym"):
        plan = compile_view("pseudonym", treatments)
        for row in plan.apply([person.values for person in people], context):
            joined.setdefault(row["case_no"], {}).update(row)
    whose = dict(zip(numbers, people, strict=True))
    # In the order in which the first answer came: it must not be the register's.
    return View(list(joined.values()), [whose[number] for number in joined])


def generalised_view(people, seed):
    """Everybody in one recipient's generalised view, one row a person, all columns at once.

    No rule grants so many columns together; what holds for them holds for fewer.
    """
    dice = random.Random(seed)  # noqa: S311
    plan, crowd = _crowd(tuple(people))
    told = plan.told([person.values for person in people], _context(people, crowd=crowd))
    pairs = [(row, who) for row, who in zip(told, people, strict=True) if row is not None]
    dice.shuffle(pairs)
    steps = dict(zip(crowd.outputs, crowd.steps, strict=True))
    return View([row for row, _ in pairs], [who for _, who in pairs], crowd.held, steps)


@cache
def _crowd(people):
    """The same for every recipient of the same people."""
    merged = {}
    for treatments in _treatments("generalised"):
        merged |= treatments
    # One age is enough; the register of persons has the better one.
    merged.pop("biographic.age", None)
    plan = compile_view("generalised", merged)
    rows = [person.values for person in people]
    return plan, plan.gather(rows, [person.reference for person in people], _context(people))
