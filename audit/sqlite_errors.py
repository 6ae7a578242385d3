# SPDX-License-Identifier: EUPL-1.2
"""Errors of SQLite and of the operating system as errors of the log: unavailable or corrupt."""

import contextlib
import errno
import sqlite3
from collections.abc import Iterator

from audit.errors import LogCorruptError, LogUnavailableError, Trouble

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _unavailable(path: str, error: sqlite3.Error | OSError) -> LogUnavailableError:
    reason = getattr(error, "sqlite_errorname", None) or getattr(error, "strerror", None)
    return LogUnavailableError(
        f"the log {path} cannot be used ({reason or type(error).__name__});"
        " free the disk, the lock or the mount; it goes on by itself",
        trouble=Trouble.DISK_FULL if _full(error) else Trouble.STORE,
    )


def _full(error: sqlite3.Error | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return _primary(error) == sqlite3.SQLITE_FULL


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """No sqlite3 or operating system error leaves this module."""
    try:
        yield
    except sqlite3.Error as error:
        if isinstance(error, sqlite3.IntegrityError) or _primary(error) in _DAMAGE:
            raise LogCorruptError(
                f"the file of the log {path} is damaged or holds entries beyond its head;"
                " copy it away and run `python -m audit verify` on the copy"
            ) from None
        raise _unavailable(path, error) from None
    except OSError as error:
        raise _unavailable(path, error) from None


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
