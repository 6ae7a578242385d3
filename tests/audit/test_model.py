# SPDX-License-Identifier: EUPL-1.2
"""The protocol holds in every state that misfortune can bring about, and each safeguard is needed.

docs/audit-model.md tells what is modelled, what not, and the figures.
"""

import pytest

from audit.errors import ProofError
from tests.audit import model_search as properties
from tests.audit.model import Flaw, World
from tests.audit.model_search import quorum_trees, search
from tests.audit.model_trees import grown, proven, tree

MISFORTUNE = {"two leaders hold a batch on one head", "an acknowledged entry under a quorum"}
RESTORED = {"a loss that is exposed", "a loss averted", "a successor that answers"}
BESIDE = {"a log beside", "a log that went on elsewhere"}
FORGED = {"a signed fork", "an acknowledged entry under a quorum"}
WHOLE = [
    (World(asked=3), MISFORTUNE),
    (World(asked=2, restores=1, calls=1), MISFORTUNE | RESTORED),
    (World(asked=1, restores=2, calls=1), RESTORED),
    (World(asked=1, forged=2), FORGED),
    (World(asked=1, forged=2, dishonest=1, quorum=3, calls=1), FORGED),
    (World(asked=2, beside=2, witnesses=1, quorum=1, calls=1), BESIDE),
]
LARGER = [
    (World(asked=4), MISFORTUNE),
    (World(asked=2, restores=1, interleaved=True), MISFORTUNE | RESTORED),
    (World(asked=3, restores=1, calls=1), MISFORTUNE | RESTORED),
    (World(asked=1, restores=2), RESTORED),
    (World(asked=2, forged=2), FORGED),
    (World(asked=1, forged=2, interleaved=True), FORGED),
    (World(asked=1, forged=2, dishonest=1, quorum=3), FORGED),
    (World(asked=1, forged=3, dishonest=1, quorum=3), FORGED),
    (World(asked=2, beside=2), BESIDE),
]
MISHAP = {"asked": 2, "restores": 1}
FORGERY = {"asked": 1, "forged": 2}
NEEDED = [
    (Flaw.NO_COMPARE_AND_SWAP, MISHAP, properties.ONE_PLACE),
    (Flaw.ANSWER_BEFORE_COMMIT, MISHAP, properties.ANSWERED_LAST),
    (Flaw.ANSWER_BEFORE_FLUSH, MISHAP, properties.STILL_THERE),
    (Flaw.PUBLISH_BEFORE_COMMIT, MISHAP, properties.ONE_HISTORY),
    (Flaw.RESTORED_LOG_GOES_ON, MISHAP, properties.STILL_THERE),
    (Flaw.COMMIT_IGNORES_CLOSED, MISHAP, properties.ONE_PLACE),
    (Flaw.SUCCESSOR_WITHOUT_LINK, MISHAP, properties.EXPOSED),
    (Flaw.SUCCESSOR_NAME_USED_AGAIN, {"asked": 1, "restores": 2}, properties.STILL_THERE),
    (Flaw.WITNESS_ANSWERS_FIRST, FORGERY, properties.CONSISTENT),
    (Flaw.WITNESS_WITHOUT_COMPARE_AND_SWAP, FORGERY, properties.CONSISTENT),
    (Flaw.WITNESS_WITHOUT_PROOF, FORGERY, properties.CONSISTENT),
    (Flaw.WITNESS_RESTORED, {"asked": 1, "forged": 1}, properties.CONSISTENT),
    (Flaw.AUDITOR_COMPARES_SIZES, FORGERY, properties.FORK_FOUND),
    (Flaw.AUDITOR_TAKES_LOGS_ALONE, {"asked": 2, "beside": 1}, properties.ONE_LINE),
]


def named(world):
    told = f"{world.asked}-asked-{world.restores}-restored-{world.forged}-forged"
    told += f"-{world.beside}-beside" * bool(world.beside)
    return f"{told}-{world.dishonest}-dishonest{'-interleaved' * world.interleaved}"


@pytest.mark.parametrize(("world", "sights"), WHOLE, ids=[named(world) for world, _ in WHOLE])
def test_every_property_holds_in_every_state(world, sights):
    found = search(world)
    assert found.broken is None, str(found)
    assert sights <= found.reached


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("world", "sights"), LARGER, ids=[named(world) for world, _ in LARGER])
def test_every_property_holds_in_every_state_of_a_larger_world(world, sights):
    found = search(world)
    assert found.broken is None, str(found)
    assert sights <= found.reached


@pytest.mark.parametrize(
    ("flaw", "bounds", "property_"), NEEDED, ids=[flaw.name.lower() for flaw, *_ in NEEDED]
)
def test_without_a_safeguard_the_search_finds_what_it_was_for(flaw, bounds, property_):
    found = search(World(**bounds, flaws=frozenset({flaw})), sights=False)
    print(f"without {flaw.name}: {found}")  # noqa: T201 - shown with -rP: the counterexample
    assert found.broken == property_
    assert found.trace
    assert str(found).count("\n") == len(found.trace)


def test_every_safeguard_of_the_model_is_shown_to_be_needed():
    assert {flaw for flaw, *_ in NEEDED} == set(Flaw)


@pytest.mark.parametrize(("quorum", "dishonest"), [(1, 0), (2, 1)])
def test_a_quorum_that_two_pasts_can_reach_apart_does_not_hold(quorum, dishonest):
    world = World(asked=1, forged=2, quorum=quorum, dishonest=dishonest)
    found = search(world, sights=False)
    assert found.broken == properties.CONSISTENT


def test_the_search_checks_with_the_code_that_verifies_real_logs(monkeypatch):
    def refused(*_):
        raise ProofError("nothing joins")

    old = tree(7, ("only", "here"))
    monkeypatch.setattr("tests.audit.model_trees.verify_consistency", refused)
    assert not proven(old, grown(old, "new"))


def test_a_quorum_counts_each_witness_once():
    one, two = tree(8, ("a",)), tree(8, ("a", "b"))
    vouched = ((two,), (one,), ())
    assert quorum_trees(vouched, (two,), 2, 0) == (one,)
