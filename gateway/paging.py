# SPDX-License-Identifier: EUPL-1.2
"""Pages of coded rows, in an order that only their recipient has.

A register gives its rows in the order of its own keys. Two recipients who each ask for pages of one
row would see the same order, and could join their rows line by line, whatever the rows hide. So a
case load is paged by the code of each person in the recipient's own pseudonym domain (GDP-33).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.crowds import everybody
from gateway.sources import Everything, Fetch, Page, Source

ORDER: Final = "list.order"
"""The field id under which a person's place in a list is coded."""

_MOST_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Turn:
    """The persons of one page, and after which code the next begins."""

    persons: tuple[str, ...]
    next: str | None


def turn_of(
    persons: Sequence[str], order: Callable[[str], str], after: str | None, limit: int
) -> Turn:
    """So many persons of a case load, those that come next in this order."""
    coded = sorted((order(person), person) for person in persons)
    rest = [pair for pair in coded if after is None or pair[0] > after]
    turn = rest[:limit]
    return Turn(tuple(person for _, person in turn), turn[-1][0] if len(rest) > limit else None)


async def page_of(wanted: Fetch, source: Source, order: Callable[[str], str]) -> Page:
    """A page of coded rows: all rows of `limit` persons of the case load.

    What is no case load (one named person, say) is fetched as it is.

    Raises:
        SourceUnavailableError: the register does not answer.
    """
    selector = wanted.selector
    if not isinstance(selector, Everything) or selector.persons is None:
        return await source.fetch(wanted)
    turn = turn_of(selector.persons, order, wanted.after, wanted.limit)
    if not turn.persons:
        return Page(())
    theirs = replace(
        wanted, selector=replace(selector, persons=turn.persons), after=None, limit=_MOST_ROWS
    )
    return Page(await everybody(theirs, await source.fetch(theirs), source), turn.next)
