# SPDX-License-Identifier: EUPL-1.2
"""Erasing sealed details: declared first, then done, never under a hold (docs/formats/erasure.md).

For each batch an entry of kind `erasure` is made durable that names the details and the ground;
only then are ciphertext, salt and wrapped keys deleted. Whoever dies between the two leaves details
that were declared and still stand: the next run deletes them first. So what is gone is always
declared, and the verifier can tell an erasure from a loss (Eurodac Art. 41(4); AUD-04). Where an
order concerns the logs of several countries, one commit declares it in all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol

from audit.concern import Ground, age_of, country_of
from audit.entry import Pending, Position, StoredEntry
from audit.envelope import encode_envelope
from audit.errors import AuditError
from audit.forms import MAX_ITEMS
from audit.holds import Order, entered
from audit.ranges import ranges_of
from audit.standing import Standing
from audit.vocabulary import Kind, Operation

MOST: Final = 10_000  # details that one entry erases: one transaction of the store
_READ: Final = 1000


class ReadableLog(Protocol):
    """One log of a journal."""

    @property
    def size(self) -> int:
        """Entries in it."""

    async def read(self, start: int, stop: int) -> list[StoredEntry]:
        """At most 1,000 entries."""


class ErasingJournal(Protocol):
    """What erasing needs of a journal."""

    def current(self, country: str) -> str:
        """The country's open log."""

    def log(self, origin: str) -> ReadableLog:
        """One of its logs."""

    async def append(self, entries: Sequence[Pending]) -> list[Position]:
        """Make entries durable."""

    async def erase_details(self, origin: str, indices: Sequence[int]) -> int:
        """Delete details; how many there were."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Details of one log that go on one ground, as many as one entry names."""

    log: str
    ground: Ground
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What a run did.

    Attributes:
        entries: erasure entries made.
        details: details deleted under them.
        finished: details deleted that an earlier run had declared.
        kept: details left alone because a hold came while this run went on.
    """

    entries: int = 0
    details: int = 0
    finished: int = 0
    kept: int = 0


def batches(log: str, ground: Ground, indices: Sequence[int]) -> Iterator[Batch]:
    """Cut sorted entries into what one erasure entry can name."""
    part: list[int] = []
    runs = 0
    for index in indices:
        new_run = not part or index != part[-1] + 1
        if part and (len(part) == MOST or (new_run and runs == MAX_ITEMS)):
            yield Batch(log, ground, tuple(part))
            part, runs, new_run = [], 0, True
        part.append(index)
        runs += new_run
    if part:
        yield Batch(log, ground, tuple(part))


def plan(standing: Standing, today: date) -> list[Batch]:
    """What is due today in all logs of a country, the oldest log first."""
    return [
        batch
        for origin in sorted(standing.logs, key=age_of)
        for ground, indices in sorted(standing.due(origin, today).items())
        for batch in batches(origin, ground, indices)
    ]


def ordered(standing: Standing, log: str, indices: Sequence[int]) -> list[Batch]:
    """What an order of an authority or a court erases before its time.

    Raises:
        AuditError: one of the entries has no detail, was erased already or is held.
    """
    if log not in standing.logs:
        raise AuditError(f"there is no log {log} of this country here")
    held, declared = standing.held(log), standing.logs[log].declared
    for index in indices:
        if not standing.sealed(log, index) or index in declared:
            raise AuditError(f"entry {index} has no detail, or it was erased already")
        if index in held:
            raise AuditError(f"the detail of entry {index} is under a legal hold: lift that first")
    return list(batches(log, Ground.GDP_ORDER, sorted(set(indices))))


def erasure_entry(order: Order, batch: Batch) -> Pending:
    """The entry that declares a batch.

    Raises:
        AuditError: the log is of another country, or an order does not say who gave it.
    """
    if batch.ground is Ground.GDP_ORDER and (order.sealed is None or order.requester is None):
        raise AuditError(
            "an erasure on an order needs the body that gave it, and sealed with it who signed and"
            " the file number; name them"
        )
    about = ranges_of(batch.indices)
    told = entered(
        replace(order, basis=batch.ground.value),
        *(Kind.ERASURE, batch.log, Operation.ERASE, about),
        count=len(batch.indices),
    )
    return Pending(encode_envelope(told), order.sealed)


class Eraser:
    """Erases in one country's logs while others write to them."""

    def __init__(
        self, journal: ErasingJournal, standing: Standing, order: Callable[[str], Order]
    ) -> None:
        """Begin from a standing that was just read.

        Args:
            journal: where entries go.
            standing: read from the same journal's store; this object goes on reading into it.
            order: makes the order for an open log: who runs this, now.
        """
        self._journal, self._standing, self._order = journal, standing, order

    async def finish(self, on_progress: Callable[[int], None] = lambda _n: None) -> int:
        """Delete what was declared and still stands; how many details that were.

        Raises:
            AuditError: the log can't be used now; nothing is lost, run it again.
        """
        finished = 0
        await self._catch_up()
        for origin in sorted(self._standing.logs, key=age_of):
            waiting = self._standing.to_finish(origin)
            for start in range(0, len(waiting), MOST):
                part = waiting[start : start + MOST]
                finished += await self._journal.erase_details(origin, part)
                on_progress(len(part))
        return finished

    async def run(
        self, planned: Sequence[Batch], on_progress: Callable[[int], None] = lambda _n: None
    ) -> Erased:
        """Finish what was begun, then declare and erase each batch.

        Raises:
            AuditError: the log can't be used now; what was declared is finished by the next run.
        """
        done = Erased(finished=await self.finish())
        for batch in planned:
            await self._catch_up()
            free = self._free(batch)
            if free.indices:
                done = await self._erase(free, done)
            done = replace(done, kept=done.kept + self._held_of(batch))
            on_progress(len(batch.indices))
        return done

    async def declaring(self, planned: Sequence[Batch]) -> list[tuple[Batch, Pending]]:
        """The entries that declare these batches now, all of which must still be free.

        Raises:
            AuditError: a hold came, or somebody else erased one of them; nothing was declared.
        """
        await self._catch_up()
        if any(self._free(batch) != batch for batch in planned):
            raise AuditError(
                "a hold or another erasure came meanwhile, so nothing was erased; look at `cuvar"
                " audit retention` and `cuvar audit hold list`, and order again"
            )
        return [(batch, self._entry(batch)) for batch in planned]

    def _entry(self, batch: Batch) -> Pending:
        return erasure_entry(self._order(self._journal.current(self._standing.country)), batch)

    async def _erase(self, batch: Batch, done: Erased) -> Erased:
        (position,) = await self._journal.append([self._entry(batch)])
        return await self.carry_out(batch, position, done)

    async def carry_out(self, batch: Batch, position: Position, done: Erased) -> Erased:
        """Delete what the entry at a position declares, but for what a hold keeps there.

        Raises:
            AuditError: the log can't be used now; the next run finishes it.
        """
        # A hold may have been entered between the last look and this entry: it wins.
        await self._catch_up(position.index)
        held = self._standing.held(batch.log)
        going = [index for index in batch.indices if index not in held]
        gone = await self._journal.erase_details(batch.log, going) if going else 0
        return replace(done, entries=done.entries + 1, details=done.details + gone)

    def _free(self, batch: Batch) -> Batch:
        held, declared = self._standing.held(batch.log), self._standing.logs[batch.log].declared
        kept = tuple(i for i in batch.indices if i not in declared and i not in held)
        return replace(batch, indices=kept)

    def _held_of(self, batch: Batch) -> int:
        held = self._standing.held(batch.log)
        return sum(index in held for index in batch.indices)

    async def _catch_up(self, through: int | None = None) -> None:
        """Read what was entered since, up to an entry or to the end."""
        country = self._standing.country
        known = sorted((o for o in self._standing.sizes if country_of(o) == country), key=age_of)
        newest = self._journal.current(country)
        for origin in dict.fromkeys((*known[-1:], newest)):
            log = self._journal.log(origin)
            start = self._standing.sizes.get(origin, 0)
            end = log.size
            if through is not None and origin == newest:
                end = max(end, through + 1)
            for first in range(start, end, _READ):
                for entry in await log.read(first, min(first + _READ, end)):
                    self._standing.take(origin, entry.index, entry.envelope)


async def erase_together(
    journal: ErasingJournal, parts: Mapping[str, tuple[Eraser, Sequence[Batch]]]
) -> dict[str, Erased]:
    """Erase in the logs of several countries: all of it is declared in one commit, or none.

    Args:
        journal: the journal of the erasers.
        parts: by country its eraser, and what goes there.

    Raises:
        AuditError: something is held or was erased by now, so that nothing was; or the log can't be
            used now, and what was declared is finished by the next run.
    """
    done = {country: Erased(finished=await one.finish()) for country, (one, _) in parts.items()}
    told = [
        (country, eraser, batch, entry)
        for country, (eraser, planned) in parts.items()
        for batch, entry in await eraser.declaring(planned)
    ]
    positions = await journal.append([entry for *_, entry in told]) if told else []
    for (country, eraser, batch, _), position in zip(told, positions, strict=True):
        done[country] = await eraser.carry_out(batch, position, done[country])
    return done
