# SPDX-License-Identifier: EUPL-1.2
"""Hands readings of a copy to the gateway, which makes them entries of kind `review`.

`POST /v1/reviews` takes country, log, first and last entry, command and query. The query goes as it
was encrypted for the officer: the gateway seals it once more and cannot tell what it says.
"""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from audit.review.looks import Look, Looks
from audit.shards import parse_origin
from gateway.errors import GatewayError

_PATH: Final = "/v1/reviews"
_PIECE: Final = 1000  # characters that one value of a query may have
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_LIMIT: Final = aiohttp.ClientTimeout(total=30)
_TAKEN: Final = frozenset({200, 201})
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class HandInError(GatewayError):
    """A reading cannot be handed to the gateway; it stays in the record."""


def body_of(look: Look) -> dict[str, object]:
    """What is sent of a reading."""
    pieces = [look.query[i : i + _PIECE] for i in range(0, len(look.query), _PIECE)]
    return {
        "country": parse_origin(look.log).country,
        "log": look.log,
        "first": look.first,
        "last": look.last,
        "command": look.command,
        "query": {
            "look": look.id,
            "at": look.at,
            **{f"sealed_{number}": piece for number, piece in enumerate(pieces)},
        },
    }


def hand_in(looks: Looks, waiting: Sequence[Look], gateway: str, token_file: Path) -> int:
    """Send what waits, oldest first; how many the log took.

    Raises:
        HandInError: address or token cannot be used, or the gateway takes no reading.
        AuditError: the record cannot be written.
    """
    address = urlsplit(gateway)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise HandInError(
            "the gateway's address starts with https://; a token goes over nothing else"
        )
    try:
        token = token_file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise HandInError(
            f"{token_file.name} cannot be read; save your access token in it"
        ) from None
    if not _TOKEN.fullmatch(token):
        raise HandInError(f"{token_file.name} holds no access token")
    return asyncio.run(_sent(looks, waiting, gateway.rstrip("/") + _PATH, token))


async def _sent(looks: Looks, waiting: Sequence[Look], url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    done = 0
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=_LIMIT) as session:
            for look in waiting:
                async with session.post(url, json=body_of(look), allow_redirects=False) as answer:
                    if answer.status not in _TAKEN:
                        raise HandInError(
                            f"the gateway did not take the reading (HTTP {answer.status});"
                            " it stays recorded here and is handed in next time"
                        )
                    looks.sent(look, answer.headers.get("Audit-Entry", ""))
                    done += 1
    except (aiohttp.ClientError, TimeoutError):
        raise HandInError(
            "the gateway does not answer; the readings stay recorded here until next time"
        ) from None
    return done
