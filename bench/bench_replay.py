# SPDX-License-Identifier: EUPL-1.2
"""A draft against a million past questions, read from a real SQLite log.

The log is made beforehand, unmeasured, with the log's own writer: a million entries, none of them a
copy of another (ids, times, correlations), over some thousands of different questions with their
facts, a few of which are asked most of the time, as a border post does. Measured is the whole way:
open the file, read every entry, group, decide under both rule sets, add up. The worst case beside
it, all questions different, is shown without a bar: no region asks like that.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import (
    Asked,
    Envelope,
    Journal,
    Kind,
    LogKey,
    Operation,
    Owner,
    Pending,
    Requester,
    Status,
    Verdict,
    encode_envelope,
    new_entry_id,
)
from audit.copies import open_copy
from bench.figure import Figure, at_most
from gateway.policy.history import History, Stretch
from policies import Snapshot, example_rules, load_rules
from policies.loader import build
from policies.replay import Effect, Replayed, replay

NAME = "replay"
ORIGIN = "bench.example/BA/2026h2"
ENTRIES = 1_000_000
DISTINCT = 5_000
WORST = 100_000
BATCH = 4_000
ROUNDS = 3
OUT = Path(__file__).parent / "out"
DAY = date(2026, 11, 24)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BAR_S = 10.0


def _questions(rules: Snapshot, dice: random.Random) -> Iterator[Envelope]:
    """Ever new questions, as entries: what some allow line speaks of, often with all its facts."""
    words = rules.vocabulary
    lines = [x for own in rules.book.owners.values() for x in own if x.eft == "allow"]
    cells = sorted(words.cells)
    guards = [g for g in words.guards.values() if g.about == "question" and not g.harmful]
    while True:
        line = dice.choice(lines)
        role, asker, purpose = map(dice.choice, (line.role, line.org, line.purpose))
        org, _, place = asker.partition("/")
        place = place or words.organisations[org].country
        if role not in words.purposes[purpose].roles or not words.may_hold(
            words.organisations[org], role
        ):
            continue
        wanted = [c for c in cells if c.dataset in line.dataset and c.action in line.action]
        cell = dice.choice(wanted or cells)
        owner = line.file.partition("/")[0]
        held = sorted(g.id for g in guards if dice.randrange(20))
        doubt = dice.sample(held, k=dice.randrange(2))
        yield Envelope(
            id=new_entry_id(BEGAN, bytes(10)),
            kind=Kind.ACCESS,
            t=BEGAN,
            log=ORIGIN,
            requester=Requester(place, org, role),
            owner=Owner(owner, cell.dataset),
            op=Operation.CONSULT,
            purpose=purpose,
            basis=words.purposes[purpose].bases[0],
            asked=Asked(
                action=cell.action,
                view=cell.view,
                categories=(cell.category,),
                named=True,
                sure=tuple(name for name in held if name not in doubt),
                maybe=tuple(doubt),
            ),
            decision=Verdict.ALLOW,
            view="full",
            fields=("biographic.sex", "direct_identifier.surnames"),
            rules=("BA-A03", "HR-Q03"),
            policy=rules.digest,
            duties=("notify_owner",),
            count=1,
            status=Status.HIT,
        )


def _entries(rules: Snapshot, count: int, distinct: int) -> Iterator[Pending]:
    dice = random.Random(20_261_124)  # noqa: S311 - the same log on every machine
    made = _questions(rules, dice)
    kinds = [next(made) for _ in range(distinct)]
    weights = [1 / (place + 1) for place in range(distinct)]
    chosen = iter(kinds) if count == distinct else iter(dice.choices(kinds, weights, k=count))
    for place, one in enumerate(chosen):
        when = BEGAN + timedelta(seconds=25 * place)
        entry = new_entry_id(when, dice.randbytes(10))
        yield Pending(encode_envelope(replace(one, id=entry, t=when, correlation=entry[-12:])))


async def _write(path: Path, entries: Iterator[Pending]) -> None:
    url, written = f"sqlite:///{path}", datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    keys = {"BA": LogKey("bench.example/BA", Ed25519PrivateKey.from_private_bytes(bytes(32)))}
    Journal.create(url, keys=keys, now=written)
    log = await Journal.open(url, keys=keys, clock=lambda: written)
    batch: list[Pending] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH:
            await log.append(batch)
            batch = []
    await log.append(batch)
    await log.close()


def _draft(rules: Snapshot) -> Snapshot:
    """The rules in force without every fourth allow line of each country."""
    files = dict(rules.book.files)
    for country in rules.vocabulary.countries:
        lines = files[f"{country}/rules.csv"].splitlines(keepends=True)
        gone = {*[line for line in lines if b",allow," in line][::4]}
        files[f"{country}/rules.csv"] = b"".join(line for line in lines if line not in gone)
    return build(files, on=DAY)


def _replayed(path: Path, base: Snapshot, draft: Snapshot) -> tuple[float, Replayed, int]:
    """Seconds of the whole way, from the closed file to the sums."""
    start = perf_counter()
    history = History(base.digest)
    with open_copy(str(path), ORIGIN) as copy:
        done = replay(history.pasts(Stretch(copy, ORIGIN, 0, copy.count())), base, draft)
    return perf_counter() - start, done, sum(history.skipped.values())


def _fresh() -> tuple[Snapshot, Snapshot]:
    """Rule sets that remember nothing yet."""
    base = load_rules(example_rules(), on=DAY)
    return base, _draft(base)


def run() -> list[Figure]:
    """Make both logs, replay each."""
    OUT.mkdir(exist_ok=True)
    base, _ = _fresh()
    with TemporaryDirectory(dir=OUT) as folder:
        real, worst = Path(folder) / "real.sqlite", Path(folder) / "worst.sqlite"
        asyncio.run(_write(real, _entries(base, ENTRIES, DISTINCT)))
        asyncio.run(_write(worst, _entries(base, WORST, WORST)))
        taken = []
        for _ in range(ROUNDS):
            seconds, done, skipped = _replayed(real, *_fresh())
            taken.append(seconds)
        assert (done.accesses, skipped) == (ENTRIES, 1)  # the log's opening
        slowest, bad, _ = _replayed(worst, *_fresh())
        assert bad.accesses == WORST
    return [
        at_most(f"{ENTRIES:,} decisions, worst of {ROUNDS}", max(taken), "s", BAR_S),
        Figure("different questions among them", DISTINCT, ""),
        Figure("accesses that the draft refuses", done.of(Effect.REFUSED), ""),
        Figure("accesses that it changes otherwise", _others(done), ""),
        Figure(f"{WORST:,} decisions, all different", slowest, "s"),
        Figure("one of these", slowest / WORST * 1e6, "µs"),
    ]


def _others(done: Replayed) -> int:
    return sum(change.count for change in done.changes if change.effect is not Effect.REFUSED)
