# SPDX-License-Identifier: EUPL-1.2
"""The period report over the whole log, out of its monthly files: how many of what, never whom."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.errors import LogUnavailableError
from audit.forms import checked
from audit.review.columnar import Database, duck, quoted, remembered

_BY: Final[Mapping[str, str]] = {
    "by month": "year(t), month(t)",
    "by kind": "kind",
    "by decision": "decision",
    "by status": "status",
    "by purpose": "purpose",
    "by legal basis": "basis",
    "by owner": "owner",
    "by asking country": "requester",
    "by organisation": "org",
    "by role": "role",
    "by country and purpose": "owner, requester, purpose",
    "by rule": "unnest(rules)",
}


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """Counts of a log's entries: name of the count to value to number, largest first.

    Attributes:
        log: origin; the files were made of `size` entries of it.
        month: YYYY-MM, None for all.
        entries: how many there are.
    """

    log: str
    size: int
    month: str | None
    entries: int
    counts: Mapping[str, Mapping[str, int]]


def month_report(
    folder: Path, month: str | None = None, country: str | None = None
) -> PeriodReport:
    """Count a month of the files, or all of them; only entries of a country if one is given.

    Raises:
        LogUnavailableError: DuckDB is not installed, or there are no files of this month.
        EnvelopeError: the country is no code of a country.
    """
    origin, known = remembered(folder)
    files = sorted(folder.glob(f"{month or '*'}.parquet"))
    if origin is None or not files:
        raise LogUnavailableError(
            "there are no monthly files of this time; run `cuvar review export parquet` first"
        )
    names = ", ".join(quoted(path) for path in files)
    where = ""
    if country is not None:
        country = checked("country", "country", country)
        where = f" WHERE owner = '{country}' OR requester = '{country}'"
    con = duck()
    with closing(con):
        # Each count reads its own columns only: a third of what copying them all out costs.
        con.execute(f"CREATE VIEW e AS SELECT * FROM read_parquet([{names}]){where}")  # noqa: S608
        (entries,) = con.execute("SELECT count(*) FROM e").fetchone()
        counts = {name: _counted(con, columns) for name, columns in _BY.items()}
    return PeriodReport(origin, known.size, month, entries, counts)


def _counted(con: Database, columns: str) -> dict[str, int]:
    """Value to count, largest first; what has several columns is one text."""
    values = f"SELECT count(*) AS n, {columns} FROM e GROUP BY ALL"  # noqa: S608 - own text
    if columns.startswith("unnest"):
        values = f"SELECT count(*) AS n, v FROM (SELECT {columns} AS v FROM e) GROUP BY v"  # noqa: S608
    found = {
        _told(value): number
        for number, *value in con.execute(values).fetchall()
        if any(part is not None for part in value)
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _told(value: list[object]) -> str:
    if all(isinstance(part, int) for part in value):  # year and month
        return "-".join(f"{part:02}" for part in value)
    return " ".join(str(part) for part in value if part is not None)
