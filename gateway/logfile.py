# SPDX-License-Identifier: EUPL-1.2
"""Reading logs beside the gateway that writes them: for commands, without the writer's lease.

An entry's address is `<origin>/<index>`, as answers give it in their Audit-Entry header.
"""

from audit import NoteError, ProofError, StoredEntry
from audit.merkle import HASH_SIZE, inclusion_spans, leaf_hash
from audit.receipt import make_receipt
from audit.shards import parse_origin
from audit.store import Head, Store, store_for
from audit.tiles import TILE_WIDTH, TileId, span_hash, tiles_for


def entry_address(text: str) -> tuple[str, int]:
    """Origin and index of an entry's address.

    Raises:
        ProofError: the text is none.
    """
    origin, _, index = text.rpartition("/")
    try:
        parse_origin(origin)
    except NoteError:
        index = ""
    if not (index.isascii() and index.isdigit()):
        raise ProofError("name an entry as <log>/<index>, for example log.example/BA/2026h2/12")
    return origin, int(index)


async def read_entry(place: str, address: str) -> StoredEntry:
    """One entry of a store as it stands.

    Raises:
        ProofError: there is no such entry.
        LogUnavailableError: the log does not answer.
    """
    origin, index = entry_address(address)
    store = store_for(place)
    try:
        await store.look()
        found = await store.entries(await _head(store, origin), index, index + 1)
    finally:
        await store.close()
    if not found:
        raise ProofError(f"the log has no entry {index}")
    return found[0]


async def read_receipt(place: str, address: str) -> str:
    """The receipt of one entry: under the cosigned checkpoint if it covers it, else the last one.

    Raises:
        ProofError: there is no such entry.
        LogUnavailableError: the log does not answer.
        LogCorruptError: a tile is missing.
    """
    origin, index = entry_address(address)
    store = store_for(place)
    try:
        await store.look()
        head = await _head(store, origin)
        cosigned = await store.cosigned(head)
        size, note = head.size, head.note
        if cosigned is not None and index < cosigned.size:
            size, note = cosigned.size, cosigned.note
        spans = inclusion_spans(index, size)
        wanted = tiles_for(spans)
        tiles = await store.tiles(head, wanted)
        for tile in wanted - tiles.keys():
            if tile.level == 0:
                tiles[tile] = await _last_tile(store, head, tile)
        path = [span_hash(span, tiles) for span in spans]
    finally:
        await store.close()
    return make_receipt(index, path, note)


async def _head(store: Store, origin: str) -> Head:
    for head in await store.heads():
        if head.origin == origin:
            return head
    raise ProofError(f"there is no log {origin} here; `cuvar audit logs` lists them")


async def _last_tile(store: Store, head: Head, tile: TileId) -> bytes:
    start = tile.number * TILE_WIDTH
    entries = await store.entries(head, start, min(start + TILE_WIDTH, head.size))
    return b"".join(leaf_hash(entry.envelope) for entry in entries)[: TILE_WIDTH * HASH_SIZE]
