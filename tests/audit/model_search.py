# SPDX-License-Identifier: EUPL-1.2
"""What must hold in every state of the model, and the search that visits every state.

Breadth first, so that the trace to a broken property is a shortest one.
"""

from dataclasses import dataclass
from functools import cache

from tests.audit.model import Flaw, Gateway, first_state, steps
from tests.audit.model_trees import (
    EMPTY,
    NONE,
    beside_found,
    entries_of,
    forks,
    generation_of,
    proven,
    size_of,
    told,
    ways,
    within,
)

ONE_PLACE = "two leaders never commit at one place"
ONE_HISTORY = "what leaves the gateways is one history, and stood in the store"
ANSWERED_LAST = "an answer is given only after its commit"
STILL_THERE = "an open log holds every entry that it acknowledged"
WITNESSED = "an acknowledged entry is in every later checkpoint with a quorum"
EXPOSED = "an acknowledged entry that a restore lost is known to be lost"
CONSISTENT = "two checkpoints with a quorum are consistent"
FORK_FOUND = "a holder of an old checkpoint finds a fork"
ONE_LINE = "whoever is shown all logs finds one that stands beside the line"


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search: how many states, and the first broken property with its trace."""

    states: int
    depth: int
    broken: str | None
    trace: tuple
    reached: frozenset

    def __str__(self):
        if self.broken is None:
            return f"{self.states} states, {self.depth} steps deep: everything holds"
        lines = [f"{number:3}. {line}" for number, line in enumerate(self.trace, 1)]
        return "\n".join([f"BROKEN: {self.broken}", *lines])


@cache
def quorum_trees(vouched, signed, quorum, dishonest):
    """Trees for which a quorum vouches: each witness for a tree and all that lead to it."""
    if quorum <= dishonest:
        return ways(signed)
    named = ways(tuple(sorted({tree for one in vouched for tree in one})))
    needed = quorum - dishonest
    return tuple(
        tree
        for tree in named
        if sum(any(within(tree, known) for known in one) for one in vouched) >= needed
    )


def _quorum(world, state):
    vouched = tuple(witness.vouched for witness in state.witnesses)
    return quorum_trees(vouched, state.signed, world.quorum, world.dishonest)


@cache
def _stood(signed, written):
    return all(any(within(tree, committed) for committed in written) for tree in signed)


def broken(world, state):
    """The first property that does not hold in a state, None if all hold."""
    quorum = _quorum(world, state)
    if forks(quorum):
        return CONSISTENT
    if not _forks_found(state.signed, Flaw.AUDITOR_COMPARES_SIZES in world.flaws):
        return FORK_FOUND
    if world.beside and not _line_found(state.signed, Flaw.AUDITOR_TAKES_LOGS_ALONE in world.flaws):
        return ONE_LINE
    return None if world.forged or world.beside else _broken_by_misfortune(state, quorum)


def _broken_by_misfortune(state, quorum):
    """What holds as long as nobody forges, whatever goes wrong."""
    if forks(state.written):
        return ONE_PLACE
    if forks(state.signed) or not _stood(state.signed, state.written):
        return ONE_HISTORY
    if not _stood(state.receipts, state.written):
        return ANSWERED_LAST
    if not _kept(state.receipts, state.cache, state.closed):
        return STILL_THERE
    if not _in_all(state.receipts, quorum):
        return WITNESSED
    return None if _loss_known(state.receipts, state.cache) else EXPOSED


@cache
def _forks_found(signed, sizes_only):
    """Whether the verdict on each pair of signed checkpoints is the truth."""
    shown = ways(signed)
    return all(
        within(old, new) == (sizes_only or proven(old, new))
        for old in shown
        for new in shown
        if generation_of(old) == generation_of(new) and size_of(old) <= size_of(new)
    )


@cache
def _line_found(signed, alone):
    """Whether the verdict on the logs together is the truth: one line, or one beside another."""
    newest = {}
    for shown in signed:
        if size_of(shown) > size_of(newest.get(generation_of(shown), EMPTY)):
            newest[generation_of(shown)] = shown
    links = [entries_of(shown)[0][1] for shown in newest.values() if generation_of(shown)]
    named = [generation_of(link) for link in links]
    went_on = any(size_of(newest[generation_of(link)]) > size_of(link) for link in links)
    truth = went_on or len(set(named)) < len(named)
    return truth == (not alone and beside_found(tuple(sorted(newest.values()))))


@cache
def _kept(receipts, store, closed):
    return closed or all(
        within(receipt, store)
        for receipt in receipts
        if generation_of(receipt) == generation_of(store)
    )


@cache
def _in_all(receipts, quorum):
    return all(
        within(receipt, tree)
        for receipt in receipts
        for tree in quorum
        if generation_of(tree) == generation_of(receipt) and size_of(tree) >= size_of(receipt)
    )


@cache
def _links(store):
    """By log, the tree with which its successor says that it ended; of the logs up to this one."""
    ends = {}
    while entries_of(store) and isinstance(entries_of(store)[0], tuple):
        link = entries_of(store)[0][1]
        if link == NONE:
            return None
        ends[generation_of(link)] = link
        store = link
    return ends


@cache
def _loss_known(receipts, store):
    """The entry is there, or its number is beyond the named end, or its log is not of the chain."""
    ends = _links(store)
    if ends is None:
        return not any(generation_of(receipt) < generation_of(store) for receipt in receipts)
    return all(
        size_of(ends[generation_of(receipt)]) < size_of(receipt)
        or within(receipt, ends[generation_of(receipt)])
        for receipt in receipts
        if generation_of(receipt) in ends
    )


def _sights(world, state):
    """Remarkable states: a search that never sees them would prove nothing."""
    heads = {g.head for g in state.gateways if g.batch != NONE}
    if len(heads) == 1 and all(g.batch != NONE for g in state.gateways):
        yield "two leaders hold a batch on one head"
    quorum = _quorum(world, state)
    if quorum and any(receipt in quorum for receipt in state.receipts):
        yield "an acknowledged entry under a quorum"
    if forks(state.signed):
        yield "a signed fork"
    if world.beside and len({generation_of(tree) for tree in state.signed}) > 1:
        yield "a log beside" if beside_found(state.signed) else "a log that went on elsewhere"
    ends = _links(state.cache) or {}
    for receipt in state.receipts:
        if generation_of(receipt) == generation_of(state.cache) and ends:
            yield "a successor that answers"
        end = ends.get(generation_of(receipt))
        if end is not None:
            yield "a loss that is exposed" if size_of(end) < size_of(receipt) else "a loss averted"


def search(world, *, sights=True):
    """Visit every state; stop at the first in which a property does not hold."""
    start = first_state(world)
    came = {start: None}
    level, depth, reached = [start], 0, set()
    while level:
        following = []
        for state in level:
            for step in steps(world, state):
                new = step[2]
                if new in came:
                    continue
                came[new] = (state, step)
                following.append(new)
                fault = broken(world, new)
                if sights:
                    reached.update(_sights(world, new))
                if fault is not None:
                    return Found(len(came), depth + 1, fault, _trace(came, new), frozenset(reached))
        level, depth = following, depth + bool(following)
    return Found(len(came), depth, None, (), frozenset(reached))


def _trace(came, state):
    lines = []
    while came[state] is not None:
        state, (name, tree, _) = came[state]
        lines.append(name if tree == NONE else f"{name}: {told(tree)}")
    return tuple(reversed(lines))


__all__ = ["Found", "Gateway", "broken", "quorum_trees", "search"]
