# SPDX-License-Identifier: EUPL-1.2
"""Coverage-guided fuzzing in plain Python: keep whatever input reaches a new step of the parser.

A step is a line of audit/ that ran after another one. No package of its own: those there are come
for some processors and versions of Python only.
"""

import sys
import time
from pathlib import Path

AUDIT = str(Path(__file__).parent.parent.parent / "audit")
TOKENS = (b"", b"\n", b"\n\n", b" ", b"+", b"=", b"null", b'"', b"\xe2\x80\x94 ", b"\0", b"0", b"-")


class Steps:
    """Collects the steps of one call."""

    def __init__(self):
        self.seen = set()
        self._last = None

    def __call__(self, frame, _event, _arg):
        if not frame.f_code.co_filename.startswith(AUDIT):
            return None
        here = (frame.f_code, frame.f_lineno)
        self.seen.add((self._last, here))
        self._last = here
        return self


def run(parse, data):
    """Call a parser on bytes; the steps that it took."""
    steps = Steps()
    before = sys.gettrace()
    sys.settrace(steps)
    try:
        parse(data)
    finally:
        sys.settrace(before)
    return steps.seen


def mutated(data, others, dice):
    """One to four changes: bits, cuts, repeats, tokens, pieces of other inputs."""
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 5)):
        place = dice.randrange(len(changed) + 1)
        match dice.randrange(6):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << dice.randrange(8)
            case 1:
                del changed[place : place + dice.randrange(1, 64)]
            case 2:
                changed[place:place] = changed[place : place + dice.randrange(1, 64)]
            case 3:
                changed[place:place] = dice.choice(TOKENS)
            case 4:
                other = dice.choice(others)
                start = dice.randrange(len(other) + 1)
                changed[place:] = other[start:]
            case _:
                size = dice.randrange(1, 9)
                changed[place : place + size] = dice.randbytes(size)
    return bytes(changed[: 1 << 16])


def fuzz(parse, seeds, seconds, dice):
    """Parse mutations of the seeds for so long; how many, and how many inputs were worth keeping.

    Raises:
        AssertionError: `parse` let out an error; the input stands in it.
    """
    corpus, seen, count = list(seeds), set(), 0
    for data in seeds:
        seen |= run(parse, data)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(dice.choice(corpus), corpus, dice)
        count += 1
        try:
            steps = run(parse, data)
        except Exception as error:
            raise AssertionError(f"{parse.__name__} on {data!r}: {error!r}") from error
        if steps - seen:
            seen |= steps
            corpus.append(data)
    return count, len(corpus) - len(seeds)
