# SPDX-License-Identifier: EUPL-1.2
"""Hands readings of a copy to the gateway, which makes them entries of kind `review`.

`POST /v1/reviews/read` takes country, log, first and last entry, command and query. The query goes
as it was encrypted for the officer: the gateway seals it once more and cannot tell what it says.
"""

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from audit.review.looks import Look, Looks
from audit.shards import parse_origin
from gateway.errors import GatewayError

_PATH: Final = "/v1/reviews/read"
_PIECE: Final = 1000  # characters that one value of a query may have
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_LIMIT: Final = aiohttp.ClientTimeout(total=30)
_TAKEN: Final = frozenset({200, 201})
_GO_ON: Final = frozenset({400, 404, 409, 413, 422})  # it is about this reading, not about us
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
            **({"number": str(look.number)} if look.number else {}),
            **{f"sealed_{number}": piece for number, piece in enumerate(pieces)},
        },
    }


@dataclass(frozen=True, slots=True)
class Gate:
    """How the gateway is reached.

    Attributes:
        url: its address.
        token_file: holds the officer's access token.
        client_cert: PEM with certificate and key, where the token is bound to one (RFC 8705).
    """

    url: str
    token_file: Path
    client_cert: Path | None = None

    def token(self) -> str:
        """The access token.

        Raises:
            HandInError: there is none in the file.
        """
        try:
            token = self.token_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            raise HandInError(
                f"{self.token_file.name} cannot be read; save your access token in it"
            ) from None
        if not _TOKEN.fullmatch(token):
            raise HandInError(f"{self.token_file.name} holds no access token")
        return token

    def tls(self) -> ssl.SSLContext:
        """TLS as the system trusts it, with the officer's certificate if there is one.

        Raises:
            HandInError: the file holds no certificate with its key.
        """
        context = ssl.create_default_context()
        if self.client_cert is not None:
            try:
                context.load_cert_chain(self.client_cert, password="")
            except (OSError, ValueError):
                raise HandInError(
                    f"{self.client_cert.name} holds no certificate with its unencrypted key, in PEM"
                ) from None
        return context


def hand_in(looks: Looks, waiting: Sequence[Look], gate: Gate) -> int:
    """Send what waits, oldest first; how many the log took.

    Raises:
        HandInError: address, token or certificate cannot be used, or a reading is not taken.
        AuditError: the record cannot be written.
    """
    address = urlsplit(gate.url)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise HandInError(
            "the gateway's address starts with https://; a token goes over nothing else"
        )
    return asyncio.run(_sent(looks, waiting, gate))


async def _sent(looks: Looks, waiting: Sequence[Look], gate: Gate) -> int:
    headers = {"Authorization": f"Bearer {gate.token()}"}
    url, tls = gate.url.rstrip("/") + _PATH, gate.tls()
    done, refused = 0, set[int]()
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=_LIMIT) as session:
            for look in waiting:
                async with session.post(
                    url, json=body_of(look), ssl=tls, allow_redirects=False
                ) as answer:
                    if answer.status in _TAKEN:
                        looks.sent(look, answer.headers.get("Audit-Entry", ""))
                        done += 1
                        continue
                    refused.add(answer.status)
                    if answer.status not in _GO_ON:
                        break
    except (aiohttp.ClientError, TimeoutError):
        raise HandInError(
            "the gateway does not answer; the readings stay recorded here until next time"
        ) from None
    if refused:
        told = ", ".join(map(str, sorted(refused)))
        raise HandInError(
            f"the gateway took {done} of {len(waiting)} readings (HTTP {told});"
            " the others stay recorded here and are handed in next time"
        )
    return done
