# SPDX-License-Identifier: EUPL-1.2
"""A secret file: written whole or not at all, read only when nobody else can.

The keyset's only way to and from the disk (docs/formats/keyset.md §4). Used by
`file_vault.FileVault`.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from anonymise.errors import (
    KeyringError,
    KeysetDamagedError,
    KeysetExistsError,
    KeysetMissingError,
    KeysetPermissionError,
)

_LARGEST = 65_536
_OWNER_ONLY = 0o600
_OTHERS = 0o077


def write_new(path: Path, content: bytes) -> None:
    """Put a new file in place, mode 0600, flushed to disk with its name.

    Raises:
        KeysetExistsError: Something stands at the path; it is left as it is.
        KeyringError: The folder is missing or not writable.
    """
    neighbour = _neighbour(path)
    with _told("write", path):
        try:
            _write(neighbour, content)
            # A link, unlike a rename, fails when the name is taken.
            os.link(neighbour, path)
        except FileExistsError:
            raise KeysetExistsError(
                f"{path.name} stands there already and is not overwritten; "
                "move it away if you mean to make a new one"
            ) from None
        finally:
            with suppress(FileNotFoundError):
                neighbour.unlink()
        _flush_folder(path.parent)


def replace_private(path: Path, content: bytes) -> None:
    """Put a new content in place of a file, which stays as it is until the new one is complete.

    Raises:
        KeyringError: it can't be written; the old file stands.
    """
    neighbour = _neighbour(path)
    with _told("write", path):
        try:
            _write(neighbour, content)
            neighbour.replace(path)
        finally:
            with suppress(FileNotFoundError):
                neighbour.unlink()
        _flush_folder(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone among those who change the file; waits for whoever does.

    Raises:
        KeyringError: the folder is missing or not writable.
    """
    with _told("lock", path):
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_WRONLY | os.O_CREAT, _OWNER_ONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # What a change left behind that was cut off holds keys; nobody else writes now.
        for stale in path.parent.glob(f".{path.name}.*.new"):
            stale.unlink(missing_ok=True)
        yield
    finally:
        os.close(lock)


def read_private(path: Path) -> bytes:
    """The content of a file that only this user can read.

    Raises:
        KeysetMissingError: Nothing stands there.
        KeysetPermissionError: Not a plain file of this user, or open to group or others.
        KeysetDamagedError: Empty, or far too large.
        KeyringError: It cannot be read.
    """
    with _told("read", path), path.open("rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in {0, os.geteuid()}:
            raise KeysetPermissionError(f"{path.name} is not a plain file of this user or of root")
        if found.st_mode & _OTHERS:
            raise KeysetPermissionError(
                f"{path.name} can be read by others; make it private (chmod 600) and, "
                "if they may have read it, make a new one"
            )
        content = file.read(_LARGEST + 1)
    if not content or len(content) > _LARGEST:
        raise KeysetDamagedError(
            f"{path.name} is empty or far too large; restore it from its backup"
        )
    return content


@contextmanager
def _told(what: str, path: Path) -> Iterator[None]:
    """Say in our own words what the system refused."""
    try:
        yield
    except FileNotFoundError:
        raise KeysetMissingError(
            f"there is no {path.name} to {what}; check the path in the settings, "
            "or make one if this is a new installation"
        ) from None
    except OSError as error:
        raise KeyringError(f"cannot {what} {path.name}: {error.strerror}") from None


def _neighbour(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.new")


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
