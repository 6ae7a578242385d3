# SPDX-License-Identifier: EUPL-1.2
"""A key holder's folder: one seed a quarter in a file of its own, and his memory.

Opening a quarter draws a seed; closing one deletes it, and nothing of that quarter can be blinded
or tested by anybody again. The files are one line of text, mode 0600:

    cuvar-keyholder-key-1 2027q1 <base64 of the 32-byte seed>
    cuvar-keyholder-client-1 BA <base64url of the 32-byte token>
"""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anonymise.domain import COUNTRY, EPOCH
from anonymise.keyring.private_file import read_private, write_new
from anonymise.linkage.oprf import SEED_BYTES, derive_key
from audit.randomness import random_bytes
from gateway.keyholder.errors import KeyHolderError
from gateway.keyholder.memory import Memory

TOKEN_BYTES: Final = 32
_KEY: Final = "cuvar-keyholder-key-1"
_CLIENT: Final = "cuvar-keyholder-client-1"
_INFO: Final = b"cuvar keyholder 1 "


@dataclass(frozen=True, slots=True)
class KeyHolderFolder:
    """The files of one key holder."""

    path: Path

    @property
    def memory(self) -> Path:
        """The SQLite file."""
        return self.path / "keyholder.sqlite"

    def create(self) -> None:
        """Make the folder with an empty memory.

        Raises:
            KeyHolderError: one stands there, or can't be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._keys.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise KeyHolderError(f"{self.path.name} can't be made: {error.strerror}") from None
        Memory.create(self.memory)

    def open(self, epoch: str) -> None:
        """Draw the seed of a quarter.

        Raises:
            KeyHolderError: this is no quarter.
            KeyringError: it is open already, or can't be written.
        """
        write_new(self._seed(epoch), _line(_KEY, epoch, random_bytes(SEED_BYTES)))

    def close(self, epoch: str) -> None:
        """Delete the seed of a quarter, overwritten first.

        Raises:
            KeyHolderError: it is not open, or can't be deleted.
        """
        seed = self._seed(epoch)
        try:
            with seed.open("r+b") as file:
                file.write(bytes(seed.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            seed.unlink()
        except FileNotFoundError:
            raise KeyHolderError(f"{epoch} is not open; see `cuvar keyholder status`") from None
        except OSError as error:
            raise KeyHolderError(f"{seed.name} can't be deleted: {error.strerror}") from None

    def epochs(self) -> list[str]:
        """The open quarters, oldest first."""
        return sorted(
            found.stem for found in self._keys.glob("*.key") if EPOCH.fullmatch(found.stem)
        )

    def key(self, epoch: str) -> bytes | None:
        """The scalar of a quarter, None where it is not open.

        Raises:
            KeyHolderError: its file is damaged.
            KeyringError: its file is open to others.
        """
        if not EPOCH.fullmatch(epoch) or not self._seed(epoch).exists():
            return None
        named, seed = _parsed(_KEY, read_private(self._seed(epoch)))
        if named != epoch:
            raise KeyHolderError(f"{epoch}.key is the key of another quarter; restore it")
        return derive_key(seed, _INFO + epoch.encode())

    def admit(self, country: str, file: Path) -> None:
        """Admit a nation and write the file that admits it.

        Raises:
            KeyHolderError: this is no country, or the memory can't be written.
            KeyringError: a file stands there, or can't be written.
        """
        if not COUNTRY.fullmatch(country):
            raise KeyHolderError("a nation is a code of two capital letters")
        token = random_bytes(TOKEN_BYTES)
        memory = Memory(self.memory)
        try:
            write_new(file, _line(_CLIENT, country, token))
            memory.admit(country, token)
        finally:
            memory.close()

    @property
    def _keys(self) -> Path:
        return self.path / "keys"

    def _seed(self, epoch: str) -> Path:
        if not EPOCH.fullmatch(epoch):
            raise KeyHolderError("an epoch is a quarter, written like 2027q1")
        return self._keys / f"{epoch}.key"


def read_client(file: Path) -> bytes:
    """The token of a file that admits a nation.

    Raises:
        KeyHolderError: it is none.
        KeyringError: it is missing, or open to others.
    """
    _, token = _parsed(_CLIENT, read_private(file))
    return token


def _line(kind: str, name: str, secret: bytes) -> bytes:
    return f"{kind} {name} {base64.urlsafe_b64encode(secret).decode()}\n".encode()


def _parsed(kind: str, content: bytes) -> tuple[str, bytes]:
    try:
        found, name, text = content.decode("ascii").removesuffix("\n").split(" ")
        secret = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        found, name, secret = "", "", b""
    if found != kind or len(secret) != TOKEN_BYTES or _line(kind, name, secret) != content:
        raise KeyHolderError(f"a file of kind {kind} is damaged; restore it, or make a new one")
    return name, secret
