# SPDX-License-Identifier: EUPL-1.2
"""Files of a backup: written once, for their owner only, on disk before anybody counts on them."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audit.errors import BackupError
from audit.plainfile import open_plain

_BLOCK: Final = 1 << 20


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """No operating system error leaves this package.

    Raises:
        BackupError: what the block does fails.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BackupError(
            f"{path.name} can't be read or written ({reason}); check folder, disk and permissions"
        ) from None


def write_file(path: Path, data: bytes) -> None:
    """A new file of mode 0600, flushed.

    Raises:
        BackupError: it exists or cannot be written.
    """
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Put other contents under a name: the old ones or the new ones, never a part.

    Raises:
        BackupError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    with translated(path):
        new.unlink(missing_ok=True)
        write_file(new, data)
        new.replace(path)
        sync_folder(path.parent)


def read_file(path: Path) -> bytes:
    """All of a file.

    Raises:
        BackupError: it is missing or cannot be read.
    """
    with translated(path), open_plain(path) as file:
        return file.read()


def digest_of(path: Path) -> tuple[str, int]:
    """SHA-256 in hex, and size, without holding the file whole.

    Raises:
        BackupError: it is missing or cannot be read.
    """
    with translated(path), open_plain(path) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return found, file.tell()


def wipe(path: Path) -> None:
    """Overwrite a file with zeros, then remove it.

    Journalling file systems and flash may keep old blocks all the same: the disk of a backup is
    encrypted, or scrubbed by other means.

    Raises:
        BackupError: it cannot be written.
    """
    with translated(path):
        if not path.exists():
            return
        with path.open("r+b") as file:
            left = os.fstat(file.fileno()).st_size
            while left > 0:
                left -= file.write(bytes(min(left, _BLOCK)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        BackupError: the folder cannot be opened.
    """
    with translated(folder):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
