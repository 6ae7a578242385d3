# SPDX-License-Identifier: EUPL-1.2
"""Sends one step of a review to the gateway; a refusal is told with the gateway's own reason."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from gateway.commands.review.desk import Desk
from gateway.errors import GatewayError
from gateway.reviews.calls import PATH

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_LIMIT: Final = aiohttp.ClientTimeout(total=30)
_OK: Final = 200
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class StepRefusedError(GatewayError):
    """The gateway did not take a step; nothing was changed there."""


def post(desk: Desk, step: str, body: Mapping[str, object]) -> dict[str, Any]:
    """Send a step; what the gateway tells of the alert, and where the entry stands.

    Raises:
        StepRefusedError: no address or token, no answer, or a refusal with its reason.
    """
    if desk.gateway is None or desk.token_file is None:
        raise StepRefusedError("a step goes to the gateway: give --gateway and --token-file")
    address = urlsplit(desk.gateway)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise StepRefusedError("the gateway's address starts with https://")
    try:
        token = desk.token_file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        token = ""
    if not _TOKEN.fullmatch(token):
        raise StepRefusedError(f"{desk.token_file.name} holds no access token; save yours in it")
    url = f"{desk.gateway.rstrip('/')}{PATH}/{step}"
    return asyncio.run(_sent(url, token, body))


async def _sent(url: str, token: str, body: Mapping[str, object]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=_LIMIT) as session,
            session.post(url, json=body, allow_redirects=False) as answer,
        ):
            told = await answer.json(content_type=None)
            if answer.status != _OK:
                title = told.get("title") if isinstance(told, dict) else None
                reason = title if isinstance(title, str) else f"HTTP {answer.status}"
                raise StepRefusedError(f"the gateway did not take the step: {reason}")
            return {**told, "entry": answer.headers.get("Audit-Entry", "")}
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise StepRefusedError("the gateway does not answer; the step was not confirmed") from None
