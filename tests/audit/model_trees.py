# SPDX-License-Identifier: EUPL-1.2
"""Trees of the protocol's model as small numbers, and the project's own consistency check on them.

A tree is a log's generation (its origin) and its list of entries. Equal trees have equal numbers,
so that states are tuples of integers: quick to hash, with an order. Whether one tree continues
another is asked of `audit.merkle.verify_consistency`, with proofs made from the tree that is shown.
"""

from functools import cache

from audit.errors import ProofError
from audit.event import Link
from audit.merkle import HASH_SIZE, Span, consistency_spans, leaf_hash, verify_consistency
from audit.tiles import TileId, span_hash
from audit.verify.chain import joined
from audit.verify.report import Report

NONE = -1
_TREES = []
_NUMBERS = {}


def tree(generation, entries=()):
    """The number of a tree."""
    found = _NUMBERS.setdefault((generation, entries), len(_TREES))
    if found == len(_TREES):
        _TREES.append((generation, entries))
    return found


EMPTY = tree(0)


@cache
def grown(base, entry):
    """The tree with one entry more."""
    generation, entries = _TREES[base]
    return tree(generation, (*entries, entry))


@cache
def prefixes(number):
    """The trees that a log had on its way here, without the empty one, with this one."""
    generation, entries = _TREES[number]
    return tuple(tree(generation, entries[:n]) for n in range(1, len(entries) + 1))


def generation_of(number):
    return _TREES[number][0]


def entries_of(number):
    return _TREES[number][1]


def size_of(number):
    return len(_TREES[number][1])


@cache
def within(old, new):
    """Whether every entry of `old` stands in `new` in its place: the truth, without hashes."""
    generation, entries = _TREES[old]
    other, others = _TREES[new]
    return generation == other and entries == others[: len(entries)]


def related(one, two):
    """Whether two trees are of different logs, or one continues the other."""
    return generation_of(one) != generation_of(two) or within(one, two) or within(two, one)


@cache
def _leaves(number):
    return b"".join(leaf_hash(repr(entry).encode()) for entry in entries_of(number))


@cache
def _root(number):
    spans = Span(0, size_of(number))
    return span_hash(spans, {TileId(0, 0): _leaves(number)})


@cache
def proven(old, new):
    """What a verifier says who has both checkpoints and asks the holder of `new` for a proof."""
    tiles = {TileId(0, 0): _leaves(new)}
    sizes = Span(size_of(old), size_of(new))
    assert len(_leaves(new)) == size_of(new) * HASH_SIZE
    try:
        proof = [span_hash(span, tiles) for span in consistency_spans(*sizes)]
        verify_consistency(sizes, _root(old), _root(new), proof)
    except ProofError:
        return False
    return generation_of(old) == generation_of(new)


@cache
def beside_found(shown):
    """What a verifier says who is shown the newest checkpoint of each of a country's logs."""
    reports = [_report(number) for number in shown]
    gaps = frozenset(report.origin for report in reports if report.opening is not None)
    return any(not report.ok for report in joined(reports, gaps))


def _report(number):
    generation, entries = _TREES[number]
    after = entries[0][1] if generation else NONE
    opening = None
    if after != NONE:
        opening = Link(_origin(after), size_of(after), _root(after).hex())
    return Report(len(entries), _root(number), (), origin=_origin(number), opening=opening)


def _origin(number):
    generation = generation_of(number)
    return f"audit.example/BA/2026h2{f'.{generation + 1}' * bool(generation)}"


@cache
def added(trees, new):
    """A set of trees without those that another of it continues, after one more."""
    if any(within(new, old) for old in trees):
        return trees
    return tuple(sorted([new, *(old for old in trees if not within(old, new))]))


@cache
def ways(trees):
    """Every tree that a set names or that one of it continues."""
    return tuple(sorted({part for number in trees for part in prefixes(number)}))


@cache
def forks(trees):
    """Two trees of one log of which neither continues the other, if there are any."""
    for place, one in enumerate(trees):
        for two in trees[:place]:
            if not related(one, two):
                return one, two
    return None


def told(number):
    """A tree as people read it: `1:[gap(0:[a b]) c]`."""
    if number == NONE:
        return "nothing"
    return f"{generation_of(number)}:[{' '.join(_entry(e) for e in entries_of(number))}]"


def _entry(entry):
    if isinstance(entry, tuple):
        return f"opening({told(entry[1])})"
    return entry if isinstance(entry, str) else chr(ord("a") + entry)
