# SPDX-License-Identifier: EUPL-1.2
"""Ways to run a compiled SELECT: asyncpg, SQLite in threads, any other async SQLAlchemy driver.

Why three, and why the statement is SQLAlchemy's but the hottest reads don't run through its
engine: docs/adr/0011.
"""

from gateway.sources.drivers.driver import Driver, Failure
from gateway.sources.drivers.opening import open_driver

__all__ = ["Driver", "Failure", "open_driver"]
