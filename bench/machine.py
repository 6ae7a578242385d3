# SPDX-License-Identifier: EUPL-1.2
"""What the figures depend on: cores, and how long the disk takes to promise a page."""

import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.figure import Figure

FLUSHES = 101
PAGE = bytes(4096)


def flush_ms(folder: Path) -> float:
    """Median milliseconds to append 4 KiB to a file in the folder and fdatasync it."""
    times = []
    with TemporaryDirectory(dir=folder) as place:
        descriptor = os.open(Path(place) / "flush", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for _ in range(FLUSHES):
                start = perf_counter()
                os.write(descriptor, PAGE)
                os.fdatasync(descriptor)
                times.append((perf_counter() - start) * 1e3)
        finally:
            os.close(descriptor)
    return median(times)


def machine(folder: Path) -> list[Figure]:
    """The machine's two figures, written beside those of every bench."""
    return [
        Figure("machine: median fdatasync of 4 KiB", round(flush_ms(folder), 4), "ms"),
        Figure("machine: cores", len(os.sched_getaffinity(0)), "cores"),
    ]
