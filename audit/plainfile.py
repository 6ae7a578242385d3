# SPDX-License-Identifier: EUPL-1.2
"""Reading files that others handed over: plain ones only, and no more of them than makes sense.

A pipe never ends and a device never stops giving; either would hang a tool whose user trusts
nobody. Verifier, copies and backups read through here.
"""

import os
import stat
from io import BufferedReader
from pathlib import Path

from audit.errors import AuditError


class NotPlainError(AuditError):
    """A file that is a folder, a pipe or a device, that can't be read, or that is too large."""


def open_plain(path: Path) -> BufferedReader:
    """A plain file, open for reading.

    Raises:
        FileNotFoundError: there is none.
        NotPlainError: it is no plain file, or can't be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotPlainError(f"{path.name} cannot be read ({error.strerror})") from None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise NotPlainError(f"{path.name} is no plain file; name a copy of it")


def read_plain(path: Path, most: int) -> bytes:
    """The bytes of a plain file.

    Args:
        path: its name; a link is followed.
        most: the size above which it can't be what it should be.

    Raises:
        FileNotFoundError: there is none.
        NotPlainError: it is no plain file, can't be read, or is larger.
    """
    with open_plain(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, most) + 1)
        except OSError as error:
            raise NotPlainError(f"{path.name} cannot be read ({error.strerror})") from None
    if len(data) > most:
        raise NotPlainError(f"{path.name} is larger than any file of its kind")
    return data
