# SPDX-License-Identifier: EUPL-1.2
"""The fixed layouts of statistics: nobody can ask for a cohort of his own.

A layout says by what it counts, which margins are published with its cells, and in how many cells
one person may count. Margins are published only where everybody is in one cell; elsewhere they
would not add up, and a reader who took them to add up would be misled or, worse, nearly right.

Age bands and codes of specific needs are those of UNHCR's registration practice (law reference,
section 4; guidance IOM/030-FOM/030/2009).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from anonymise.errors import TableError

ALL = "all"
UNKNOWN = "unknown"
Key = tuple[str, ...]

AGE_BANDS = ("0-4", "5-11", "12-17", "18-59", "60+")
SEXES = ("F", "M", "X")
NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "CR": "child at risk",
        "SC": "separated or unaccompanied child",
        "WR": "woman at risk",
        "ER": "older person",
        "SP": "single parent",
        "DS": "disability",
        "SM": "serious medical condition",
        "FU": "family unity",
        "LP": "legal and physical protection",
        "TR": "torture",
        "SV": "sexual or gender-based violence",
    }
)


@dataclass(frozen=True, slots=True)
class Layout:
    """One fixed table.

    Attributes:
        name: as in a question.
        columns: what it counts by, in the order of its keys.
        margins: which columns each published margin keeps; the empty one is the total.
        additive: everybody is in one cell only, so that margins are sums of cells.
        most: cells that one person may be counted in where the figures are differentially private;
            0 where no such figures are made.
        public: margins that everybody can have exactly from elsewhere, published here or not: the
            centres' table tells how many beds of each centre are taken.
        shared: columns that another layout has too, of the same people by the same words.
        people: counts people, or what the register holds of them; else it is on its own.
    """

    name: str
    columns: tuple[str, ...]
    margins: tuple[tuple[str, ...], ...] = ()
    additive: bool = False
    most: int = 1
    public: tuple[tuple[str, ...], ...] = ()
    shared: tuple[str, ...] = ()
    people: bool = True

    def margin(self, key: Key, kept: tuple[str, ...]) -> Key:
        """The key of the margin that a cell belongs to."""
        return tuple(
            part if column in kept else ALL for column, part in zip(self.columns, key, strict=True)
        )


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout("arrivals", ("week",)),
            Layout(
                "age_sex_nationality",
                ("age_band", "sex", "nationality"),
                margins=(("age_band", "sex"), ("age_band",), ("sex",), ("nationality",), ()),
                additive=True,
                shared=("age_band", "sex"),
            ),
            Layout("needs", ("need",), most=3),
            Layout(
                "occupancy",
                ("centre", "age_band", "sex"),
                margins=(("centre",), ("age_band", "sex"), ("age_band",), ("sex",), ()),
                additive=True,
                public=(("centre",), ()),
                shared=("age_band", "sex"),
            ),
            Layout("flows", ("from", "to")),
            Layout("readmissions", ("state",), most=0),
            Layout("claims", ("state",), most=0),
            Layout("law_enforcement_questions", ("month",), most=0, people=False),
        )
    }
)


def layout_of(name: str | None) -> Layout:
    """The layout of that name.

    Raises:
        TableError: There is none.
    """
    layout = LAYOUTS.get(name or "")
    if layout is None:
        raise TableError(f"name one of the layouts {', '.join(sorted(LAYOUTS))}")
    return layout
