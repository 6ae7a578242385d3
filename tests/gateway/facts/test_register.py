# SPDX-License-Identifier: EUPL-1.2
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.facts import Attestation, FactRegister, Scope
from gateway.facts.attestation import METADATA, attest, attestation_of
from gateway.facts.register import strictest
from gateway.store import Store, StoreError
from policies import Truth

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


def saying(fact, truth=Truth.TRUE, minutes=15, **scope):
    start, end = NOW - timedelta(minutes=1), NOW + timedelta(minutes=minutes)
    return Attestation(fact, truth, Scope(**scope), start, end, "t")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store_url(tmp_path):
    return f"sqlite:///{tmp_path}/facts.sqlite"


@pytest.fixture
async def register(store_url, clock, tmp_path):
    store = Store(store_url, name="facts")
    (tmp_path / "facts.sqlite").touch()
    await store.run(METADATA.create_all)
    found = FactRegister(store, clock=clock, refresh_s=3600)
    await found.start()
    yield found
    await found.close()


async def told(register, *attestations):
    await attest(register._store, attestations)
    await register.refresh()


async def test_what_nobody_attested_is_false_while_the_register_answers(register):
    assert register.truth("presence", Scope(org="BA-BP"), NOW, harmful=False) is Truth.FALSE


async def test_an_attestation_counts_within_its_scope_only(register):
    await told(register, saying("presence", org="BA-BP", officer="o1"))
    inside = Scope(org="BA-BP", officer="o1", owner="RS", case_no="7")
    assert register.truth("presence", inside, NOW, harmful=False) is Truth.TRUE
    outside = Scope(org="BA-BP", officer="o2", owner="RS", case_no="7")
    assert register.truth("presence", outside, NOW, harmful=False) is Truth.FALSE


async def test_an_attestation_ends_with_its_time(register):
    await told(register, saying("presence", org="BA-BP"))
    later = NOW + timedelta(minutes=15)
    assert register.truth("presence", Scope(org="BA-BP"), later, harmful=False) is Truth.FALSE


async def test_a_later_attestation_replaces_the_earlier_one_of_the_same_scope(register):
    await told(register, saying("consent_given", person="p"))
    await told(register, saying("consent_given", Truth.FALSE, person="p"))
    assert register.truth("consent_given", Scope(person="p"), NOW, harmful=False) is Truth.FALSE


async def test_doubt_from_a_wider_scope_restricts_a_positive_fact(register):
    await told(
        register,
        saying("consent_given", person="p"),
        saying("consent_given", Truth.POSSIBLE, owner="BA"),
    )
    scope = Scope(owner="BA", person="p")
    assert register.truth("consent_given", scope, NOW, harmful=False) is Truth.POSSIBLE


async def test_a_stale_mirror_knows_nothing(register, clock):
    await told(register, saying("presence", org="BA-BP"))
    clock.now = NOW + timedelta(seconds=6)
    assert not register.fresh
    assert register.truth("presence", Scope(org="BA-BP"), NOW, harmful=False) is Truth.POSSIBLE
    assert register.truth("torture_risk", Scope(), NOW, harmful=True) is Truth.POSSIBLE
    assert register.persons("assigned_case", Scope(), NOW) == ()


async def test_a_register_whose_file_is_gone_does_not_answer(register, tmp_path):
    (tmp_path / "facts.sqlite").unlink()
    with pytest.raises(StoreError):
        await register.refresh()
    assert not (tmp_path / "facts.sqlite").exists()


async def test_a_register_that_is_missing_at_start_is_never_created(tmp_path, clock):
    store = Store(f"sqlite:///{tmp_path}/none.sqlite", name="facts")
    register = await FactRegister(store, clock=clock, refresh_s=3600).start()
    assert not register.fresh
    await register.close()
    assert not (tmp_path / "none.sqlite").exists()


async def test_a_case_load_lists_only_the_persons_assigned_here_and_now(register):
    await told(
        register,
        saying("assigned_case", org="UNHCR", officer="o1", owner="BA", person="p1"),
        saying("assigned_case", org="UNHCR", officer="o2", owner="BA", person="p2"),
        saying("assigned_case", org="UNHCR", officer="o1", owner="RS", person="p3"),
        saying("assigned_case", Truth.POSSIBLE, org="UNHCR", officer="o1", owner="BA", person="p4"),
        saying("assigned_case", minutes=0, org="UNHCR", officer="o1", owner="BA", person="p5"),
    )
    scope = Scope(org="UNHCR", officer="o1", owner="BA")
    assert register.persons("assigned_case", scope, NOW) == ("p1",)


