# SPDX-License-Identifier: EUPL-1.2
"""How rare a name is: two who are called Muhammad agree in little, two Zarmina Stanikzai in much.

A country counts its own register (`Frequencies.of`), which is right for whichever names it has many
of. Without a count the packaged one serves (`frequencies.csv`), made from synthetic persons.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from math import log
from types import MappingProxyType
from typing import Final

from anonymise.linkage.names import skeletons
from anonymise.linkage.person import LinkagePerson

MOST_RARE: Final = 9.0
_PERSONS: Final = "persons"
_UNLISTED: Final = "unlisted"


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How many of how many persons bear a token of a skeleton.

    Attributes:
        persons: How many were counted.
        bearers: Skeleton to how many of them bear it.
        unlisted: How many to suppose for a skeleton that was not counted.
    """

    persons: int
    bearers: Mapping[str, int] = field(repr=False)
    unlisted: int = 0

    @classmethod
    def of(cls, persons: Iterable[LinkagePerson]) -> "Frequencies":
        """Count a register."""
        bearers: Counter[str] = Counter()
        count = 0
        for person in persons:
            count += 1
            bearers.update(skeletons(person.given_names, person.surnames))
        return cls(count, MappingProxyType(bearers))

    @classmethod
    def packaged(cls) -> "Frequencies":
        """The count that comes with the package."""
        text = files("anonymise.linkage").joinpath("frequencies.csv").read_text(encoding="utf-8")
        table = {row["skeleton"]: int(row["bearers"]) for row in csv.DictReader(text.splitlines())}
        return cls(table.pop(_PERSONS), MappingProxyType(table), table.pop(_UNLISTED))

    def rarity(self, skeleton: str) -> float:
        """The natural logarithm of how many persons there are to each bearer; 0 to 9."""
        share = (self.bearers.get(skeleton, self.unlisted) + 1) / (self.persons + 1)
        return min(max(-log(share), 0.0), MOST_RARE)
