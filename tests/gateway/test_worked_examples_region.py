# SPDX-License-Identifier: EUPL-1.2
"""The worked examples once more, over HTTP, against the synthetic region's nine schemas.

For each owner and dataset an ordinary record is picked, of which nothing harmful is known; what
an example adds is attested. Positive facts that only the register itself can state (a guardian's
record, a best-interest record) are tried on the small registers.
"""

import shutil
from datetime import date

import pytest
import pytest_asyncio

from gateway.region import create_region
from gateway.sources import TRAITS, ByReference, Everything, Fetch
from policies import Truth
from tests.gateway import house as houses
from tests.gateway.test_worked_examples import (
    _about_a_person,
    _examples,
    _given,
    _question,
    verified_template,
)

__all__ = ["verified_template"]

REGISTER_ONLY = {"guardian_record", "best_interest", "own_centre"}
SPECIAL = {"log", "cases", "statistics", "centres"}
HARMLESS = ("deceased", "blocked", "naturalised", "trafficking", "claim_pending")


def _fit(example):
    stated = {fact for fact, truth in example.facts.items() if truth is not Truth.FALSE}
    ordinary = example.question.dataset not in SPECIAL
    return ordinary and example.question.action != "reidentify" and not stated & REGISTER_ONLY


EXAMPLES = [example for example in _examples() if _fit(example)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def region_house(verified_template, tmp_path_factory):
    folder = houses.copy(verified_template, tmp_path_factory.mktemp("region"))
    shutil.rmtree(folder / "region")
    create_region(folder / "region", persons=12_000, seed=11)
    async with houses.running(folder) as found:
        found.picked = {}
        yield found


def _ordinary(record, today):
    traits = record.traits
    born = traits.date_of_birth
    return (
        all(getattr(traits, name) is False for name in HARMLESS)
        and traits.protection_marked is False
        and traits.unaccompanied is False
        and traits.provenance in {"national", "abroad"}
        and traits.notice_given is True
        and traits.retain_until is not None
        and traits.retain_until > today
        and bool(traits.nationalities and traits.habitual_residence)
        and traits.declared_persecutor is not None
        and born is not None
        and traits.dob_precision == "day"
        and (born.month, born.day) != (1, 1)
        and today.year - born.year > 20
        and record.surrogate is not None
    )


async def _pick(house, owner, dataset):
    """An ordinary person with a record in this dataset that tells something in each category."""
    if (owner, dataset) in house.picked:
        return house.picked[owner, dataset]
    source, today = house.runtime.sources[owner], houses.today()
    fields = source.datasets[dataset]
    categories = {field.partition(".")[0] for field in fields}
    after, best = None, (-1, False, "")
    for _ in range(80):
        page = await source.fetch(
            Fetch(dataset, fields, frozenset(TRAITS), Everything(), today, 200, after)
        )
        for record in page.records:
            if _ordinary(record, today):
                told = {k.partition(".")[0] for k, v in record.values.items() if v}
                own = record.traits.provenance == "national"
                best = max(best, (len(told & categories), own, record.person))
        after = page.next
        if after is None or best[:2] == (len(categories), True):
            break
    told, own, person = best
    assert person, f"no ordinary record in {owner} {dataset}"
    if not own:  # some registers hold only what others sent them: the sender agrees
        await house.attest("sender_consent", owner=owner, person=person)
    house.picked[owner, dataset] = person
    return person


async def _subject(house, owner, person):
    fields = frozenset(
        {
            "direct_identifier.surnames",
            "direct_identifier.forenames",
            "biographic.date_of_birth",
        }
    )
    fetch = Fetch("persons", fields, frozenset(), ByReference("person", person), houses.today(), 1)
    (record,) = (await house.runtime.sources[owner].fetch(fetch)).records
    names = {
        name: value if isinstance(value, str) else " ".join(value)
        for name in ("surnames", "forenames")
        if (value := record.values.get(f"direct_identifier.{name}"))
    }
    born = record.values["biographic.date_of_birth"]
    assert isinstance(born, date)
    return {**names, "date_of_birth": born.isoformat()}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
async def test_a_worked_example_comes_out_of_the_region_as_written(example, region_house):
    house, question = region_house, example.question
    guards = house.runtime.rules().snapshot.vocabulary.guards
    officer = f"officer-{example.id}"
    person = await _pick(house, example.owner, question.dataset)
    about_a_person = _about_a_person(guards)
    facts = []
    for fact, truth in example.facts.items():
        agreement = fact in {"agreement_in_force", "liaison_agreement"}
        if fact in {"strong_login", "suspended", *REGISTER_ONLY}:
            continue
        if truth is (Truth.TRUE if agreement else Truth.FALSE):
            continue
        scope = {"org": question.org, "officer": officer, "owner": example.owner}
        if about_a_person(fact):
            scope["person"] = person
        facts.append((fact, truth, {"by_unit": "another-unit", **scope}))
    if facts:
        await house.attest_all(facts)
    body = _question(example)
    if "subject" in body:
        body["subject"] = await _subject(house, example.owner, person)
    if "reference" in body:
        body["reference"] = {"kind": "person", "ref": person}
    token = house.token(
        question.org,
        question.role,
        country=question.country,
        officer=officer,
        unit="own-unit",
        strong=example.facts.get("strong_login") is Truth.TRUE,
    )
    answer = await house.ask(question.action, body, token=token)
    assert answer.status_code in {200, 401, 403}, answer.text
    for category, view in example.expected.items():
        for possible in ("full", "pseudonym", "generalised", "hit", "count"):
            wanted = possible == view
            assert _given(answer, possible, category) is wanted, (category, possible, answer.text)
