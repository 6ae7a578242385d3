# SPDX-License-Identifier: EUPL-1.2
"""Look-ups in the blind index: stored keys in, opaque handles out (matching.md section 5).

A look-up reads at most sixteen places of one tree. A key that more than `CAP` records of a country
share answers nothing for that country, as if nobody had it: it would tell of a crowd and nobody in
particular (matching.md section 4). `gateway.linkage.loading` fills the tables.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from anonymise import Domain, Keyring
from anonymise.linkage.keys import KeyKind
from anonymise.pseudonym import DomainCipher
from gateway.linkage.errors import IndexStateError
from gateway.linkage.tables import LINK_LOAD, LINK_ROW, LINKAGE, LoadState
from gateway.store import Store

CAP: Final = 50
MOST_KEYS: Final = 16
RECIPIENT: Final = "INDEX"
PURPOSE: Final = "linkage"


@dataclass(frozen=True, slots=True)
class Found:
    """What one country's index answers, with what it takes to read it.

    Attributes:
        root: Version of the country's root key under which the handles were made.
        grammar: Of the keys.
        blinding: Which blinder made them: hmac or oprf.
        handles: Handle to the kinds of the keys that agree; nobody where it is empty.
    """

    root: int
    grammar: int
    blinding: str
    handles: Mapping[bytes, frozenset[KeyKind]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """One country's index of one epoch.

    Attributes:
        epoch: The quarter.
        root: Version of the country's root key under which the handles were made.
        grammar: Of the keys.
        blinding: Which blinder made them: hmac or oprf.
        digest: Of the file.
        made: When the nation built it, UTC.
        loaded: When it was loaded, UTC.
    """

    epoch: str
    root: int
    grammar: int
    blinding: str
    digest: str
    made: str
    loaded: str


@dataclass(frozen=True, slots=True)
class IndexState:
    """What there is of one country, newest epoch first."""

    loads: tuple[Loaded, ...]

    def of(self, epoch: str) -> Loaded | None:
        """The load of an epoch."""
        return next((load for load in self.loads if load.epoch == epoch), None)


class LinkIndex:
    """The index in the state database."""

    def __init__(self, store: Store) -> None:
        """Give it a store of its own: a long look-up must not wait for case numbers, nor they."""
        self._store = store

    async def open(self) -> "LinkIndex":
        """Check that the tables are there.

        Raises:
            StoreError: they are not; `cuvar init` makes them.
        """
        await self._store.open(LINKAGE)
        return self

    async def candidates(
        self, epoch: str, keys: Sequence[tuple[KeyKind, bytes]], countries: Collection[str]
    ) -> dict[str, Found]:
        """Who of these countries shares a key.

        Each country that was asked and is loaded stands in the answer, with nobody where nobody
        shares one; a country that is not loaded for this epoch does not stand there. Keys of
        another grammar or blinding can't be compared: the caller looks at both.

        Args:
            epoch: Under whose pepper the keys were made.
            keys: Kind and stored key (`Pepper.stored`), at most 16.
            countries: Those to be looked at.

        Raises:
            StoreError: the state database does not answer.
            IndexStateError: too many keys at once.
        """
        if len(keys) > MOST_KEYS:
            raise IndexStateError(f"a look-up has at most {MOST_KEYS} keys; send the strongest")
        kinds: dict[bytes, set[KeyKind]] = defaultdict(set)
        for kind, stored in keys:
            kinds[stored].add(kind)
        wanted = frozenset(countries)
        served, rows = await self._store.run(
            lambda connection: _looked_up(connection, epoch, list(kinds))
        )
        shared: dict[int, dict[bytes, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        for stored, load, handle in rows:
            shared[load][bytes(stored)].append(bytes(handle))
        return {
            country: Found(root, grammar, blinding, _agreeing(shared[load], kinds))
            for load, country, root, grammar, blinding in served
            if country in wanted
        }

    async def state(self) -> Mapping[str, IndexState]:
        """What is loaded, by country.

        Raises:
            StoreError: the state database does not answer.
        """
        table = LINK_LOAD.c
        statement = (
            select(LINK_LOAD)
            .where(table.state == LoadState.SERVING)
            .order_by(table.country, table.epoch.desc())
        )
        rows = await self._store.run(lambda connection: connection.execute(statement).all())
        found: dict[str, list[Loaded]] = defaultdict(list)
        for row in rows:
            found[row.country].append(
                Loaded(
                    row.epoch,
                    row.root,
                    row.grammar,
                    row.blinding,
                    row.digest,
                    row.made,
                    row.loaded,
                )
            )
        return {country: IndexState(tuple(loads)) for country, loads in found.items()}


def handle_cipher(keyring: Keyring, country: str, epoch: str, root: int) -> DomainCipher:
    """What turns surrogates into a load's handles and back; `root` is `Loaded.root`.

    Raises:
        KeyringError: the root serves the epoch no more: the country's index counts as not loaded.
    """
    return keyring.domain_cipher(Domain(country, RECIPIENT, PURPOSE, epoch, root))


def _agreeing(
    shared: Mapping[bytes, Sequence[bytes]], kinds: Mapping[bytes, Collection[KeyKind]]
) -> dict[bytes, frozenset[KeyKind]]:
    """Handle to the kinds that agree, without what a crowd shares."""
    agreeing: dict[bytes, set[KeyKind]] = defaultdict(set)
    for stored, handles in shared.items():
        if len(handles) <= CAP:
            for handle in handles:
                agreeing[handle].update(kinds[stored])
    return {handle: frozenset(found) for handle, found in agreeing.items()}


def _looked_up(
    connection: Connection, epoch: str, keys: list[bytes]
) -> tuple[Sequence[Any], Sequence[Any]]:
    """The loads that serve, and every row of these keys, at one moment.

    Between two moments a load could be replaced: its rows gone, and nobody told as "none".
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
        # Through the driver: to compile and to expand took longer than the look-up itself.
        loads = connection.exec_driver_sql(
            "SELECT id, country, root, grammar, blinding FROM link_load "
            "WHERE epoch = ? AND state = ?",
            (epoch, str(LoadState.SERVING)),
        ).all()
        marks = ",".join("?" * len(keys))
        rows = connection.exec_driver_sql(
            f"SELECT key, load, handle FROM link_row WHERE key IN ({marks})",  # noqa: S608 - marks
            tuple(keys),
        ).all()
        return loads, rows
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    table, row = LINK_LOAD.c, LINK_ROW.c
    served = select(table.id, table.country, table.root, table.grammar, table.blinding).where(
        table.epoch == epoch, table.state == LoadState.SERVING
    )
    found = select(row.key, row.load, row.handle).where(row.key.in_(keys))
    return connection.execute(served).all(), connection.execute(found).all()
