# SPDX-License-Identifier: EUPL-1.2
"""Random bytes for salts and ids, drawn from the system in larger pieces.

Each call to the system gives up the interpreter's lock, and under load getting it back costs far
more than the bytes; one draw of a page serves a hundred entries. Bytes handed out are erased from
the pool and never handed out twice; a forked child draws anew.
"""

import os
import threading

_PAGE = 4096


class RandomPool:
    """A page of system randomness at a time; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._page = bytearray()
        self._process = 0

    def take(self, size: int) -> bytes:
        """`size` fresh bytes."""
        with self._lock:
            if len(self._page) < size or self._process != os.getpid():
                self._page = bytearray(os.urandom(max(_PAGE, size)))
                self._process = os.getpid()
            taken = bytes(self._page[-size:]) if size else b""
            del self._page[len(self._page) - size :]
            return taken


random_bytes = RandomPool().take
