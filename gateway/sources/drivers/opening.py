# SPDX-License-Identifier: EUPL-1.2
"""Chooses the driver for a database URL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import GatewayError
from gateway.sources.drivers.driver import Driver
from gateway.sources.drivers.engine import EngineDriver
from gateway.sources.drivers.postgres import PostgresDriver
from gateway.sources.drivers.sqlite import SqliteDriver

__all__ = ["open_driver"]

_ASYNC = {"mysql": "mysql+asyncmy", "mariadb": "mariadb+asyncmy"}


def open_driver(url: str, *, size: int, longest_s: float) -> Driver:
    """A driver for the URL; connects to nothing yet.

    Raises:
        GatewayError: the URL cannot be read or names a driver that is not installed. The message
            holds no part of the URL.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise GatewayError("a SQLite register is a file: sqlite:////absolute/path")
            return SqliteDriver(Path(parsed.database))
        if backend == "postgresql":
            return PostgresDriver(parsed, size, longest_s)
        if parsed.drivername in _ASYNC:
            parsed = parsed.set(drivername=_ASYNC[parsed.drivername])
        return EngineDriver(parsed, size, longest_s)
    except (SQLAlchemyError, ImportError, ValueError):
        raise GatewayError(
            "a register's database URL cannot be used: write it as SQLAlchemy does and install "
            "its async driver"
        ) from None
