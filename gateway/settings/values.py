# SPDX-License-Identifier: EUPL-1.2
"""How single values of the settings file are read: paths, database addresses, networks.

A path is relative to the folder of the settings file, never to the folder the command was
started in, so that `cuvar doctor` and `cuvar serve` mean the same files. `${NAME}` in a database
address is filled from the environment and percent-encoded, so that a password with `@` or `/`
in it cannot change which server is meant.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo

__all__ = ["DatabaseUrl", "FilePath", "HttpUrl", "Network", "ReadingContext", "Words"]

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SQLITE = re.compile(r"^(sqlite(?:\+[a-z0-9]+)?):///(?!/)(.+)$")


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What a value is read against: the settings file's folder and the environment."""

    folder: Path
    environment: Mapping[str, str]


def _context(info: ValidationInfo) -> ReadingContext:
    context = info.context
    if not isinstance(context, ReadingContext):
        raise TypeError("settings are read by load_settings only")  # programmer's error
    return context


def _path(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be text that names a file")  # noqa: TRY004 - pydantic's protocol
    if not value:
        raise ValueError("is empty; name a file")
    return (_context(info).folder / value).absolute()


def _database_url(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    context = _context(info)

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in context.environment:
            raise ValueError(f"the environment variable {name} is not set")
        return quote(context.environment[name], safe="")

    filled = _PLACEHOLDER.sub(fill, value)
    if "${" in filled:
        raise ValueError("holds an unfinished ${NAME}")
    relative = _SQLITE.match(filled)
    if relative:
        file = (context.folder / relative.group(2)).absolute()
        filled = f"{relative.group(1)}:///{file}"
    if "://" not in filled:
        raise ValueError(
            'is no database address; for example "sqlite:///file.db" or '
            '"postgresql://user@host/database"'
        )
    return SecretStr(filled)


def _http_url(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname)
        well_formed = well_formed and (parts.port is None or parts.port > 0)
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ValueError("is no address; write https://host[:port][/path]")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("may hold no user, query or fragment")
    return value.rstrip("/")


def _network(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        # `from None`: the library's text repeats the value, and no value of the file is repeated
        raise ValueError("is no address or network; for example 10.0.0.5 or 10.0.0.0/28") from None


FilePath = Annotated[Path, BeforeValidator(_path)]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(_database_url)]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]
Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)]
Words = Annotated[frozenset[str], Field(strict=False)]
