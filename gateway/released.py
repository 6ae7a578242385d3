# SPDX-License-Identifier: EUPL-1.2
"""Which tables were released before: the same people do not go out twice, cut in two ways.

Two cuts of one table, laid side by side, tell more than either, and neither's gate sees it. So the
envelope of a copy's entry names table, draft and copy by their digests, as its `correlation`, and a
table of which another draft was published, or the same as another country's, is refused.
docs/formats/release.md, section 5. `gateway.releases` calls it. Nothing of a log counts before its
entries were found to make the tree that its key signed.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from audit import Journal, Kind, parse_envelope
from audit.copies import open_copy
from audit.errors import LogCorruptError
from audit.merkle import leaf_hash
from audit.standing import read_envelopes
from audit.tiles import Edge
from gateway.errors import GatewayError

_WIDTHS: Final = (16, 32, 14)  # of table, draft and copy: with two hyphens, the longest code
_SIGN: Final = f'"kind":"{Kind.EXPORT}"'.encode()
_CHUNK: Final = 1024


class ReleasedBeforeError(GatewayError):
    """Another release of the same table was published."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a copy is made of.

    Attributes:
        table: SHA-256 of the table, in hex.
        draft: SHA-256 of the draft, in hex.
        owner: The country whose data it is said to be.
    """

    table: str
    draft: str
    owner: str

    def correlation(self, copy: str) -> str:
        """What the entry of a copy with this digest is found by; no other copy has it."""
        digests = (self.table, self.draft, copy)
        return "-".join(one[:width] for one, width in zip(digests, _WIDTHS, strict=True))


async def require_new(journal: Journal, place: str, source: Source) -> None:
    """Refuse a table of which something else was published here before.

    Args:
        journal: The logs; opened, so that their heads were held against their keys.
        place: Where they lie.
        source: What is to be published.

    Raises:
        ReleasedBeforeError: Another draft of it went out, or this one as another country's data.
        AuditError: A log can't be read, or is not the one that was signed.
    """
    for origin in journal.origins:
        log = journal.log(origin)
        size, root = log.size, log.root
        before = await asyncio.to_thread(_read, place, origin, size, root)
        for entry, other in before:
            if other == (source.table[: _WIDTHS[0]], source.draft[: _WIDTHS[1]], source.owner):
                continue
            if other[0] == source.table[: _WIDTHS[0]]:
                raise ReleasedBeforeError(
                    f"this table was published before, from another draft or as another country's "
                    f"data (entry {entry}): two cuts of the same people tell more than each; "
                    "publish that draft, for that owner, to this recipient too"
                )


def _read(
    place: str, origin: str, size: int, root: bytes
) -> list[tuple[str, tuple[str, str, str]]]:
    """Table, draft and owner of every copy that a log knows of, with its entry."""
    edge, found = Edge(), []
    leaves: list[bytes] = []
    with open_copy(place, origin) as copy:
        for index, data in read_envelopes(copy, 0, size):
            leaves.append(leaf_hash(data))
            if len(leaves) == _CHUNK:
                edge.extend(leaves)
                leaves.clear()
            if _SIGN in data:
                found += [(f"{origin}/{index}", one) for one in _told(data)]
    edge.extend(leaves)
    if edge.root() != root:
        raise LogCorruptError(
            f"the entries of {origin} are not those that were signed; run `cuvar audit verify`"
        )
    return found


def _told(data: bytes) -> Iterator[tuple[str, str, str]]:
    envelope = parse_envelope(data)
    parts = (envelope.correlation or "").split("-")
    if envelope.owner is not None and tuple(map(len, parts)) == _WIDTHS:
        yield parts[0], parts[1], envelope.owner.country
