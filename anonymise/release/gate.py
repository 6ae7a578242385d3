# SPDX-License-Identifier: EUPL-1.2
"""The gate before publication: what a release really is, read from the file itself.

Nothing that the release's maker says about it counts here. Suppressed rows are dropped first: kept
in, they would be taken for a class of their own and hide that the others are too small. Then k,
distinct l and t are counted from the published values; for l, spellings of one value are one. t is
the largest distance between the sensitive values of a class and of all rows, with equal ground
distance: half the sum of absolute differences (Li, Li and Venkatasubramanian 2007, section 4.2).
Works on any tool's release.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import ANY, Hierarchy
from anonymise.release.read import header_of, plain, text_of
from anonymise.release.verdict import Found

if TYPE_CHECKING:
    import polars as pl

_COUNT: Final = "cuvar_count"
_SAID: Final = "cuvar_said"


def find(path: Path, columns: Columns, hierarchies: Sequence[Hierarchy] = ()) -> Found:
    """Count what stands in a release.

    Args:
        path: The release: CSV or Parquet, ours or another tool's.
        columns: Its columns.
        hierarchies: One for each quasi-identifier, to look for values that are no nodes.

    Raises:
        ReleaseError: It can't be read, lacks a column, or leaves a value empty.
        ReleaseExtraError: polars is not installed.
    """
    need_polars()
    import polars as pl

    columns.check()
    columns.check_header(header_of(path), path.name)
    quasi = [pl.col(name) for name in columns.quasi_identifiers]
    try:
        counted = (
            text_of(path, columns.published)
            .group_by(columns.published)
            .agg(pl.len().alias(_COUNT))
            .collect(engine="streaming")
        )
    except pl.exceptions.PolarsError:
        raise ReleaseError(f"{path.name} can't be read to its end; make it anew") from None
    if counted.select(pl.any_horizontal(pl.all().is_null().any())).item():
        raise ReleaseError(f"{path.name} leaves values empty; write * where nothing is told")
    kept = counted.filter(~pl.all_horizontal(*(one == ANY for one in quasi)))
    suppressed = int(counted[_COUNT].sum()) - int(kept[_COUNT].sum())
    if not kept.height:
        raise ReleaseError(f"{path.name} has no row that is not suppressed; there is no release")
    said = _said(kept, columns)
    classes = said.group_by(columns.together).agg(
        pl.col(_COUNT).sum(), pl.col(_SAID).n_unique().alias("values")
    )
    sizes = classes[_COUNT].value_counts().sort(_COUNT)
    told = columns.sensitive is not None
    return Found(
        rows=int(kept[_COUNT].sum()),
        suppressed=suppressed,
        classes=classes.height,
        k=int(sizes[_COUNT][0]),
        l=int(classes["values"].min()) if told else None,  # type: ignore[arg-type]
        t=_farthest(kept, columns) if told else None,
        sizes=tuple(sizes.iter_rows()),
        strange=tuple(
            name
            for name, hierarchy in zip(columns.quasi_identifiers, hierarchies, strict=False)
            if set(kept[name].unique()) - set(hierarchy.labelled())
        ),
    )


def _said(kept: "pl.DataFrame", columns: Columns) -> "pl.DataFrame":
    """With what each sensitive value says, however it is spelt: "yes" and "Yes " are one."""
    import polars as pl

    if columns.sensitive is None:
        return kept.with_columns(pl.lit(0).alias(_SAID))
    spelt = kept[columns.sensitive].unique()
    says: dict[str, int] = {}
    codes = [says.setdefault(plain(value), len(says)) for value in spelt]
    return kept.with_columns(
        pl.col(columns.sensitive).replace_strict(spelt, pl.Series(codes)).alias(_SAID)
    )


def _farthest(kept: "pl.DataFrame", columns: Columns) -> float:
    """The largest half sum of |share in the class - share in all|, with no class spelt out."""
    import polars as pl

    table = [columns.within] if columns.within is not None else [pl.lit(0)]
    placed = kept.with_columns(
        size=pl.col(_COUNT).sum().over(columns.together),
        all=pl.col(_COUNT).sum().over(*table, columns.sensitive),
        whole=pl.col(_COUNT).sum().over(*table),
    )
    share, all_share = pl.col(_COUNT) / pl.col("size"), pl.col("all") / pl.col("whole")
    # Values that a class lacks add their whole share: 1 less the shares of those it has.
    per = placed.group_by(columns.together).agg(
        ((share - all_share).abs().sum() + 1 - all_share.sum()).alias("distance")
    )
    return float(np.max(per["distance"].to_numpy())) / 2
