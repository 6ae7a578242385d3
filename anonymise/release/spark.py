# SPDX-License-Identifier: EUPL-1.2
"""The same release by Spark, for tables that one machine cannot read in a sensible time.

Spark reads, counts equal rows and hands each table of the column `within` to a worker, which
recodes it with the same code as this machine does (`part.Recoder`); the release is the same to the
byte. A national table of distinct tuples must fit one worker: sets of people stay national anyway.
Needs pyspark and Java 17 or newer; in an environment of its own, requirements/spark.in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from anonymise.errors import ReleaseError, ReleaseExtraError
from anonymise.release.create import Engine, Recoded
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.part import Part, Progress, Recoder, Wish
from anonymise.release.read import ALL, CSV, check_values, ending_of
from anonymise.release.recode import Rows

_Tuple = tuple[tuple[int, ...], int, int]


def on_spark(master: str, settings: Mapping[str, str] = MappingProxyType({})) -> Engine:
    """The engine of a Spark cluster; `local[2]` is two threads of this machine.

    Args:
        master: Where it is.
        settings: Spark's own, such as `spark.sql.shuffle.partitions`.

    Raises:
        ReleaseExtraError: pyspark is not installed.
    """
    if find_spec("pyspark") is None:
        raise ReleaseExtraError(
            "Spark needs pyspark and Java 17; install requirements/spark.txt in an environment"
        )

    def engine(
        source: Path, hierarchies: Sequence[Hierarchy], wish: Wish, progress: Progress
    ) -> Recoded:
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master(master).appName("cuvar release")
        builder = builder.config(map={"spark.ui.enabled": "false", **settings})
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        return _recoded(session, source, hierarchies, wish, progress)

    return engine


def _recoded(
    session: Any, source: Path, hierarchies: Sequence[Hierarchy], wish: Wish, progress: Progress
) -> Recoded:
    """Two passes: one to count, one to recode each table where its tuples are."""
    columns = wish.columns
    columns.check()
    if ending_of(source) == CSV:
        table = session.read.csv(str(source.absolute()), header=True)
    else:
        table = session.read.parquet(str(source.absolute()))
    columns.check_header(table.columns, source.name)
    progress("reading", 0, 1)
    counted = table.groupBy(*columns.published).count().cache()
    values = _values(counted, columns.sensitive)
    places = _values(counted, columns.within) or (ALL,)
    size = int(counted.groupBy().sum("count").collect()[0][0] or 0)
    if not size:
        raise ReleaseError(f"{source.name} has no rows; there is nothing to release")
    _check(counted, hierarchies, wish, source.name)
    progress("reading", 1, 1)
    recoder = Recoder(wish, hierarchies, values, size)
    known = [dict(hierarchy.codes()) for hierarchy in hierarchies]
    secrets = {value: code for code, value in enumerate(values)}
    numbers = {place: number for number, place in enumerate(places)}
    begin = int(columns.within is not None)
    end = begin + len(known)

    def coded(row: Sequence[Any]) -> tuple[str, _Tuple]:
        leaves = tuple(one[leaf] for one, leaf in zip(known, row[begin:end], strict=True))
        secret = secrets[row[end]] if secrets else 0
        return (row[0] if begin else ALL), (leaves, secret, int(row[-1]))

    def part(pair: tuple[str, Iterable[_Tuple]]) -> Part:
        name, tuples = pair
        return recoder.part(numbers[name], name, _rows(tuples, has_secret=bool(secrets)), _silent)

    tables = counted.rdd.map(coded).groupByKey(numPartitions=len(places)).map(part)
    return Recoded(
        recoder,
        tuple(name for name in table.columns if name not in columns.published),
        _ordered(tables.toLocalIterator(), numbers),
    )


def _ordered(parts: Iterable[Part], numbers: Mapping[str, int]) -> Iterator[Part]:
    yield from sorted(parts, key=lambda one: numbers[one.name])


def _rows(tuples: Iterable[_Tuple], *, has_secret: bool) -> Rows:
    """In the order of their codes, as `read` has them."""
    ordered = sorted(tuples)
    return Rows(
        codes=np.array([leaves for leaves, _, _ in ordered], np.int32),
        sensitive=np.array([s for _, s, _ in ordered], np.int32) if has_secret else None,
        counts=np.array([count for _, _, count in ordered], np.int64),
    )


def _values(counted: Any, name: str | None) -> tuple[str, ...]:
    """The distinct values of a column, sorted; its missing ones are refused later."""
    if name is None:
        return ()
    found = [row[0] for row in counted.select(name).distinct().collect()]
    values = tuple(sorted(value for value in found if value is not None))
    check_values(name, values)
    return values


def _check(counted: Any, hierarchies: Sequence[Hierarchy], wish: Wish, source: str) -> None:
    """Refuse missing values, and those that a hierarchy lacks; no value is repeated."""
    from pyspark.sql import functions as sf

    leaves = dict(zip(wish.columns.quasi_identifiers, (h.leaves for h in hierarchies), strict=True))

    def wrong(name: str) -> Any:
        column = sf.col(f"`{name}`")
        bad = column.isNull()
        if name in leaves:
            bad = bad | ~column.isin(list(leaves[name]))
        return sf.sum(sf.when(bad, sf.col("count")).otherwise(0))

    names = wish.columns.published
    for name, rows in zip(names, counted.agg(*map(wrong, names)).collect()[0], strict=True):
        if rows:
            raise ReleaseError(
                f"{source}, column {name}: {int(rows):,} rows hold no value, or one that the "
                "hierarchy lacks; mend the table, or add the value to the hierarchy"
            )


def _silent(_stage: str, _done: int, _whole: int) -> None:
    """A worker has nobody to tell."""
