# SPDX-License-Identifier: EUPL-1.2
"""The worked examples, each row of each file, as the gateway would decide it."""

import pytest

from policies import Truth, example_rules, load_rules
from policies.loader import build
from policies.trial import failures
from tests.policies.making import TODAY, granted

EXAMPLES = load_rules(example_rules(), on=TODAY).examples


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.id for example in EXAMPLES])
def test_an_example_comes_out_as_its_row_says(snapshot, example):
    decision = snapshot.decide_record(example.question, example.owner, example.facts)
    assert {name: cell.view for name, cell in decision.cells.items()} == example.expected
    if example.decided_by is not None:
        assert frozenset(decision.rules) == example.decided_by
        assert decision.duties == example.duties


@pytest.mark.parametrize("example", EXAMPLES[:60], ids=[e.id for e in EXAMPLES[:60]])
def test_the_first_pass_allows_at_least_what_the_second_one_releases(snapshot, example):
    first = snapshot.decide(example.question, {example.owner: example.facts})[example.owner]
    assert granted(first).items() >= {
        name: view for name, view in example.expected.items() if view
    }.items() or first.granted.keys() > {n for n, v in example.expected.items() if v}


def test_there_are_sixty_examples_for_all_and_some_for_each_country(snapshot):
    assert sum(example.decided_by is not None for example in EXAMPLES) == 60
    for country in snapshot.vocabulary.countries:
        own = [example for example in EXAMPLES if example.file.startswith(f"{country}/")]
        assert {None, "full"} <= {view for e in own for view in e.expected.values()}
        assert any(example.owner == country for example in own)
        assert any(example.owner != country for example in own)


def test_an_allowed_example_without_any_fact_is_refused(snapshot):
    unknown = dict.fromkeys(EXAMPLES[0].facts, Truth.POSSIBLE)
    for example in EXAMPLES:
        if example.question.dataset not in ("centres", "statistics"):
            assert not snapshot.decide_record(example.question, example.owner, unknown).allowed


def test_a_changed_line_is_told_by_the_examples_that_it_breaks(files):
    altered = files["RS/rules.csv"].replace(b"presence,allow", b"presence + transfer_basis,allow")
    found = failures(build({**files, "RS/rules.csv": altered}, on=TODAY))
    assert "E01" in {failure.example.id for failure in found}
    assert "examples.csv:2: E01 gives record refused by no owner line" in map(str, found)
