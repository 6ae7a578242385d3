# SPDX-License-Identifier: EUPL-1.2
"""Looking ahead in other processes, so that a long log takes all cores and not one.

Other processes look at stretches a little ahead of the walk, each in a copy opened by itself. They
only ever say "nothing is wrong here", with a summary. Every other stretch is walked as if they did
not exist: where they found something, see another head than the walk does, died, or could not be
started. So findings, their order and their words never depend on them.

They are started as commands, not by `multiprocessing`, which would run the caller's main module
again. Address and head go through a pipe, since command lines can be read by everybody. They end
with the block in which they were started, and when the pipe to them breaks.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from audit.copies import open_copy
from audit.store import Head
from audit.verify.entries import BLOCK
from audit.verify.shapes import Shapes
from audit.verify.summary import Summary, read_summary, summed_up

_MOST = 4
_DEPTH = 3  # stretches that a process may be ahead
PATIENCE = 60.0
_PIECE = 1 << 16
_NOTHING = b"\n"


def processes() -> int:
    """How many cores this process may use, at most four."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(_MOST, len(affinity(0)) if affinity else os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Lookahead:
    """How to look ahead.

    Attributes:
        processes: how many others look ahead; with one there would be no gain, so none is started.
        width: entries of a stretch, a multiple of 256.
        least: entries of a log that is worth starting processes for.
        patience: seconds that the walk waits for a stretch, which takes one; who hangs is left.
    """

    processes: int = field(default_factory=processes)
    width: int = 4 * BLOCK
    least: int = 200_000
    patience: float = PATIENCE


class _Other:
    """A process that looks ahead; answers come in the order of the questions."""

    def __init__(self, patience: float = PATIENCE) -> None:
        # The same modules as here, wherever these came from; what is asked comes by the pipe.
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from audit.verify.ahead import serve; serve()"
        )
        flags = ["-B"] if sys.dont_write_bytecode else []
        self._process = subprocess.Popen(  # noqa: S603 - ourselves, with nothing of others in it
            [sys.executable, *flags, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self._patience, self._got = patience, b""
        self.owes, self.alive = 0, True

    def say(self, line: bytes) -> None:
        pipe = cast("BinaryIO", self._process.stdin)
        try:
            pipe.write(line)
            pipe.flush()
        except OSError:
            self.alive = False

    def ask(self, span: range) -> None:
        self.owes += 1
        self.say(b"%d %d\n" % (span.start, span.stop))

    def answer(self) -> Summary | None:
        self.owes -= 1
        line = self._line() if self.alive else b""
        if not line:
            self.alive = False  # it died, or it hangs: what else it owes is not waited for
            return None
        return None if line == _NOTHING else read_summary(line)

    def _line(self) -> bytes:
        """The next line, empty where none comes in time."""
        pipe = cast("BinaryIO", self._process.stdout)
        end = time.monotonic() + self._patience
        while b"\n" not in self._got:
            ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
            part = os.read(pipe.fileno(), _PIECE) if ready else b""
            if not part:
                return b""
            self._got += part
        line, _, self._got = self._got.partition(b"\n")
        return line + b"\n"

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                cast("BinaryIO", pipe).close()
        self._process.wait()


class Ahead:
    """Processes ahead of one walk, which asks for its stretches in order."""

    def __init__(self, others: Sequence[_Other], spans: Sequence[range]) -> None:
        self._others = others
        self._spans = deque(spans)
        self._owed: dict[range, _Other] = {}
        self._hand_out()

    def _hand_out(self) -> None:
        while self._spans:
            free = [one for one in self._others if one.alive and one.owes < _DEPTH]
            if not free:
                return
            other, span = min(free, key=lambda one: one.owes), self._spans.popleft()
            self._owed[span] = other
            other.ask(span)

    def take(self, span: range) -> Summary | None:
        """What others found in a stretch; None where the walk must look itself."""
        other = self._owed.pop(span, None)
        found = other.answer() if other is not None else None
        # What nobody was free to take is behind the walk now.
        while self._spans and self._spans[0].start <= span.start:
            self._spans.popleft()
        self._hand_out()
        return found


@contextlib.contextmanager
def looking_ahead(
    lookahead: Lookahead, place: str, head: Head | None, spans: Sequence[range]
) -> Iterator[Ahead]:
    """Start processes that look at these stretches, if that is worth it.

    Args:
        lookahead: how many, and for how long a log.
        place: where the walk reads.
        head: what the walk reads there; whoever sees another one ends at once.
        spans: stretches in order, each of whole level-0 tiles.
    """
    with contextlib.ExitStack() as stack:
        others: list[_Other] = []
        many = min(lookahead.processes, len(spans))
        if head is not None and head.size >= lookahead.least and many > 1:
            task = json.dumps([place, _seen(head)]).encode("ascii") + b"\n"
            with contextlib.suppress(OSError):  # no such command, no more processes
                for _ in range(many):
                    others.append(_Other(lookahead.patience))
                    stack.callback(others[-1].end)
                    others[-1].say(task)
        yield Ahead(others, spans)


def _seen(head: Head) -> list[object]:
    return [head.origin, head.size, head.root.hex(), head.note]


def serve() -> None:
    """Be one of those that look ahead: read stretches, write summaries, until the pipe breaks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this ends it
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    place, (origin, *seen) = json.loads(questions.readline())
    with open_copy(place, origin) as copy:
        head = copy.head()
        if head is None or _seen(head) != [origin, *seen]:
            return
        shapes = Shapes(origin)
        for line in questions:
            start, stop = map(int, line.split())
            found = summed_up(copy, origin, shapes, range(start, stop))
            answers.write(_NOTHING if found is None else found.line())
            answers.flush()
