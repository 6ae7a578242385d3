# SPDX-License-Identifier: EUPL-1.2
"""Addresses of a leader: `unix:PATH` or `tcp:HOST:PORT`.

A Unix socket's name has room for 107 bytes; a longer path is reached through its folder.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

UNIX = "unix:"
TCP = "tcp:"
_LONGEST = 100


@contextlib.contextmanager
def short_path(path: str) -> Iterator[str]:
    """A name of a socket's path that fits, valid inside the block."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    folder = os.open(Path(path).absolute().parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{Path(path).name}"
    finally:
        os.close(folder)
