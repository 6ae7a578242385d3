# SPDX-License-Identifier: EUPL-1.2
"""What a database keeps of rows that were deleted, and what can be done about it.

SQLite writes zeros over deleted rows and empties its write-ahead log, so nothing is left there.
PostgreSQL marks rows dead: their bytes stay in the table's file until the place is used again, and
in its own log of changes (WAL) until those files are removed. Rewriting the table removes the
first; the second is the server's to settle, and an archive of WAL files keeps them as long as its
owner does (docs/retention.md).
"""

from dataclasses import dataclass
from typing import Any

from audit.store import POSTGRES

_SETTINGS = "SELECT name, setting FROM pg_settings WHERE name IN ('wal_recycle', 'archive_mode')"
_PATIENCE = 3600.0


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Where bytes of deleted details may still lie; all false where nothing is left.

    Attributes:
        pages: dead rows in the table's file.
        recycled: WAL files that wait to be used again.
        archived: WAL files that were copied away.
    """

    pages: bool = False
    recycled: bool = False
    archived: bool = False

    @property
    def said(self) -> list[str]:
        """In sentences, with the next step."""
        told = {
            "deleted bytes stay in the table's file until their place is used again; run"
            " `cuvar audit retention --do --rewrite` in a quiet hour": self.pages,
            "the server's WAL keeps them until its files are removed: set wal_recycle = off":
                self.recycled,
            "an archive of WAL keeps them too: let it expire after the days that your law allows":
                self.archived,
        }  # fmt: skip
        return [sentence for sentence, true in told.items() if true]


async def tidy(url: str, *, rewrite: bool) -> Leftovers:
    """Free the space of deleted details, and tell what may be left.

    Args:
        url: the logs' store.
        rewrite: write the table anew. Entries wait meanwhile, about a second for a gigabyte.

    Raises:
        LogUnavailableError: the database does not answer, or does not let this account.
    """
    if not url.startswith(POSTGRES):
        return Leftovers()
    import asyncpg

    from audit.postgres_store import answered

    con: Any = await answered(asyncpg.connect(url))
    try:
        await answered(con.execute(f"VACUUM {'(FULL) ' * rewrite}log_detail"), _PATIENCE)
        told = {row["name"]: row["setting"] for row in await answered(con.fetch(_SETTINGS))}
    finally:
        con.terminate()
    return Leftovers(
        pages=not rewrite,
        recycled=told.get("wal_recycle") != "off",
        archived=told.get("archive_mode") != "off",
    )
