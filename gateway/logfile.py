# SPDX-License-Identifier: EUPL-1.2
"""Reading a log beside the gateway that writes it: for commands, without the writer's lease."""

from audit import ProofError, StoredEntry
from audit.merkle import inclusion_spans
from audit.receipt import make_receipt
from audit.store import store_for
from audit.tiles import span_hash, tiles_for
from gateway.settings import Settings

_WIDTH = 256


async def read_entry(settings: Settings, index: int) -> StoredEntry:
    """One entry as it stands.

    Raises:
        ProofError: there is no such entry.
        LogUnavailableError: the log does not answer.
    """
    store = store_for(settings.log.url.get_secret_value())
    try:
        found = await store.entries(index, index + 1)
    finally:
        await store.close()
    if not found:
        raise ProofError(f"the log has no entry {index}")
    return found[0]


async def read_receipt(settings: Settings, index: int) -> str:
    """The receipt of one entry under the last checkpoint.

    Raises:
        ProofError: there is no such entry.
        LogUnavailableError: the log does not answer.
        LogCorruptError: a tile is missing.
    """
    store = store_for(settings.log.url.get_secret_value())
    try:
        head = await store.head()
        spans = inclusion_spans(index, head.size)
        wanted = tiles_for(spans)
        tiles = await store.tiles(wanted)
        for tile in wanted - tiles.keys():
            if tile.level == 0:
                start = tile.number * _WIDTH
                tiles[tile] = await store.leaves(start, min(start + _WIDTH, head.size))
        path = [span_hash(span, tiles) for span in spans]
    finally:
        await store.close()
    return make_receipt(index, path, head.note)
