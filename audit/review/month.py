# SPDX-License-Identifier: EUPL-1.2
"""The period report over the whole log, out of its monthly files: how many of what, never whom."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.errors import LogUnavailableError
from audit.review.columnar import Database, duck, quoted, remembered

_BY: Final[Mapping[str, str]] = {
    "by month": "strftime(t, '%Y-%m')",
    "by kind": "kind",
    "by decision": "decision",
    "by status": "status",
    "by purpose": "purpose",
    "by legal basis": "basis",
    "by owner": "owner",
    "by asking country": "requester",
    "by organisation": "org",
    "by role": "role",
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
    """
    origin, known = remembered(folder)
    files = sorted(folder.glob(f"{month or '*'}.parquet"))
    if origin is None or not files:
        raise LogUnavailableError(
            "there are no monthly files of this time; run `cuvar review export parquet` first"
        )
    names = ", ".join(quoted(path) for path in files)
    where = "" if country is None else " WHERE owner = $country OR requester = $country"
    values = {} if country is None else {"country": country}
    con = duck()
    with closing(con):
        con.execute(
            f"CREATE TEMP TABLE e AS SELECT t, kind, decision, status, purpose, basis, owner,"  # noqa: S608
            f" requester, org, role, rules FROM read_parquet([{names}]){where}",
            values,
        )
        (entries,) = con.execute("SELECT count(*) FROM e").fetchone()
        counts = {
            name: _counted(con, f"SELECT {expression} AS v FROM e")  # noqa: S608 - own text
            for name, expression in _BY.items()
        }
        counts["by country and purpose"] = _counted(
            con, "SELECT concat_ws(' ', owner, requester, purpose) AS v FROM e"
        )
        counts["by rule"] = _counted(con, "SELECT unnest(rules) AS v FROM e")
    return PeriodReport(origin, known.size, month, entries, counts)


def _counted(con: Database, values: str) -> dict[str, int]:
    rows = con.execute(
        f"SELECT v, count(*) AS n FROM ({values}) WHERE v IS NOT NULL"  # noqa: S608 - own text
        " GROUP BY v ORDER BY n DESC, v"
    ).fetchall()
    return dict(rows)
