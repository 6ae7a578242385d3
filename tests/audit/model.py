# SPDX-License-Identifier: EUPL-1.2
"""A model of the log's protocol: its states, and every step that can come next.

Two gateways that both may believe they lead, one store, one signing key, witnesses, a publisher,
and a world that stops any of them between any two steps, keeps, repeats and loses messages, and
puts an old backup in place. docs/audit-model.md explains it; `model_search` visits every state.

`Flaw` names one safeguard that is taken away: the search must then find what it was for.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from tests.audit.model_trees import (
    NONE,
    added,
    generation_of,
    grown,
    proven,
    size_of,
    tree,
    ways,
    within,
)

IDLE, BUILT, COMMITTED = range(3)


class Flaw(Enum):
    """A safeguard that is left out."""

    NO_COMPARE_AND_SWAP = auto()
    ANSWER_BEFORE_COMMIT = auto()
    ANSWER_BEFORE_FLUSH = auto()
    PUBLISH_BEFORE_COMMIT = auto()
    RESTORED_LOG_GOES_ON = auto()
    COMMIT_IGNORES_CLOSED = auto()
    SUCCESSOR_WITHOUT_LINK = auto()
    SUCCESSOR_NAME_USED_AGAIN = auto()
    WITNESS_ANSWERS_FIRST = auto()
    WITNESS_WITHOUT_COMPARE_AND_SWAP = auto()
    WITNESS_WITHOUT_PROOF = auto()
    WITNESS_RESTORED = auto()
    AUDITOR_COMPARES_SIZES = auto()
    AUDITOR_TAKES_LOGS_ALONE = auto()


@dataclass(frozen=True, slots=True)
class World:
    """Bounds and circumstances of one search.

    Attributes:
        asked: entries that gateways try to append, in total.
        restores: times that an old backup is put in place of the store.
        beside: logs that such an operator opens beside the one that goes on.
        forged: checkpoints that an operator who holds the log's key signs over a past of his own;
            with any, only what must hold against him is checked.
        dishonest: witnesses who cosign whatever they are shown.
        calls: how many calls a witness may have open at once; two are needed for a race.
        interleaved: whether others move while a witness has a call open. They commute (what may
            be shown to it only grows, and nobody reads its open calls), so that a search without
            is as good; the exhaustive run looks with it too.
    """

    asked: int = 3
    restores: int = 0
    forged: int = 0
    beside: int = 0
    witnesses: int = 3
    quorum: int = 2
    dishonest: int = 0
    calls: int = 2
    interleaved: bool = False
    flaws: frozenset = field(default_factory=frozenset)


class Gateway(NamedTuple):
    """A gateway process: the head that it believes in, and the batch in its hands."""

    head: int = NONE
    stage: int = IDLE
    batch: int = NONE


class Witness(NamedTuple):
    """A witness: the newest tree of each log on its disk, what it ever vouched for, open calls."""

    seen: tuple = ()
    vouched: tuple = ()
    calls: tuple = ()


class State(NamedTuple):
    """Everything that the next step may depend on, and the history that properties speak of."""

    gateways: tuple = (Gateway(), Gateway())
    disk: int = tree(0)
    cache: int = tree(0)  # what the store shows; ahead of the disk only where a flush is left out
    closed: bool = False
    backup: int = NONE
    asked: int = 0
    logs: int = 1
    restores: int = 0
    forged: int = 0
    witnesses: tuple = ()
    receipts: tuple = ()  # the tree under each answer given; its last entry is the answer's
    written: tuple = ()  # trees that were ever committed
    signed: tuple = ()  # trees whose signed checkpoint ever left the gateways


def first_state(world):
    """Before anything happened."""
    return State(witnesses=(Witness(),) * (world.witnesses - world.dishonest))


def steps(world, state):
    """Each step that can come next, as its name, what it concerns, and the state after it."""
    busy = [place for place, witness in enumerate(state.witnesses) if witness.calls]
    if busy and not world.interleaved:
        yield from _witness_steps(world, state, busy[0], state.witnesses[busy[0]])
        return
    for place, gateway in enumerate(state.gateways):
        if place and gateway == state.gateways[0]:
            continue  # both gateways stand alike: one of them is enough
        yield from _gateway_steps(world, state, place, gateway)
    yield from _store_steps(world, state)
    for place, witness in enumerate(state.witnesses):
        if place and witness == state.witnesses[place - 1]:
            continue  # they are sorted: one of several alike is enough
        if busy and place not in busy:
            continue  # one witness at a time has calls open
        yield from _witness_steps(world, state, place, witness)
    if state.forged < world.forged:
        yield from _forging_steps(world, state)
    if state.logs <= world.beside:
        yield from _beside_steps(state)


def _with_gateway(state, place, gateway, **changed):
    other = state.gateways[1 - place]
    pair = (gateway, other) if gateway <= other else (other, gateway)
    return state._replace(gateways=pair, **changed)


def _gateway_steps(world, state, place, gateway):
    if gateway != Gateway():
        yield "a gateway stops", NONE, _with_gateway(state, place, Gateway())
    if gateway.stage == IDLE:
        if not state.closed and gateway.head != state.cache:
            fresh = Gateway(state.cache)
            yield "a gateway reads the head", state.cache, _with_gateway(state, place, fresh)
        if gateway.head != NONE and state.asked < world.asked:
            batch = grown(gateway.head, state.asked)
            new = Gateway(gateway.head, BUILT, batch)
            changed = {"asked": state.asked + 1}
            if Flaw.PUBLISH_BEFORE_COMMIT in world.flaws:
                changed["signed"] = added(state.signed, batch)
            if Flaw.ANSWER_BEFORE_COMMIT in world.flaws:
                changed["receipts"] = _receipts(state, batch)
            yield "a gateway builds and signs", batch, _with_gateway(state, place, new, **changed)
    elif gateway.stage == BUILT:
        yield from _commit(world, state, place, gateway)
    else:
        new = Gateway(gateway.batch)
        receipts = _receipts(state, gateway.batch)
        after = _with_gateway(state, place, new, receipts=receipts)
        yield "a gateway answers", gateway.batch, after


def _receipts(state, batch):
    return tuple(sorted({*state.receipts, batch}))


def _commit(world, state, place, gateway):
    """The transaction: all of it or nothing, and whether it happened may stay unknown."""
    moved = gateway.head != state.cache and Flaw.NO_COMPARE_AND_SWAP not in world.flaws
    shut = state.closed and Flaw.COMMIT_IGNORES_CLOSED not in world.flaws
    if moved or shut:
        yield "a commit finds another head", gateway.batch, _with_gateway(state, place, Gateway())
        return
    changed = {
        "cache": gateway.batch,
        "written": added(state.written, gateway.batch),
        "signed": added(state.signed, gateway.batch),
    }
    if Flaw.ANSWER_BEFORE_FLUSH not in world.flaws:
        changed["disk"] = gateway.batch
    new = Gateway(gateway.head, COMMITTED, gateway.batch)
    yield "a commit", gateway.batch, _with_gateway(state, place, new, **changed)
    lost = _with_gateway(state, place, Gateway(), **changed)
    yield "a commit whose confirmation is lost", gateway.batch, lost


def _store_steps(world, state):
    if state.disk != state.cache:
        yield "the store flushes", state.cache, state._replace(disk=state.cache)
        both = (Gateway(), Gateway())
        after = state._replace(cache=state.disk, gateways=both)
        yield "the machine loses power", state.disk, after
    if state.restores < world.restores:
        if state.backup != state.disk:
            yield "a backup is made", state.disk, state._replace(backup=state.disk)
        if state.backup != NONE:
            after = state._replace(
                disk=state.backup,
                cache=state.backup,
                closed=Flaw.RESTORED_LOG_GOES_ON not in world.flaws,
                restores=state.restores + 1,
            )
            yield "the store is lost and the backup restored", state.backup, after
    if state.closed:
        yield from _succession(world, state)


def _succession(world, state):
    """The operator opens the successor: its link is the newest tree that answering parties know."""
    known = {state.disk}
    for witness in state.witnesses:
        known |= {
            seen
            for seen in witness.seen
            if generation_of(seen) == generation_of(state.disk)
            and size_of(seen) > size_of(state.disk)
        }
    again = Flaw.SUCCESSOR_NAME_USED_AGAIN in world.flaws
    generation = generation_of(state.disk) + 1 if again else state.logs
    for link in sorted(known):
        named = NONE if Flaw.SUCCESSOR_WITHOUT_LINK in world.flaws else link
        new = tree(generation, (("opening", named),))
        after = state._replace(
            disk=new,
            cache=new,
            closed=False,
            logs=state.logs + 1,
            written=added(state.written, new),
            signed=added(state.signed, new),
        )
        yield "a successor is opened", new, after


def _with_witness(state, place, witness):
    others = (*state.witnesses[:place], *state.witnesses[place + 1 :])
    return state._replace(witnesses=tuple(sorted((*others, witness))))


def _newest(witness, shown):
    """What a witness has on its disk of the log that a checkpoint is of."""
    for seen in witness.seen:
        if generation_of(seen) == generation_of(shown):
            return seen
    return tree(generation_of(shown))


def _witness_steps(world, state, place, witness):
    """A call is checked, then persisted, then answered; several may be open at once.

    Calls of different witnesses commute, so that only one witness at a time has any open. Each
    checkpoint that was ever handed out may arrive now, again, or never.
    """
    if len(witness.calls) < world.calls:
        for shown in ways(state.signed):
            base = _newest(witness, shown)
            if size_of(shown) <= size_of(base) or (base, shown) in witness.calls:
                continue
            if Flaw.WITNESS_WITHOUT_PROOF not in world.flaws and not proven(base, shown):
                continue  # refused and kept as evidence: nothing that could be used is given out
            new = witness._replace(calls=tuple(sorted((*witness.calls, (base, shown)))))
            if Flaw.WITNESS_ANSWERS_FIRST in world.flaws:
                new = new._replace(vouched=added(new.vouched, shown))
            yield "a witness finds a checkpoint good", shown, _with_witness(state, place, new)
    if witness.calls:
        stopped = witness._replace(calls=())
        yield "a witness stops", NONE, _with_witness(state, place, stopped)
    for call in witness.calls:
        yield _persisted(world, state, place, witness, call)
    if Flaw.WITNESS_RESTORED in world.flaws and witness.seen:
        empty = witness._replace(seen=(), calls=())
        yield "a witness comes back from its own backup", NONE, _with_witness(state, place, empty)


def _persisted(world, state, place, witness, call):
    base, shown = call
    rest = list(witness.calls)
    rest.remove(call)
    known = _newest(witness, shown)
    if known != base and Flaw.WITNESS_WITHOUT_COMPARE_AND_SWAP not in world.flaws:
        new = witness._replace(calls=tuple(rest))
        return "a witness answers 409", shown, _with_witness(state, place, new)
    seen = tuple(sorted([shown, *(other for other in witness.seen if other != known)]))
    new = Witness(seen, added(witness.vouched, shown), tuple(rest))
    return "a witness persists and cosigns", shown, _with_witness(state, place, new)


def _forging_steps(world, state):
    """An operator who holds the key signs another continuation of some past of the log."""
    entry = f"x{state.forged}"
    for past in sorted({tree(0), *ways(state.signed)}):
        forged = grown(past, entry)
        after = state._replace(forged=state.forged + 1, signed=added(state.signed, forged))
        if not within(forged, state.disk):
            yield "the operator signs another past", forged, after
            after = after._replace(disk=forged, cache=forged)
            yield "the operator signs another past and goes on from it", forged, after


def _beside_steps(state):
    """An operator who holds the key opens a log that claims to come after any past of another."""
    for past in ways(state.signed):
        new = tree(state.logs, (("opening", past),))
        after = state._replace(logs=state.logs + 1, signed=added(state.signed, new))
        yield "the operator opens a log beside", new, after
