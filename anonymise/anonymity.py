# SPDX-License-Identifier: EUPL-1.2
"""How alike the rows of a view must be: k, l, and when a nationality is common enough to be told.

The defaults are the least that the house allows; a recipient may be held to more, never to less.
Sources: k-anonymity, Samarati 2001; distinct l-diversity, Machanavajjhala et al. 2007; the three
criteria of WP29 Opinion 05/2014 (law rules GDP-36, GDP-38).
"""

from dataclasses import dataclass

from anonymise.errors import AnonymityError

LEAST_K = 10
LEAST_L = 2
LEAST_NATIONALITY = 100


@dataclass(frozen=True, slots=True)
class Anonymity:
    """What one recipient's row views are held to.

    Attributes:
        k: Persons who must look alike in a generalised view.
        l: Different known values that each sensitive column must have among them.
        nationality_from: Persons present in the register from which on a nationality is told
            instead of its region, in every coded view.

    Raises:
        AnonymityError: A number is under the least that is allowed.
    """

    k: int = LEAST_K
    l: int = LEAST_L  # noqa: E741 - the name that the literature gives it
    nationality_from: int = LEAST_NATIONALITY

    def __post_init__(self) -> None:
        for name, least in (
            ("k", LEAST_K),
            ("l", LEAST_L),
            ("nationality_from", LEAST_NATIONALITY),
        ):
            number = getattr(self, name)
            if type(number) is not int or number < least:
                raise AnonymityError(f"{name} of a row view is a whole number from {least} up")
