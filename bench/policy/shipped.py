# SPDX-License-Identifier: EUPL-1.2
"""The shipped rules of nine countries: loading, the whole decision space, whole decisions, reload.

The rule set alone is what the comparison times; a question costs more, because the gateway asks
for several categories, two rule sets, every deciding line and the duties. Both are shown.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count, product
from statistics import median, quantiles
from threading import Event, Thread
from time import perf_counter

from bench.figure import Figure, at_most, interleaved
from policies import Snapshot, example_rules, load_rules
from policies.facts import derived, known
from policies.loader import build, read_folder
from policies.masks import RuleSet
from policies.matcher import Compiler
from policies.proof import breaches, grants
from policies.question import Truth
from policies.space import askers

DAY = date(2026, 11, 24)
_DAYS = count(1)
BAR_SPACE_S = 0.5
_SWAPPING_S = 3


def shipped() -> Snapshot:
    """The packaged rules."""
    return load_rules(example_rules(), on=DAY)


def _built(files: dict[str, bytes]) -> Snapshot:
    """A snapshot made anew: the loader shares one between loads for the same day."""
    return build(files, on=DAY + timedelta(next(_DAYS)))


def measure(snapshot: Snapshot) -> list[Figure]:
    """All figures of this module."""
    return [*_loading(snapshot), *_space(snapshot), *_whole(snapshot), *_swapping(snapshot)]


def _loading(snapshot: Snapshot) -> list[Figure]:
    files = read_folder(example_rules())
    book = snapshot.book
    parts = [(*book.floor, *some) for some in book.owners.values()]
    sets = [*parts, *book.asking.values()]

    def compiled() -> list[RuleSet]:
        compiler = Compiler()
        return [RuleSet(book.conf, some, book.vocabulary.groups, compiler) for some in sets]

    taken = interleaved({"all": lambda: _built(files), "compile": compiled}, rounds=7)
    return [
        Figure("shipped rules: lines decided on", sum(map(len, sets)), "lines"),
        Figure("shipped rules: read, check, compile", taken["all"] * 1e3, "ms"),
        Figure("  of it casbin's enforcers and the masks", taken["compile"] * 1e3, "ms"),
    ]


def _space(snapshot: Snapshot) -> list[Figure]:
    words = snapshot.vocabulary
    points = sum(
        len(words.cells)
        for _ in product(words.countries, askers(words), words.roles, words.purposes)
    )
    taken = interleaved(
        {"space": lambda: sum(1 for _ in grants(snapshot)), "proof": lambda: breaches(snapshot)},
        rounds=5,
    )
    found = {(g.owner, g.org, g.country, g.role, g.purpose, g.cell) for g in grants(snapshot)}
    return [
        Figure("whole space: owner x asker x role x purpose x cell", points, "points"),
        Figure("  granted at best", len(found), "points"),
        at_most("  enumerated in", taken["space"], "s", BAR_SPACE_S),
        Figure("  all invariants held against it in", taken["proof"], "s"),
    ]


def _whole(snapshot: Snapshot) -> list[Figure]:
    """Questions of the shipped examples, as the gateway asks them."""
    examples = snapshot.examples
    words = snapshot.vocabulary
    asked = [
        (e.question, e.owner, known(words, e.facts, derived(words, e.question, e.owner)))
        for e in examples
    ]
    taken = interleaved(
        {
            "engine": lambda: [snapshot.engine.decide(*one) for one in asked],
            "snapshot": lambda: [
                snapshot.decide_record(e.question, e.owner, e.facts) for e in examples
            ],
        },
        rounds=9,
    )
    cells = sum(len(snapshot.engine.decide(*one).cells) for one in asked)
    return [
        Figure("whole decision: categories in one", cells / len(asked), "cells"),
        Figure(
            "  both rule sets, lines and duties, anew", taken["engine"] / len(asked) * 1e6, "us"
        ),
        Figure("  by the snapshot, remembered", taken["snapshot"] / len(asked) * 1e6, "us"),
        Figure("  the first of its facts in one rule set", _first_us(snapshot), "us"),
    ]


def _first_us(snapshot: Snapshot) -> float:
    """A set of facts that a rule set has not seen: its guards are gone through once."""
    words = snapshot.vocabulary
    rules = next(iter(snapshot.engine.owners.values())).without(())
    names = list(words.guards)
    times = []
    for one, other in product(names, names):
        facts = known(words, {one: Truth.TRUE, other: Truth.FALSE}, frozenset())
        start = perf_counter()
        rules.firing(facts.sure, facts.maybe)
        times.append(perf_counter() - start)
    return median(times) * 1e6


class _Holder:
    """What holds the snapshot in force: one reference."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot


def _swapping(snapshot: Snapshot) -> list[Figure]:
    """One thread decides while another loads the folder again and again and swaps."""
    holder = _Holder(snapshot)
    files = read_folder(example_rules())
    ended = Event()
    swaps = [0]

    def swap() -> None:
        while not ended.is_set():
            holder.snapshot = _built(files)
            swaps[0] += 1

    examples = snapshot.examples
    wanted = [snapshot.decide_record(e.question, e.owner, e.facts) for e in examples]
    thread = Thread(target=swap)
    thread.start()
    times = []
    wrong = 0
    end = perf_counter() + _SWAPPING_S
    try:
        while perf_counter() < end:
            for example, right in zip(examples, wanted, strict=True):
                start = perf_counter()
                got = holder.snapshot.decide_record(example.question, example.owner, example.facts)
                times.append(perf_counter() - start)
                wrong += got != right
    finally:
        ended.set()
        thread.join()
    return [
        Figure(f"reload: swaps in {_SWAPPING_S} s", swaps[0], "swaps"),
        Figure("  decision meanwhile, p50", median(times) * 1e6, "us"),
        Figure("  decision meanwhile, p99", quantiles(times, n=100)[-1] * 1e6, "us"),
        at_most("  wrong answers", wrong, "decisions", 0),
    ]