async def test_a_case_load_forgets_a_person_whose_assignment_was_withdrawn(register):
    await told(register, saying("assigned_case", org="UNHCR", person="p1"))
    await told(register, saying("assigned_case", Truth.FALSE, org="UNHCR", person="p1"))
    assert register.persons("assigned_case", Scope(org="UNHCR"), NOW) == ()


@pytest.mark.parametrize("harmful", [True, False])
def test_no_statement_is_false(harmful):
    assert strictest([], harmful=harmful) is Truth.FALSE


def test_the_strictest_statement_wins():
    every = [Truth.TRUE, Truth.POSSIBLE, Truth.FALSE]
    assert strictest(every, harmful=True) is Truth.TRUE
    assert strictest(every, harmful=False) is Truth.FALSE
    assert strictest([Truth.TRUE, Truth.POSSIBLE], harmful=False) is Truth.POSSIBLE
    assert strictest([Truth.FALSE, Truth.POSSIBLE], harmful=True) is Truth.POSSIBLE


async def test_a_row_committed_late_with_a_lower_number_is_still_seen(register):
    await told(register, saying("consent_given", person="p"))
    await attest(register._store, [saying("presence", org="X")])
    await register.refresh()
    late = {"seq": 2, "fact": "consent_given", "truth": "false", "person": "p"}

    def insert_late(connection):
        connection.exec_driver_sql("UPDATE attestation SET seq = 3 WHERE seq = 2")
        connection.exec_driver_sql(
            "INSERT INTO attestation (seq, fact, truth, person, valid_from, valid_to, source)"
            " VALUES (:seq, :fact, :truth, :person, '2026-11-24T00:00:00Z',"
            " '2026-11-25T00:00:00Z', 't')",
            late,
        )

    await register._store.run(insert_late)
    await register.refresh()
    assert register.truth("consent_given", Scope(person="p"), NOW, harmful=False) is Truth.FALSE


async def test_what_is_only_appended_is_read_alone(register, monkeypatch):
    await told(register, saying("consent_given", person="p"), saying("presence", org="X"))
    read = []
    monkeypatch.setattr(
        "gateway.facts.register.attestation_of",
        lambda row: read.append(row["seq"]) or attestation_of(row),
    )
    await told(register, saying("consent_given", Truth.FALSE, person="p"))
    assert read == [2, 3]  # the last row known, and the new one
    assert register.truth("consent_given", Scope(person="p"), NOW, harmful=False) is Truth.FALSE
    assert register.truth("presence", Scope(org="X"), NOW, harmful=False) is Truth.TRUE


async def test_a_deleted_attestation_counts_no_more(register):
    await told(register, saying("consent_given", person="p"))
    await register._store.run(lambda c: c.exec_driver_sql("DELETE FROM attestation"))
    await register.refresh()
    assert register.truth("consent_given", Scope(person="p"), NOW, harmful=False) is Truth.FALSE


async def test_a_replaced_file_is_read_anew(register, tmp_path):
    await told(register, saying("presence", org="BA-BP"))
    other = Store(f"sqlite:///{tmp_path}/other.sqlite", name="facts")
    (tmp_path / "other.sqlite").touch()
    await other.run(METADATA.create_all)
    await attest(other, [saying("presence", Truth.FALSE, org="BA-BP"), saying("x")])
    await other.close()
    (tmp_path / "other.sqlite").replace(tmp_path / "facts.sqlite")
    for rest in ("facts.sqlite-wal", "facts.sqlite-shm"):
        (tmp_path / rest).unlink(missing_ok=True)
    await register.refresh()
    assert register.truth("presence", Scope(org="BA-BP"), NOW, harmful=False) is Truth.FALSE


async def test_permissions_that_are_counted_are_those_of_the_scope(register):
    await told(
        register,
        replace(saying("presence", org="BA-BP"), uses=1),
        replace(saying("presence", org="RS-BP"), uses=1),
        replace(saying("consent_given", Truth.FALSE, org="BA-BP"), uses=1),
        saying("claim_here", org="BA-BP"),
    )
    scope = Scope(org="BA-BP", owner="RS")
    (held,) = register.permissions(scope, NOW)
    assert (held.fact, held.scope.org) == ("presence", "BA-BP")
    over = replace(scope, over=frozenset({held.key}))
    assert register.permissions(over, NOW) == []
    assert register.truth("presence", over, NOW, harmful=False) is Truth.FALSE
    assert register.truth("presence", scope, NOW, harmful=False) is Truth.TRUE


async def test_a_counted_permission_about_one_record_is_a_doubt(register):
    await told(
        register,
        saying("consent_given", org="BA-NGO"),
        replace(saying("consent_given", org="BA-NGO", person="p"), uses=1),
    )
    scope = Scope(org="BA-NGO", person="p")
    assert register.truth("consent_given", scope, NOW, harmful=False) is Truth.POSSIBLE
