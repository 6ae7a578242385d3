# SPDX-License-Identifier: EUPL-1.2
"""Frames between follower and leader: bounded, numbered, authenticated (docs/formats/relay.md, 2).

Each side sends a hello with 32 random bytes. Both directions then have a key of their own, made of
the lease's secret and both nonces, so that no frame can be sent back to its sender, repeated, moved
or carried over into another connection. Frame 0 is empty and proves that a side knows the secret;
nothing else is read or sent before it. Frames are not encrypted: envelopes hold no person and
details are sealed.
"""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.errors import LogUnavailableError

HELLO = b"cuvar-relay-1\n"
NONCE_SIZE = 32
SECRET_SIZE = 32
HELLO_SIZE = len(HELLO) + NONCE_SIZE
MAX_BODY = 16 << 20
_MAC_SIZE = 32
_LENGTH_SIZE = 4
_NUMBER_SIZE = 8
_FOLLOWER = b"cuvar relay 1 follower\n"
_LEADER = b"cuvar relay 1 leader\n"


class RelayError(LogUnavailableError):
    """The other end of a relay connection broke the format or does not know the lease's secret."""


def hello(nonce: bytes) -> bytes:
    """What each side sends first."""
    return HELLO + nonce


def parse_hello(data: bytes) -> bytes:
    """The other side's nonce.

    Raises:
        RelayError: it is not a hello of this version.
    """
    if len(data) != HELLO_SIZE or not data.startswith(HELLO):
        raise RelayError("the other end speaks no relay of version 1; run one version of Cuvar")
    return data[len(HELLO) :]


@dataclass(slots=True)
class Direction:
    """One direction's key and the number of its next frame; one side seals, the other opens."""

    key: bytes = field(repr=False)
    number: int = 0

    def _mac(self, length: bytes, body: bytes) -> bytes:
        number = self.number.to_bytes(_NUMBER_SIZE, "big")
        self.number += 1
        return hmac.digest(self.key, number + length + body, "sha256")

    def seal(self, body: bytes) -> bytes:
        """The next frame."""
        length = len(body).to_bytes(_LENGTH_SIZE, "big")
        return b"".join((length, body, self._mac(length, body)))

    def open(self, length: bytes, rest: bytes) -> bytes:
        """The body of the next frame, given as its length field and all that follows.

        Raises:
            RelayError: not the next frame of this direction.
        """
        body, mac = rest[:-_MAC_SIZE], rest[-_MAC_SIZE:]
        if not hmac.compare_digest(self._mac(length, body), mac):
            raise RelayError("a relay frame is not authentic; the lease has another holder now")
        return body


def directions(secret: bytes, leader: bytes, follower: bytes) -> tuple[Direction, Direction]:
    """The directions of a connection, from the follower and from the leader, out of both nonces.

    Raises:
        RelayError: a part has the wrong size.
    """
    sizes = [len(part) for part in (secret, leader, follower)]
    if sizes != [SECRET_SIZE, NONCE_SIZE, NONCE_SIZE]:
        raise RelayError("a relay's secret and nonces have 32 bytes each")
    keys: Sequence[bytes] = [
        hmac.digest(secret, label + leader + follower, "sha256") for label in (_FOLLOWER, _LEADER)
    ]
    return Direction(keys[0]), Direction(keys[1])


async def read_frame(reader: asyncio.StreamReader, direction: Direction, limit: int) -> bytes:
    """The next frame's body; its length is judged before anything of that size is read.

    Raises:
        RelayError: over the limit, not authentic, or the connection ended.
    """
    try:
        length = await reader.readexactly(_LENGTH_SIZE)
        size = int.from_bytes(length, "big")
        if size > limit:
            raise RelayError(f"a relay frame of {size} bytes, over the limit of {limit}")
        return direction.open(length, await reader.readexactly(size + _MAC_SIZE))
    except (asyncio.IncompleteReadError, OSError):
        raise RelayError("the relay's connection ended") from None
