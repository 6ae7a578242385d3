# SPDX-License-Identifier: EUPL-1.2
"""Line by line: the bit of a line is what stock casbin says of that line alone (engine §1.6, 2).

A run takes some lines of every file, chosen anew each time; `pytest -m exhaustive` takes them all.
"""

import pytest

from policies.facts import Known
from tests.policies.judging import SEED, UNKNOWN, aimed, alone, column_words, dice, enforce, told
from tests.policies.seeds import tell

EACH_FILE = 2
NOTHING = Known(frozenset(), frozenset())


def line_sets(snapshot):
    """Every compiled set with its own lines; the floor is compared once, in the first set."""
    book, engine = snapshot.book, snapshot.engine
    first = next(iter(engine.owners))
    yield engine.owners[first], book.floor
    for owner, rules in engine.owners.items():
        yield rules, book.owners[owner]
    for name, rules in engine.asking.items():
        yield rules, book.asking[name]


def fact_sets(line, every):
    """All met; each one lacking, only possible, or with everything else known besides."""
    met = frozenset(line.guards)
    yield Known(met, met)
    yield Known(frozenset(every), frozenset(every))
    yield NOTHING
    yield Known(frozenset(), met)
    yield Known(frozenset(), frozenset(every))
    for guard in line.guards:
        yield Known(met - {guard}, met - {guard})
        yield Known(met - {guard}, met)
        yield Known(frozenset(every) - {guard}, frozenset(every) - {guard})


def variations(line, snapshot, throw):
    """A question that the line accepts, each column through all its words, and its facts."""
    words = column_words(snapshot.vocabulary)
    every = (*snapshot.vocabulary.guards, *snapshot.vocabulary.negatives)
    base = aimed(line, words, snapshot.vocabulary.groups, throw)
    met = frozenset(line.guards)
    for column, column_values in words.items():
        for value in (*column_values, *UNKNOWN):
            yield base._replace(**{column: value}), Known(met, met)
    for facts in fact_sets(line, every):
        yield base, facts


def check(snapshot, rules, lines, throw):
    checked = met = 0
    for line in lines:
        bit = 1 << rules.lines.index(line)
        judge, when_matching = alone(snapshot.book.conf, line, snapshot.vocabulary.groups)
        for request, facts in variations(line, snapshot, throw):
            matches = bool(rules.matching(request, facts) & bit)
            if request.role in UNKNOWN[1:] and not when_matching:
                # No line may allow these, so a judge that shows denials cannot show them.
                assert not matches
                continue
            answer = enforce(judge, request, facts)
            assert matches is (answer is when_matching), f"{line.id}: {told(request, facts)}"
            checked += 1
            met += matches
    return checked, met


def test_some_lines_of_each_file_match_what_stock_casbin_matches_with_them_alone(snapshot):
    throw = dice("lines")
    checked = met = 0
    for rules, lines in line_sets(snapshot):
        chosen = throw.sample(lines, min(EACH_FILE, len(lines)))
        some, matched = check(snapshot, rules, chosen, throw)
        checked, met = checked + some, met + matched
    tell(f"{checked} checks, {met} matches, seed {SEED}")
    assert checked > 5000
    assert met > 1000


@pytest.mark.exhaustive
def test_every_line_matches_what_stock_casbin_matches_with_it_alone(snapshot):
    throw = dice("every line")
    for rules, lines in line_sets(snapshot):
        tell(f"{check(snapshot, rules, lines, throw)} seed {SEED}")


def test_a_bit_on_the_wrong_line_would_be_noticed(snapshot):
    rules = snapshot.engine.owners["BA"]
    shifted = type(
        "Shifted", (), {"lines": rules.lines, "matching": lambda *a: rules.matching(*a) << 1}
    )
    with pytest.raises(AssertionError, match="seed"):
        check(snapshot, shifted, rules.lines[:3], dice("shifted"))
