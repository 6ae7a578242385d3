# SPDX-License-Identifier: EUPL-1.2
"""Figures with differential privacy: for what is published, or asked again and again.

The unit is a person: adding or removing one, with all that is held of him, changes what leaves by
a factor of at most e^epsilon (Dwork and Roth, 2014). Each person is counted in so many cells as
the layout allows and no more; every cell of a closed list is told, empty or not, so that the list
of cells tells nothing; the noise is OpenDP's discrete Laplace, and what a table costs is what
OpenDP's own privacy map says. Nationalities and origins are told as regions: two hundred nearly
empty cells would be noise only.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from math import ceil
from typing import Any

from anonymise.errors import PrivateTableError
from anonymise.regions import REGIONS, UNKNOWN_REGION, region_of
from anonymise.statistics.layouts import AGE_BANDS, NEEDS, SEXES, UNKNOWN, Key, Layout
from anonymise.statistics.ledger import MICRO
from anonymise.statistics.snapshot import Members

WEEKS = 26
_ROOM = 1 + 1e-9  # the map rounds up; so much more noise keeps the price at the round figure
_BY_REGION = {"age_sex_nationality": 2, "flows": 0}


@dataclass(frozen=True, slots=True)
class PrivateTable:
    """A table that may be published.

    Attributes:
        cells: (key, figure) of every cell of the closed list; figures are never under 0.
        epsilon: what it costs the recipient's budget, in millionths.
    """

    layout: Layout
    cells: tuple[tuple[Key, int], ...]
    epsilon: int

    @property
    def note(self) -> str:
        """What a reader must know about the figures."""
        return private_note(self.layout, self.epsilon)


def private_note(layout: Layout, epsilon: int) -> str:
    """What a reader must know about figures of a layout that cost so many millionths."""
    scale = layout.most * MICRO / epsilon
    return (
        f"differentially private, epsilon {epsilon / MICRO:g} for each person; every figure "
        f"carries noise, nine in ten of them at most {2.303 * scale:.0f} either way"
    )


def closed_keys(layout: Layout, today: date, centres: Iterable[str], owner: str) -> list[Key]:
    """Every cell that the layout can have, whoever is in the register.

    Raises:
        PrivateTableError: It has no closed list.
    """
    bands, sexes = (*AGE_BANDS, UNKNOWN), (*SEXES, UNKNOWN)
    regions = sorted({*REGIONS.values(), UNKNOWN_REGION})
    match layout.name:
        case "arrivals":
            days = (today - timedelta(weeks=back) for back in range(WEEKS))
            return sorted({(f"{d.isocalendar()[0]:04}-W{d.isocalendar()[1]:02}",) for d in days})
        case "age_sex_nationality":
            return [(band, sex, region) for band in bands for sex in sexes for region in regions]
        case "needs":
            return [(need,) for need in sorted(NEEDS)]
        case "occupancy":
            return [(c, band, sex) for c in sorted(set(centres)) for band in bands for sex in sexes]
        case "flows":
            return [(region, owner) for region in regions]
        case _:
            raise PrivateTableError(
                f"{layout.name} has no closed list of cells to publish; ask without `published`"
            )


def private_table(
    layout: Layout, members: Members, keys: Sequence[Key], *, epsilon: float, key: bytes
) -> PrivateTable:
    """Count and add noise.

    Args:
        layout: what it is.
        members: whom each cell counts.
        keys: the closed list of cells; whoever is in another is not counted.
        epsilon: what it may cost.
        key: 32 secret bytes; they choose in which cells a person counts who is in too many.

    Raises:
        PrivateTableError: OpenDP is not installed, or epsilon is none.
    """
    if not 0 < epsilon <= MICRO or not layout.most:
        raise PrivateTableError("such a table needs a layout that can be published and an epsilon")
    counted = Counter(
        cell for cells in _bounded(layout, members, keys, key).values() for cell in cells
    )
    measured, cost = _measured([counted[cell] for cell in keys], layout.most, epsilon)
    figures = tuple((cell, max(0, figure)) for cell, figure in zip(keys, measured, strict=True))
    return PrivateTable(layout, figures, ceil(cost * MICRO - 1e-6))


def _bounded(
    layout: Layout, members: Members, keys: Sequence[Key], key: bytes
) -> dict[str, list[Key]]:
    """The cells in which each person counts: at most as many as the layout allows.

    Which ones depends on the person and the key only, never on who else is there.
    """
    known, place = frozenset(keys), _BY_REGION.get(layout.name)
    found: dict[str, set[Key]] = {}
    for cell, whom in members.items():
        told = cell if place is None else _in_region(cell, place)
        if told in known:
            for who in whom:
                found.setdefault(who, set()).add(told)
    return {
        who: sorted(cells, key=lambda cell: _drawn(who, cell, key))[: layout.most]
        for who, cells in found.items()
    }


def _in_region(cell: Key, place: int) -> Key:
    return (*cell[:place], region_of(cell[place]), *cell[place + 1 :])


def _drawn(who: str, cell: Key, key: bytes) -> bytes:
    text = "\x00".join((who, *cell)).encode()
    return blake2b(text, key=key, digest_size=16, person=b"cuvar bound 1").digest()


def _measured(counts: list[int], most: int, epsilon: float) -> tuple[list[int], float]:
    """Counts with noise, and what they cost."""
    dp = _opendp()
    scale = most / epsilon * _ROOM
    measure = dp.m.make_laplace(
        dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int), scale=scale
    )
    return list(measure(counts)), float(measure.map(most))


def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ImportError:
        raise PrivateTableError(
            "figures to be published need OpenDP; install it with `pip install 'cuvar[statistics]'`"
        ) from None
    dp.enable_features("contrib")
    return dp
