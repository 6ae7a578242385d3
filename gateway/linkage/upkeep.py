# SPDX-License-Identifier: EUPL-1.2
"""What keeps an index lawful: epochs that end, and persons who are taken out (matching.md 5.9).

A new epoch is opened while the old one is still answered; when every country has sent again, the
old one is finished: its pepper and its rows are destroyed, and every log says so. A person is taken
out by surrogate, or because the register no longer holds him or may no longer use him. The entry
comes first each time, so that a destruction that was cut off is known and is finished by the next.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from anonymise.domain import EPOCH, epoch_after, epoch_of
from gateway.linkage.errors import IndexStateError
from gateway.linkage.index import LinkIndex, Loaded, handle_cipher
from gateway.linkage.loading import Parts, sweep
from gateway.linkage.peppers import settle
from gateway.linkage.persons import DATASET
from gateway.linkage.rows import Progress, erase_handles, handles_of
from gateway.linkage.tables import LINK_LOAD, LoadState
from gateway.sources import Everything, Fetch, Source

_PAGE: Final = 1_000
_EPOCHS: Final = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of `cuvar index status`.

    Attributes:
        country: Whose register.
        epoch: An open one.
        load: What is loaded of it, None if nothing.
    """

    country: str
    epoch: str
    load: Loaded | None


async def standing(parts: Parts) -> list[Standing]:
    """Every country in every open epoch.

    Raises:
        StoreError: the state database does not answer.
    """
    epochs, state = await parts.peppers.epochs(), await LinkIndex(parts.store).state()
    return [
        Standing(country, epoch, state[country].of(epoch) if country in state else None)
        for country in sorted(parts.countries)
        for epoch in epochs
    ]


async def rotate(parts: Parts, epoch: str | None, now: datetime) -> str:
    """Open an epoch: the one that is named, or the quarter after the newest, or this quarter.

    Raises:
        IndexStateError: it can't be opened now; the message says why.
        AuditError: the entries can't be made; nothing was opened.
    """
    epochs = await parts.peppers.epochs()
    wanted = epoch or (epoch_after(epochs[-1]) if epochs else epoch_of(now.date()))
    if not EPOCH.fullmatch(wanted):
        raise IndexStateError("an epoch is a quarter, written like 2027q1")
    if epochs and wanted <= epochs[-1]:
        raise IndexStateError(f"{epochs[-1]} is open; an epoch that is opened comes after it")
    if len(epochs) >= _EPOCHS:
        raise IndexStateError(
            f"{epochs[0]} and {epochs[1]} are both open; finish {epochs[0]} first with "
            "`cuvar index rotate --finish`"
        )
    await parts.recorder.of_all("open", wanted, erased=False)
    await parts.peppers.open(wanted, now)
    return wanted


async def finish(parts: Parts, without: Collection[str], progress: Progress) -> str:
    """Destroy the oldest epoch: its pepper, then its rows.

    Args:
        parts: The gateway's.
        without: Countries that need not have sent again.
        progress: Told how many rows are gone.

    Raises:
        IndexStateError: there is no newer one, or a country has not sent again.
        AuditError: the entries can't be made; nothing was destroyed.
    """
    epochs, state = await parts.peppers.epochs(), await LinkIndex(parts.store).state()
    if len(epochs) < _EPOCHS:
        raise IndexStateError("there is no older epoch to finish; see `cuvar index status`")
    old, new = epochs[0], epochs[-1]
    missing = [
        country
        for country in sorted(state)
        if state[country].of(old) and not state[country].of(new) and country not in without
    ]
    if missing:
        raise IndexStateError(
            f"{', '.join(missing)} did not send {new} yet and would be answered no more; "
            "wait, or name them with --without"
        )
    await parts.recorder.of_all("destroy", old, erased=True)
    await parts.peppers.destroy(old)
    table = LINK_LOAD.c
    gone = update(LINK_LOAD).where(table.epoch == old).values(state=LoadState.GONE)
    await parts.store.run(lambda connection: connection.execute(gone))
    for country in sorted(state):
        await sweep(parts.store, country, progress)
    await settle(parts.store)
    return old


async def erase(parts: Parts, country: str, surrogates: Collection[bytes]) -> int:
    """Take persons out of every epoch, by surrogate; how many there were.

    Raises:
        IndexStateError: the country has no index.
        AuditError: the entry can't be made; nobody was taken out.
        KeyringError: the root that made the handles serves no more; send the index again.
    """
    found = {
        number: set(handle_cipher(parts.keyring, country, epoch, root).pseudonyms([*surrogates]))
        for number, epoch, root in await _loads(parts, country)
    }
    return await _erased(parts, country, found, "by surrogate")


async def erase_gone(parts: Parts, source: Source, now: datetime, progress: Progress) -> int:
    """Take out whom the register no longer holds, or may no longer use; how many there were.

    Raises:
        SourceUnavailableError: the register did not answer to the end; nobody was taken out.
        IndexStateError, AuditError, KeyringError: as `erase`.
    """
    country = source.country
    loads = await _loads(parts, country)
    held = await _held(source, now, progress)
    found = {}
    for number, epoch, root in loads:
        cipher = handle_cipher(parts.keyring, country, epoch, root)
        found[number] = await handles_of(parts.store, number) - set(cipher.pseudonyms(held))
    return await _erased(parts, country, found, "no longer held")


async def _erased(parts: Parts, country: str, found: dict[int, set[bytes]], why: str) -> int:
    most = max(map(len, found.values()))
    if not most:
        return 0
    detail = {"why": why, "asked": most}
    await parts.recorder.of_country("erase", country, detail, erased=True, digest="")
    gone = max([await erase_handles(parts.store, number, who) for number, who in found.items()])
    await settle(parts.store)
    return gone


async def _loads(parts: Parts, country: str) -> Sequence[tuple[int, str, int]]:
    table = LINK_LOAD.c
    statement = select(table.id, table.epoch, table.root).where(
        table.country == country, table.state == LoadState.SERVING
    )
    rows = await parts.store.run(lambda connection: connection.execute(statement).all())
    if not rows:
        raise IndexStateError(f"{country} has no index here; see `cuvar index status`")
    return [(row.id, row.epoch, row.root) for row in rows]


async def _held(source: Source, now: datetime, progress: Progress) -> list[bytes]:
    """The surrogates of everybody whom the register holds and may still use."""
    found: list[bytes] = []
    after: str | None = None
    while True:
        wanted = Fetch(
            DATASET,
            frozenset(),
            frozenset(),
            Everything(),
            now.date(),
            limit=_PAGE,
            after=after,
        )
        read = await source.fetch(wanted)
        found += [record.surrogate for record in read.records if record.surrogate is not None]
        progress(len(read.records))
        after = read.next
        if after is None:
            return found


async def forget_country(parts: Parts, country: str, progress: Progress) -> None:
    """Take a whole country out, after its entry.

    Raises:
        IndexStateError, AuditError: as `erase`.
    """
    loads = [number for number, _, _ in await _loads(parts, country)]
    await parts.recorder.of_country("withdraw", country, {}, erased=True, digest="")
    gone = update(LINK_LOAD).where(LINK_LOAD.c.id.in_(loads)).values(state=LoadState.GONE)
    await parts.store.run(lambda connection: connection.execute(gone))
    await sweep(parts.store, country, progress)
