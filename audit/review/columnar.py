# SPDX-License-Identifier: EUPL-1.2
"""Monthly Parquet files of a log's envelopes, for reports over the whole log.

They hold what the envelopes show and nothing of a detail, not even tokens: nothing in them has to
be erased. A new copy must continue the one before (`audit.review.following`); months without news
stay as they are, others are written beside and moved into place. DuckDB writes and reads them; it
is an extra of its own and imported when needed. docs/review.md.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from audit.errors import LogCorruptError, LogUnavailableError
from audit.review.following import Frontier, Source, check_arrived, check_continues, followed
from audit.review.opened import StoredRow

_STATE: Final = "log.json"
_CHUNK: Final = 262_144  # entries of one step
_MONTH: Final = re.compile(rb'"t":"([0-9]{4}-(?:0[1-9]|1[0-2]))-')
_ENVELOPE: Final = (
    "STRUCT(kind VARCHAR, op VARCHAR, decision VARCHAR, status VARCHAR, purpose VARCHAR,"
    " basis VARCHAR, owner STRUCT(country VARCHAR, dataset VARCHAR),"
    " requester STRUCT(country VARCHAR, org VARCHAR, role VARCHAR),"
    " asked STRUCT(action VARCHAR), view VARCHAR, fields VARCHAR[], rules VARCHAR[],"
    " duties VARCHAR[], count BIGINT, policy VARCHAR, correlation VARCHAR, detail VARCHAR,"
    " t TIMESTAMP)"
)
_COLUMNS: Final = (
    "i AS idx, e.t AS t, e.kind AS kind, e.op AS op, e.decision AS decision,"
    " e.status AS status, e.purpose AS purpose, e.basis AS basis, e.owner.country AS owner,"
    " e.owner.dataset AS dataset, e.requester.country AS requester, e.requester.org AS org,"
    " e.requester.role AS role, e.asked.action AS action, e.view AS view, e.fields AS fields,"
    " e.rules AS rules, e.duties AS duties, e.count AS count, e.policy AS policy,"
    " e.correlation AS correlation, e.detail IS NOT NULL AS has_detail"
)


class Database(Protocol):
    """What is used of a DuckDB connection."""

    def execute(self, query: str, parameters: object = ...) -> Any:
        """Run a statement."""

    def close(self) -> None:
        """Let go."""


@dataclass(frozen=True, slots=True)
class Written:
    """What an export did: of which log, entries taken, files written, entries in all."""

    origin: str
    added: int
    months: tuple[str, ...]
    size: int


def duck() -> Database:
    """A DuckDB connection of its own in memory, which may not fetch anything.

    Raises:
        LogUnavailableError: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise LogUnavailableError(
            "monthly files need DuckDB; install it with `pip install 'cuvar[review]'`"
        ) from None
    options = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    con: Database = duckdb.connect(config={**options, "memory_limit": "1GB"})
    return con


def write_months(
    copy: Source, folder: Path, on_progress: Callable[[int, int], None] | None = None
) -> Written:
    """Bring the monthly files of a log in `folder` up to this copy.

    Raises:
        LogCorruptError: the copy does not continue the log that the files were made of.
        LogUnavailableError: DuckDB is not installed, or the folder cannot be written.
    """
    con = duck()
    with closing(con):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _written(con, copy, folder, on_progress)
        except OSError:
            raise LogUnavailableError(
                f"{folder.name} cannot be written; check its permissions and free space"
            ) from None


def _written(
    con: Database, copy: Source, folder: Path, on_progress: Callable[[int, int], None] | None
) -> Written:
    origin, known = remembered(folder)
    before = known.size
    head = check_continues(known, copy)
    if origin not in (None, head.origin):
        raise LogCorruptError(f"{folder.name} holds the months of {origin}; choose another folder")
    months: set[str] = set()
    while known.size < head.size:
        start = known.size
        stop = min(start + _CHUNK, head.size)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            parts = _split(copy, known, stop, Path(scratch))
            if stop == head.size:
                check_arrived(known, head)
            for month, lines in parts.items():
                _merge(con, folder / f"{month}.parquet", lines, start)
        months |= parts.keys()
        _remember(folder, head.origin, known)
        if on_progress is not None:
            on_progress(known.size, head.size)
    return Written(head.origin, known.size - before, tuple(sorted(months)), known.size)


def _split(copy: Source, known: Frontier, stop: int, scratch: Path) -> dict[str, Path]:
    """The next entries as lines of JSON, one file a month."""
    months: dict[str, Path] = {}
    name, file = "", None
    try:
        for row in followed(copy, known, stop):
            envelope, month = _month_of(row)
            if month != name or file is None:
                if file is not None:
                    file.close()
                name, path = month, scratch / f"{len(months)}.json"
                months[month] = path = months.get(month, path)
                file = path.open("ab")
            file.write(b'{"i":%d,"e":%b}\n' % (row.index, envelope))
    finally:
        if file is not None:
            file.close()
    return months


def _month_of(row: StoredRow) -> tuple[bytes, str]:
    envelope = row.envelope if isinstance(row.envelope, bytes) else b""
    found = _MONTH.search(envelope)
    if found is None or b"\n" in envelope:
        raise LogCorruptError(
            f"entry {row.index} is not readable as an entry; run `cuvar audit verify` on this copy"
        )
    return envelope, found[1].decode("ascii")


def _merge(con: Database, target: Path, lines: Path, start: int) -> None:
    """Put new lines behind a month's older entries; safe to do again after a crash."""
    import duckdb

    # DuckDB's parameters do not reach into COPY; these are our own names in the folder given.
    fresh = (
        f"SELECT {_COLUMNS} FROM read_json({quoted(lines)}, format = 'newline_delimited',"  # noqa: S608
        f" columns = {{i: 'BIGINT', e: '{_ENVELOPE}'}})"
    )
    if target.exists():
        old = f"SELECT * FROM read_parquet({quoted(target)}) WHERE idx < {start}"  # noqa: S608
        fresh = f"{old} UNION ALL {fresh}"
    beside = target.with_suffix(".new")
    try:
        con.execute(
            f"COPY ({fresh} ORDER BY idx) TO {quoted(beside)} (FORMAT parquet, COMPRESSION zstd)"
        )
    except duckdb.Error as error:
        raise LogUnavailableError(
            f"DuckDB cannot write {target.name} ({type(error).__name__});"
            " check the space in its folder"
        ) from None
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(target)


def quoted(path: Path) -> str:
    """A path as SQL has texts."""
    text = str(path).replace("'", "''")
    return f"'{text}'"


def remembered(folder: Path) -> tuple[str | None, Frontier]:
    """Which log the files of a folder are of, and how far.

    Raises:
        LogCorruptError: what was noted is damaged.
    """
    with suppress(FileNotFoundError):
        text = (folder / _STATE).read_text(encoding="utf-8")
        try:
            told = json.loads(text)
            roots = bytes.fromhex(told["subtrees"])
            return str(told["origin"]), Frontier.restored(int(told["size"]), roots)
        except (ValueError, KeyError, TypeError):
            raise LogCorruptError(
                f"{_STATE} of the monthly files is damaged; delete the folder, make it anew"
            ) from None
    return None, Frontier()


def _remember(folder: Path, origin: str, known: Frontier) -> None:
    told = {"origin": origin, "size": known.size, "subtrees": known.stored.hex()}
    beside = folder / f"{_STATE}.new"
    with beside.open("w", encoding="utf-8") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / _STATE)
