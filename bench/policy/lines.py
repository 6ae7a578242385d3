# SPDX-License-Identifier: EUPL-1.2
"""Rule sets of any size in the shape of the shipped ones, the same at each run.

The shipped floor stands first, whole. After it come owners' lines: each is a shipped line of one of
the nine countries with its owner, and some of its askers, words and guards, drawn anew. So role
groups, wildcards, lists, several guards and denials stand in the same mixture as in real files.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from policies.line import Line
from policies.snapshot import RuleBook
from policies.table import EVERY

SEED = 7


def lines(book: RuleBook, size: int) -> tuple[Line, ...]:
    """The floor and enough owners' lines to be `size` lines, no two of them the same rule."""
    draw = random.Random(SEED)  # noqa: S311  the same lines at each run
    patterns = [line for some in book.owners.values() for line in some]
    found = list(book.floor)
    seen = {_rule(line) for line in found}
    while len(found) < size:
        line = _varied(draw.choice(patterns), book, draw)
        if _rule(line) not in seen:
            seen.add(_rule(line))
            found.append(replace(line, id=f"G{len(found):05}", number=len(found)))
    return tuple(found)


def _varied(line: Line, book: RuleBook, draw: random.Random) -> Line:
    words = book.vocabulary
    positive = sorted(guard.id for guard in words.guards.values() if not guard.harmful)
    guards = list(line.guards)
    if line.eft == "allow" and draw.randrange(3) == 0:
        guards.append(draw.choice(positive))
    return replace(
        line,
        file="generated.csv",
        owner=(draw.choice(sorted(words.countries)),),
        role=_some(line.role, draw),
        org=_some(line.org, draw),
        dataset=_some(line.dataset, draw),
        category=_some(line.category, draw),
        action=_some(line.action, draw),
        purpose=_some(line.purpose, draw),
        guards=tuple(dict.fromkeys(guards)),
    )


def _some(cell: tuple[str, ...], draw: random.Random) -> tuple[str, ...]:
    """A cell as it is, or some of its words, in their order."""
    if cell == (EVERY,) or draw.randrange(2):
        return cell
    kept = draw.sample(range(len(cell)), draw.randint(1, len(cell)))
    return tuple(cell[place] for place in sorted(kept))


def _rule(line: Line) -> Sequence[str]:
    return tuple(line.policy()[1:11])
