# SPDX-License-Identifier: EUPL-1.2
"""What a release must keep to, what was found in it, and what it therefore misses.

Deny is the default: what was not counted or not tried is missed. An attack that could be tried too
seldom has no result, and no result is never a pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FEWEST: Final = 200  # attempts; with fewer, an interval is wider than any sensible limit
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in a file.

    Attributes:
        rows: Rows that are not suppressed.
        suppressed: Rows whose quasi-identifiers all are "*".
        classes: Distinct published combinations.
        k: The smallest class.
        l: The fewest sensitive values in a class; None without a sensitive column.
        t: The largest distance of a class from its table; None without one.
        sizes: Class size -> how many classes have it, ascending.
        strange: Columns that hold a value which is no node of their hierarchy.
    """

    rows: int
    suppressed: int
    classes: int
    k: int
    l: int | None  # noqa: E741 - the literature's name
    t: float | None
    sizes: tuple[tuple[int, int], ...]
    strange: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a release must keep to.

    Attributes:
        k: Rows in the smallest class, at least.
        l: Sensitive values in a class, at least.
        t: Distance of a class from the whole, at most; None to demand none.
        most_risk: The upper end of each attack's interval, at most.
    """

    k: int
    l: int = 1  # noqa: E741 - the literature's name
    t: float | None = None
    most_risk: float = 0.25


@dataclass(frozen=True, slots=True)
class Attack:
    """What came of one attack.

    Attributes:
        name: Which.
        attempts: How often it was really tried; the smaller of known and control.
        risk: Success on released people in excess of success on others; None without attempts.
        high: The upper end of its 95 % interval.
        known: The rate of success on people in the release.
        control: The rate on people who are not in it.
    """

    name: str
    attempts: int
    risk: float | None = None
    high: float | None = None
    known: float | None = None
    control: float | None = None

    @property
    def has_result(self) -> bool:
        """Whether it was tried often enough to say anything."""
        return self.high is not None and self.attempts >= FEWEST


def failures(found: Found, limits: Limits, attacks: Sequence[Attack] | None) -> tuple[str, ...]:
    """Every demand that a release misses; none when it passes.

    Args:
        found: From the file.
        limits: What it must keep to.
        attacks: What came of the attacks; None when they were not run, which is a miss.
    """
    missed = [f"column {name} holds values that its hierarchy lacks" for name in found.strange]
    if found.suppressed:
        missed.append(
            f"{found.suppressed} rows are suppressed, and would go out with their sensitive value"
        )
    if found.k < limits.k:
        missed.append(f"the smallest class has {found.k} rows, not {limits.k}")
    if limits.l > 1 and (found.l is None or found.l < limits.l):
        missed.append(f"a class has {found.l or 0} sensitive values, not {limits.l}")
    if limits.t is not None and (found.t is None or found.t > limits.t + _TOLERANCE):
        told = "unknown" if found.t is None else f"{found.t:.4f}"
        missed.append(f"a class is {told} away from the whole, not at most {limits.t:g}")
    if attacks is None:
        missed.append("no attack was tried on it")
    for one in attacks or ():
        words = one.name.replace("_", " ")
        if not one.has_result:
            missed.append(f"{words} could be tried only {one.attempts} times, which is no result")
        elif one.high is None or one.high > limits.most_risk:
            missed.append(
                f"{words} succeeds up to {one.high:.3f} more often on people in the release than "
                f"on others, not at most {limits.most_risk:g}"
            )
    return tuple(missed)
