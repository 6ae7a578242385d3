# SPDX-License-Identifier: EUPL-1.2
"""What there is to say of a stretch of entries in which nothing is wrong.

It is all that a walk keeps of a stretch once it has passed, so it goes on from there as if it had
read the entries itself. It travels as one line of JSON between processes of the same verifier.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.copies import Copy
from audit.envelope import encode_envelope, parse_envelope
from audit.event import Envelope
from audit.tiles import tile_root
from audit.verify.passage import Passage
from audit.verify.shapes import Shapes

_MOST_WEIGHTY = 2048


@dataclass(frozen=True, slots=True)
class Summary:
    """A stretch of whole level-0 tiles in which nothing is wrong.

    Attributes:
        roots: the roots of its tiles.
        first, last: times of its first and last entry, as written; those between never fall.
        weighty: its entries whose members matter beyond their form.
        missing: entries whose detail is gone, where erasures must name them, by month.
        nameless: how many older entries' details are gone.
        unchecked: details that the copy does not hold.
    """

    roots: tuple[bytes, ...]
    first: bytes
    last: bytes
    weighty: tuple[tuple[int, Envelope], ...]
    missing: Mapping[str, Sequence[range]]
    nameless: int
    unchecked: int

    def line(self) -> bytes:
        """In writing."""
        told = {
            "roots": [root.hex() for root in self.roots],
            "times": [self.first.decode("ascii"), self.last.decode("ascii")],
            "weighty": [[n, bytes(encode_envelope(e)).decode("ascii")] for n, e in self.weighty],
            "missing": {
                month: [[span.start, span.stop] for span in spans]
                for month, spans in self.missing.items()
            },
            "counts": [self.nameless, self.unchecked],
        }
        return json.dumps(told).encode("ascii") + b"\n"


def read_summary(line: bytes) -> Summary:
    """Read what `Summary.line` wrote."""
    told = json.loads(line)
    first, last = told["times"]
    nameless, unchecked = told["counts"]
    return Summary(
        tuple(bytes.fromhex(root) for root in told["roots"]),
        first.encode("ascii"),
        last.encode("ascii"),
        tuple((n, parse_envelope(data.encode("ascii"))) for n, data in told["weighty"]),
        {
            month: tuple(range(start, stop) for start, stop in spans)
            for month, spans in told["missing"].items()
        },
        nameless,
        unchecked,
    )


def summed_up(copy: Copy, origin: str, shapes: Shapes, span: range) -> Summary | None:
    """Look at a stretch of whole tiles; None where there is more to say than a summary can hold."""
    weighty: list[tuple[int, Envelope]] = []
    # Entry 0 matters whatever its kind: no frame may be known, so that it is parsed.
    fresh = shapes if span.start else Shapes(origin)
    passage = Passage(
        copy, origin, fresh, lambda index, envelope: weighty.append((index, envelope))
    )
    roots = []
    for _, leaves in passage.tiles(span):
        found = passage.findings
        if found.entries or found.whole or not passage.complete or len(weighty) > _MOST_WEIGHTY:
            return None
        roots.append(tile_root(leaves))
    held = passage.custody
    return Summary(
        tuple(roots),
        passage.first,
        passage.time,
        tuple(weighty),
        {month: tuple(spans) for month, spans in held.missing.items()},
        held.nameless,
        passage.unchecked,
    )
