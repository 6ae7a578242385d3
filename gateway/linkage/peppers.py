# SPDX-License-Identifier: EUPL-1.2
"""The gateway's peppers: one random key an epoch, sealed under a key of the gateway's own keyset.

A dump of the database alone has no pepper in clear, and when an epoch is over its pepper is
destroyed with its row: what an old copy of the index holds can then be tested by nobody. No nation
and no key holder ever has one. Relied on by look-ups, loads and rotation.
"""

from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from anonymise import Keyring
from anonymise.keyring.derivation import KEY_BYTES
from anonymise.linkage.blinding import Pepper
from audit.randomness import random_bytes
from gateway.linkage.errors import IndexStateError
from gateway.linkage.tables import LINK_EPOCH
from gateway.store import Store

LABEL: Final = "linkage pepper"
_NONCE: Final = 12


class Peppers:
    """The peppers of one gateway. `_known` is one opened pepper an epoch, by its sealed bytes."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Use an opened store with the tables of `LINKAGE`."""
        self._store = store
        self._cipher = AESGCM(keyring.service_key(LABEL))
        self._known: dict[str, tuple[bytes, Pepper]] = {}

    async def epochs(self) -> tuple[str, ...]:
        """The open epochs, oldest first.

        Raises:
            StoreError: the state database does not answer.
        """
        statement = select(LINK_EPOCH.c.epoch).order_by(LINK_EPOCH.c.epoch)
        rows = await self._store.run(lambda connection: connection.scalars(statement).all())
        return tuple(rows)

    async def pepper(self, epoch: str) -> Pepper | None:
        """The pepper of an epoch, None where it is not open; read anew, so a destroyed one is gone.

        Raises:
            StoreError: the state database does not answer.
            IndexStateError: it was sealed under another keyset.
        """
        statement = select(LINK_EPOCH.c.pepper).where(LINK_EPOCH.c.epoch == epoch)
        sealed: bytes | None = await self._store.run(
            lambda connection: connection.execute(statement).scalar_one_or_none()
        )
        if sealed is None:
            self._known.pop(epoch, None)
            return None
        known = self._known.get(epoch)
        if known is None or known[0] != sealed:
            known = self._known[epoch] = (sealed, Pepper(self._opened(sealed, epoch), epoch))
        return known[1]

    async def open(self, epoch: str, now: datetime) -> None:
        """Draw the pepper of a new epoch.

        Raises:
            StoreError: the state database does not answer.
            IndexStateError: it is open already.
        """
        nonce = random_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, random_bytes(KEY_BYTES), epoch.encode())
        row = {"epoch": epoch, "pepper": sealed, "opened": moment(now)}

        def work(connection: Connection) -> bool:
            try:
                with connection.begin_nested():
                    connection.execute(insert(LINK_EPOCH).values(row))
            except IntegrityError:
                return False
            return True

        if not await self._store.run(work):
            raise IndexStateError(f"the epoch {epoch} is open already; see `cuvar index status`")

    async def destroy(self, epoch: str) -> None:
        """Destroy the pepper of an epoch; nothing of that epoch is answered any more.

        Raises:
            StoreError: the state database does not answer; the pepper stands.
        """

        def work(connection: Connection) -> None:
            overwriting(connection)
            connection.execute(delete(LINK_EPOCH).where(LINK_EPOCH.c.epoch == epoch))

        await self._store.run(work)
        self._known.pop(epoch, None)

    def _opened(self, sealed: bytes, epoch: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], epoch.encode())
        except InvalidTag:
            raise IndexStateError(
                f"the pepper of {epoch} was sealed under another keyset; restore that keyset, or "
                "finish the epoch and let the nations send again"
            ) from None

    def __repr__(self) -> str:
        return "Peppers(keys redacted)"


def overwriting(connection: Connection) -> None:
    """Let SQLite overwrite with zeros what it deletes; elsewhere vacuuming does it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


async def settle(store: Store) -> None:
    """Let nothing of what was deleted stay in SQLite's write-ahead file.

    Raises:
        StoreError: the state database does not answer.
    """

    def work(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    await store.run(work)


def moment(now: datetime) -> str:
    """A time as the index's tables write it."""
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
