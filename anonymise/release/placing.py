# SPDX-License-Identifier: EUPL-1.2
"""A file that stands under its name whole, on disk, or not at all.

It is written beside, under a name that begins with a dot, and takes its own name in one step when
everything is on the disk; a process killed at any moment leaves the name free. What such a process
left beside is cleared by the next one: a neighbour in use is locked, a left one is not.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from anonymise.errors import ReleaseError

_NEW: Final = ".new"


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A neighbour to write to, that takes the path's name when the block ends well.

    Raises:
        ReleaseError: The name is taken, or the folder is missing, full or not writable.
    """
    refuse_taken(path)
    clear_left(path)
    beside = path.with_name(f"{_beginning(path)}{secrets.token_hex(8)}{_NEW}{path.suffix}")
    try:
        lock = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _told(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield beside
        os.fsync(lock)
        # A link, unlike a rename, fails when the name was taken meanwhile.
        os.link(beside, path)
        flush_folder(path.parent)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise _told(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink()
        os.close(lock)


def replace(path: Path, content: bytes) -> None:
    """Put a small file in place of an older one, whole or not at all; mode 0600.

    Raises:
        ReleaseError: The folder is missing, full or not writable.
    """
    beside = path.with_name(f"{_beginning(path)}{secrets.token_hex(8)}{_NEW}{path.suffix}")
    try:
        clear_left(path)
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            beside.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise _told(path, error) from error


def clear_left(path: Path) -> None:
    """Remove what killed processes left beside a path."""
    for left in path.parent.glob(f"{_beginning(path)}*{_NEW}{path.suffix}"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def refuse_taken(path: Path) -> None:
    """Refuse a name that something has.

    Raises:
        ReleaseError: It does.
    """
    if path.is_symlink() or path.exists():
        raise _taken(path)


def flush_folder(folder: Path) -> None:
    """Bring a folder's names to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        ReleaseError: It can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise ReleaseError(f"{path.name} can't be read; check its path and rights") from None


def digest_of_table(path: Path) -> str:
    """The same of a table, that may be a folder of files as Spark has them.

    Of a folder, SHA-256 of a line for each file: its digest, two spaces, its name; sorted by name.

    Raises:
        ReleaseError: It can't be read.
    """
    if not path.is_dir():
        return digest(path)
    files = sorted(one for one in path.rglob("*") if one.is_file())
    lines = [f"{digest(one)}  {one.relative_to(path).as_posix()}\n" for one in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _beginning(path: Path) -> str:
    return f".{path.stem}."


def _taken(path: Path) -> ReleaseError:
    return ReleaseError(f"{path.name} stands there already and is not overwritten; name another")


def _told(path: Path, error: OSError) -> ReleaseError:
    reason = error.strerror or "it failed"
    return ReleaseError(f"{path.name} cannot be written: {reason}; nothing stands under its name")
