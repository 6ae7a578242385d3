# SPDX-License-Identifier: EUPL-1.2
"""What a draft may publish as what: the house says so, not whoever made the draft.

A column `within` is published exactly and stands in no group's l or t, because its values are taken
to be known; so only columns that the settings name may be one. What the settings name as sensitive
is published as the sensitive column, which l, t and the attack on it are about, or not at all.
`gateway.releases` and the commands `create` and `check` use it.
"""

from anonymise.release.columns import Columns
from anonymise.release.read import plain
from gateway.settings.releases import ReleasesSettings


def undeclared(settings: ReleasesSettings, columns: Columns) -> tuple[str, ...]:
    """Why columns cannot be published as the draft has them; empty when they can.

    Names are compared however they are spelt.

    Args:
        settings: Of the house.
        columns: Of the draft.
    """
    known = {plain(name) for name in settings.within}
    secret = {plain(name) for name in settings.sensitive}
    told = []
    if columns.within is not None and plain(columns.within) not in known:
        told.append(
            f"column {columns.within} is published exactly, and [releases] within of the settings "
            "does not name it as one that outsiders know; make the draft anew without --within"
        )
    told += [
        f"column {name} is sensitive by [releases] sensitive of the settings; make the draft anew "
        f"with --sensitive {name}, or without that column"
        for name in columns.together
        if plain(name) in secret
    ]
    return tuple(told)
