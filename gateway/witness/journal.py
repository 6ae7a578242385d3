# SPDX-License-Identifier: EUPL-1.2
"""What the feed needs of the logs; `audit.Journal` has it."""

from collections.abc import Sequence
from typing import Protocol

from audit import NoteSigner, StoredEntry
from audit.store import Cosigned


class FedLog(Protocol):
    """One log, to prove from."""

    @property
    def size(self) -> int:
        """Entries as of the last commit."""

    async def checkpoint(self) -> str:
        """The newest checkpoint, signed by the log alone."""

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes that prove that size `new` continues size `old`."""

    async def read(self, start: int, stop: int) -> list[StoredEntry]:
        """Entries by number."""


class FedJournal(Protocol):
    """The logs whose checkpoints witnesses are to cosign; of the process that writes them."""

    @property
    def origins(self) -> Sequence[str]:
        """Every log, open or closed."""

    def log(self, origin: str) -> FedLog:
        """One of them."""

    def signer(self, origin: str) -> NoteSigner:
        """Its key; only the public half is used."""

    async def cosigned(self, origin: str) -> Cosigned | None:
        """The newest checkpoint that witnesses cosigned."""

    async def save_cosigned(self, origin: str, cosigned: Cosigned) -> None:
        """Keep a cosigned checkpoint."""
