# SPDX-License-Identifier: EUPL-1.2
"""Look-ups kept by name. Name and filter are encrypted: both may name a person."""

import json
import sqlite3
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from audit.errors import AuditError
from audit.review.index_file import guarded
from audit.review.queries import Filter
from audit.review.searchkey import SearchKey

_WHAT: Final = "saved look-up"


class SavedQueryError(AuditError):
    """A saved look-up that is not there."""


def filter_document(wanted: Filter) -> dict[str, Any]:
    """The filters that are set, as JSON has them."""
    found: dict[str, Any] = {}
    for field in fields(wanted):
        value = getattr(wanted, field.name)
        if value:
            found[field.name] = value.isoformat() if isinstance(value, datetime) else list(value)
    return found


def filter_from(document: dict[str, Any]) -> Filter:
    """What `filter_document` wrote."""
    told: dict[str, Any] = {
        name: datetime.fromisoformat(value) if isinstance(value, str) else tuple(value)
        for name, value in document.items()
    }
    return Filter(**told)


def saved(con: sqlite3.Connection, key: SearchKey) -> dict[str, Filter]:
    """All saved look-ups by name.

    Raises:
        SealError: another key saved them.
    """
    with guarded():
        rows = con.execute("SELECT sealed FROM saved ORDER BY number").fetchall()
    opened = [json.loads(key.open(_WHAT, sealed)) for (sealed,) in rows]
    return {one["name"]: filter_from(one["filter"]) for one in opened}


def save(con: sqlite3.Connection, key: SearchKey, name: str, wanted: Filter) -> None:
    """Keep a look-up; one of the same name is replaced."""
    kept = {**saved(con, key), name: wanted}
    _write(con, key, kept)


def remove(con: sqlite3.Connection, key: SearchKey, name: str) -> None:
    """Drop a saved look-up.

    Raises:
        SavedQueryError: there is none of this name.
    """
    kept = saved(con, key)
    if kept.pop(name, None) is None:
        raise SavedQueryError("no look-up is saved under this name; see `cuvar review saved list`")
    _write(con, key, kept)


def _write(con: sqlite3.Connection, key: SearchKey, kept: dict[str, Filter]) -> None:
    with guarded():
        con.execute("BEGIN IMMEDIATE")
        con.execute("DELETE FROM saved")
        for name, wanted in kept.items():
            content = json.dumps({"name": name, "filter": filter_document(wanted)})
            sealed = key.seal(_WHAT, content.encode())
            con.execute("INSERT INTO saved (sealed) VALUES (?)", (sealed,))
        con.execute("COMMIT")
