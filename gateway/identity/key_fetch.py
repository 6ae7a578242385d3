# SPDX-License-Identifier: EUPL-1.2
"""One fetch of one pinned key set: TLS, no redirect, no compression, bounded size and time.

Only the address in the configuration is ever asked; headers of tokens (`jku`, `x5u`) are refused
before. The key cache is the only caller.
"""

import asyncio
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp

from gateway.errors import GatewayError
from gateway.identity.principal import IssuerConfig

__all__ = ["KeyFetchError", "fetch_key_set"]

_OK = 200


class KeyFetchError(GatewayError):
    """The set could not be fetched as pinned; the message says what to look at."""


async def fetch_key_set(config: IssuerConfig, *, timeout_s: float, largest: int) -> bytes:
    """Bytes of the issuer's JWK set.

    Raises:
        KeyFetchError: unreachable, not TLS as pinned, redirected, too slow, too large.
    """
    if config.keys is not None:
        return config.keys.encode()
    url = config.jwks_url or ""
    problem = "the address does not answer over TLS; check jwks_url and ca_file"
    try:
        async with asyncio.timeout(timeout_s):
            if url.startswith("file:"):
                path = Path(unquote(urlsplit(url).path))
                return await asyncio.to_thread(_read_file, path, largest)
            return await _get(url, config.ca_file, largest)
    except KeyFetchError as error:
        problem = str(error)
    except TimeoutError:
        problem = f"no whole answer within {timeout_s} s; check jwks_url"
    except (aiohttp.ClientError, OSError, ValueError):
        pass
    raise KeyFetchError(f"keys of {config.issuer} not fetched: {problem}")


async def _get(url: str, ca_file: Path | None, largest: int) -> bytes:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    connector = aiohttp.TCPConnector(ssl=context, force_close=True)
    # auto_decompress off: a few kilobytes of gzip may hold gigabytes
    async with (
        aiohttp.ClientSession(
            connector=connector, auto_decompress=False, headers={"Accept-Encoding": "identity"}
        ) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status != _OK:
            raise KeyFetchError(f"status {response.status} where 200 is due; check jwks_url")
        data = bytearray()
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > largest:
                raise KeyFetchError(f"the set is larger than {largest} bytes")
        return bytes(data)


def _read_file(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise KeyFetchError(f"the set is larger than {largest} bytes")
    return data
