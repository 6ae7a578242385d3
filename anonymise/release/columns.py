# SPDX-License-Identifier: EUPL-1.2
"""Which columns leave, and as what; everything else in the table stays at home.

Quasi-identifiers are published as nodes of their hierarchies, the sensitive column as it is. A
release may be made `within` a column, such as the country: then every one of its values is a table
of its own, which nobody is coarsened across. Used by every other module of releases.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anonymise.errors import ReleaseError
from anonymise.release.hierarchy import Hierarchy, read_hierarchy

TAG: Final = "ref"  # the column that a published copy has on top, docs/formats/release.md §4


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a release, in the order in which they are published.

    Attributes:
        quasi_identifiers: What an outsider may know of a person; published as hierarchy nodes.
        sensitive: What he would like to know; published as it is. None where there is none.
        within: Each value of this column is released by itself. None for one table.
    """

    quasi_identifiers: tuple[str, ...]
    sensitive: str | None = None
    within: str | None = None

    @property
    def published(self) -> tuple[str, ...]:
        """All of them: within, quasi-identifiers, sensitive."""
        return (*self.together, *((self.sensitive,) if self.sensitive is not None else ()))

    @property
    def together(self) -> tuple[str, ...]:
        """The columns whose equal rows make a class."""
        within = (self.within,) if self.within is not None else ()
        return (*within, *self.quasi_identifiers)

    def check(self) -> None:
        """Refuse a choice that makes no release.

        Raises:
            ReleaseError: No quasi-identifier, one column in two parts, or a reserved name.
        """
        if not self.quasi_identifiers:
            raise ReleaseError("name at least one quasi-identifier")
        twice = _twice(self.published)
        if twice:
            raise ReleaseError(f"column {twice[0]} is named twice; give it one part")
        if TAG in self.published:
            raise ReleaseError(f"a published copy has a column {TAG} of its own; rename yours")

    def check_header(self, header: Sequence[str], source: str) -> None:
        """Refuse a table that lacks a column.

        Raises:
            ReleaseError: It does; the message names the column.
        """
        for name in self.published:
            if name not in header:
                raise ReleaseError(f"{source} has no column {name}; compare its first line")


def read_hierarchies(folder: Path, columns: Columns) -> tuple[Hierarchy, ...]:
    """The hierarchy of each quasi-identifier: `<column>.csv` in a folder.

    Raises:
        HierarchyError: One is missing, or is no tree.
    """
    return tuple(read_hierarchy(folder / f"{name}.csv") for name in columns.quasi_identifiers)


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
