# SPDX-License-Identifier: EUPL-1.2
"""A log's side of the witness protocol: one witness, asked over HTTP.

Bounded in bytes and seconds, no redirect, no compression. What comes back is judged by the caller;
nothing here believes it. `feed` and `contradiction` rely on it.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

import aiohttp

from audit.witness import AddCheckpoint, origin_digest
from gateway.errors import GatewayError

_LARGEST: Final = 1 << 18
_OK, _MISSING = 200, 404
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "cuvar-witness-feed"}


class WitnessUnreachableError(GatewayError):
    """A witness gave no whole answer in time; the feed tries again later."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of an add-checkpoint call."""

    status: int
    body: bytes

    @property
    def size(self) -> int | None:
        """The size that a 409 names, None if it names none."""
        found = _SIZE.fullmatch(self.body)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class WitnessClient:
    """One witness.

    Attributes:
        session: of aiohttp, with TLS as the operator set it.
        url: submission prefix, without a slash at its end.
        monitoring: prefix of what it cosigned last; mostly the same.
        timeout_s: seconds for one call.
    """

    session: aiohttp.ClientSession
    url: str
    monitoring: str
    timeout_s: float

    async def add_checkpoint(self, request: AddCheckpoint) -> Reply:
        """Ask for a cosignature.

        Raises:
            WitnessUnreachableError: no whole answer in time.
        """
        return await self._call("POST", f"{self.url}/add-checkpoint", request.body)

    async def last(self, origin: str) -> bytes | None:
        """The checkpoint that it cosigned last for this origin; nothing about it is verified.

        Raises:
            WitnessUnreachableError: no whole answer in time, or an odd one.
        """
        path = f"{self.monitoring}/{origin_digest(origin)}/checkpoint"
        reply = await self._call("GET", path, None)
        if reply.status == _MISSING:
            return None
        if reply.status != _OK:
            raise WitnessUnreachableError(f"{self.url} answers {reply.status} for its checkpoint")
        return reply.body

    async def _call(self, method: str, url: str, data: bytes | None) -> Reply:
        try:
            async with (
                asyncio.timeout(self.timeout_s),
                self.session.request(
                    method, url, data=data, headers=_HEADERS, allow_redirects=False
                ) as answer,
            ):
                body = bytearray()
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if len(body) > _LARGEST:
                        raise WitnessUnreachableError(f"{self.url} answers with too much")
                return Reply(answer.status, bytes(body))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            raise WitnessUnreachableError(f"{self.url} gives no whole answer; look there") from None
