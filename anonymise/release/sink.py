# SPDX-License-Identifier: EUPL-1.2
"""A file that is digested by one thread and written by another, while what comes next is made.

`release.published` writes releases of millions of rows through it.
"""

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from typing import Final, Self

_UNDER_WAY: Final = 16  # pieces


class Sink:
    """A file that is digested by one thread and written by another.

    `_told` is the digesting thread's alone, the file the writing thread's.
    """

    def __init__(self, file: FileIO) -> None:
        """Begin with nothing."""
        self._file = file
        self._told = hashlib.sha256()
        self._threads = (ThreadPoolExecutor(1), ThreadPoolExecutor(1))
        self._going: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let the threads go."""
        for one in self._threads:
            one.shutdown(cancel_futures=True)

    def put(self, content: bytes) -> None:
        """Add to the file; waits while much is under way."""
        while len(self._going) > _UNDER_WAY:
            self._going.popleft().result()
        digesting, writing = self._threads
        self._going.append(digesting.submit(self._told.update, content))
        self._going.append(writing.submit(_write_all, self._file, content))

    def digest(self) -> str:
        """SHA-256 in hex of all that was put, once all of it is written."""
        while self._going:
            self._going.popleft().result()
        return self._told.hexdigest()


def _write_all(file: FileIO, content: bytes) -> None:
    """A raw file may take less than it is given."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]
