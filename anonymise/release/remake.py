# SPDX-License-Identifier: EUPL-1.2
"""A release made anew from its table: the proof that nothing of it was chosen by hand.

Making is deterministic, so whoever has the table makes the same file, the same targets and the same
people held back, byte for byte; the digests of all of them stand in the manifest and in the log
entry. An auditor needs nothing else. What stays the maker's own is the seed, and the table.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

from anonymise.errors import GateError
from anonymise.release.create import Engine, create, here
from anonymise.release.manifest import Draft, Manifest
from anonymise.release.part import Progress, Wish


def require_remade(
    draft: Draft, manifest: Manifest, source: Path, progress: Progress, engine: Engine = here
) -> None:
    """Make a draft anew and compare.

    Args:
        draft: The release.
        manifest: Its manifest, that says how it was made.
        source: The table.
        progress: Told the stage.
        engine: Where it is made.

    Raises:
        ReleaseError: It can't be made.
        GateError: The table is another one, or something else comes of it.
    """
    wish = Wish(
        columns=manifest.columns,
        limits=manifest.limits,
        method=cast("Literal['local', 'global']", manifest.method),
        most_suppressed=manifest.most_suppressed,
        control=manifest.control,
        steps=manifest.steps,
        seed=manifest.seed,
    )
    with TemporaryDirectory(dir=draft.kept) as place:  # where rows of real people may lie
        out = Path(place) / draft.path.name
        made = create(source, draft.hierarchies, wish, out, progress, engine).manifest
    if made.source != manifest.source:
        raise GateError("the release was made of another table; name that one")
    if replace(made, summary=manifest.summary) != manifest:
        raise GateError("something else comes of the table than was handed in; make it anew")
