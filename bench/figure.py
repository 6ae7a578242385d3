# SPDX-License-Identifier: EUPL-1.2
"""One measured number, with the bar that it is held against."""

from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of a bench's table.

    Attributes:
        figure: What was measured.
        value: The number, in `unit`.
        unit: "ms", "x" (a ratio), "/s", …
        bar: What the issue asks, as text ("≥ 0.80"), or None where the figure only informs.
        met: Whether the bar is met; None without a bar.
    """

    figure: str
    value: float
    unit: str
    bar: str | None = None
    met: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as it stands in bench/out."""
        return asdict(self)


def at_least(figure: str, value: float, unit: str, bar: float) -> Figure:
    """A figure that must not be under its bar."""
    return Figure(figure, value, unit, f"≥ {bar:g}", value >= bar)


def at_most(figure: str, value: float, unit: str, bar: float) -> Figure:
    """A figure that must not be over its bar."""
    return Figure(figure, value, unit, f"≤ {bar:g}", value <= bar)


def interleaved(
    jobs: "Mapping[str, Callable[[], object]]", *, rounds: int, repeats: int = 1
) -> dict[str, float]:
    """Median seconds of one call of each job, the jobs taking turns so that load falls on all.

    Args:
        jobs: Name -> call. Each runs once beforehand, unmeasured.
        rounds: Turns that each job takes.
        repeats: Calls in one turn.
    """
    taken = turns(jobs, rounds=rounds, repeats=dict.fromkeys(jobs, repeats))
    return {name: median(times) for name, times in taken.items()}


def turns(
    jobs: "Mapping[str, Callable[[], object]]",
    *,
    rounds: int,
    repeats: "Mapping[str, int]",
    clocks: "Mapping[str, Callable[[], float]] | None" = None,
) -> dict[str, list[float]]:
    """The same, by round and with a number of calls for each job: for the median of ratios.

    On a busy machine a long turn is interrupted more often than a short one. Jobs that only compute
    may be given `time.thread_time` as their clock, which stands still meanwhile.
    """
    known = clocks or {}
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(rounds):
        for name, job in jobs.items():
            clock = known.get(name, perf_counter)
            start = clock()
            for _ in range(repeats[name]):
                job()
            taken[name].append((clock() - start) / repeats[name])
    return taken


def median_ratio(over: list[float], under: list[float]) -> float:
    """The median of the ratios of rounds that were measured together."""
    return median(a / b for a, b in zip(over, under, strict=True))
