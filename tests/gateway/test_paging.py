# SPDX-License-Identifier: EUPL-1.2
"""Pages of coded rows come in an order that no two recipients share."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from anonymise import Domain, Keyring
from gateway.facts import Attestation, Scope
from gateway.facts.attestation import attest
from gateway.paging import ORDER, turn_of
from gateway.store import Store
from policies import Truth
from tests.gateway import house as houses
from tests.gateway.small import create_register, vocabulary

# Sixteen signs, since the small register makes of them a surrogate of sixteen bytes.
CASES = tuple(f"person-{number:09}" for number in range(1, 13))
QUESTION = {
    "dataset": "persons",
    "owners": ["RS"],
    "categories": ["biographic"],
    "view": "pseudonym",
    "purpose": "humanitarian_assistance",
    "basis": "HUM-03",
    "case_no": "C-1",
}
KEYRING = Keyring.of({"RS": b"\x07" * 32})


def order(recipient):
    cipher = KEYRING.domain_cipher(Domain("RS", recipient, "humanitarian_assistance", "2026q4"))
    return lambda person: cipher.code(ORDER, person)


def paged(persons, recipient, limit):
    after, found = None, []
    while True:
        turn = turn_of(persons, order(recipient), after, limit)
        found += turn.persons
        after = turn.next
        if after is None:
            return found


@given(st.sets(st.text(min_size=1, max_size=6), max_size=30), st.integers(1, 40))
def test_pages_of_any_size_hold_everybody_once_in_one_order(persons, limit):
    found = paged(sorted(persons), "UNHCR", limit)
    assert sorted(found) == sorted(persons)
    assert found == paged(sorted(persons), "UNHCR", 1)


def test_two_recipients_orders_are_unrelated():
    persons = [f"P-{number}" for number in range(2_000)]
    one, other = paged(persons, "UNHCR", 100), paged(persons, "RS-NGO", 100)
    # Of two random orders one person is expected at the same place, standard deviation 1.
    assert sum(a == b for a, b in zip(one, other, strict=True)) <= 6
    assert len(set(pairwise(one)) & set(pairwise(other))) <= 6
    assert sum(a == b for a, b in zip(one, persons, strict=True)) <= 6


def test_a_newcomer_shifts_nobody_out_of_the_pages_to_come():
    persons = [f"P-{number}" for number in range(40)]
    first = turn_of(persons, order("UNHCR"), None, 10)
    rest = turn_of([*persons, "new"], order("UNHCR"), first.next, 100).persons
    assert set(persons) - set(first.persons) <= set(rest)


async def _everybody(house, token):
    """The persons of a list in pages of one, as the log's officers see them."""
    after, found = None, []
    while True:
        more = {} if after is None else {"after": after}
        answer = await house.ask("list", QUESTION | {"limit": 1} | more, token=token)
        assert answer.status_code == 200, answer.text
        [part] = answer.json()["owners"]
        assert len(part["results"][0]["rows"]) == 1
        _, detail = await house.newest("RS")
        found += detail["persons"]
        after = part["next"]
        if after is None:
            return found


async def test_two_aid_bodies_with_the_same_cases_page_through_them_in_two_orders(house_folder):
    register = house_folder / "region/registers/RS.sqlite"
    register.unlink()
    create_register(vocabulary(), register, CASES)
    now = datetime.now(UTC)
    start, end = now - timedelta(minutes=1), now + timedelta(hours=1)
    facts = [("case_number", ""), ("consent_given", "")]
    facts += [("assigned_case", person) for person in CASES]
    store = Store(f"sqlite:///{house_folder}/facts.sqlite", name="facts")
    await attest(
        store,
        [
            Attestation(
                fact, Truth.TRUE, Scope(org=org, owner="RS", person=person), start, end, "test", ""
            )
            for org in ("RS-NGO", "RS-RK")
            for fact, person in facts
        ],
    )
    await store.close()
    async with houses.running(house_folder) as house:
        await house.runtime.facts.refresh()
        one = await _everybody(house, house.token("RS-NGO", "caseworker"))
        other = await _everybody(house, house.token("RS-RK", "caseworker"))
    assert sorted(one) == sorted(other) == list(CASES)
    assert len({tuple(one), tuple(other), CASES}) == 3
