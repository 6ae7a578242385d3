# SPDX-License-Identifier: EUPL-1.2
"""The whole gate on a draft: its file is counted and attacked, and the report written anew.

Publishing runs it again, each time: no note says that a release passed once.
"""

from dataclasses import dataclass
from pathlib import Path

from anonymise.errors import GateError
from anonymise.release.attack import MOST_RELEASED, Evaluation, attack
from anonymise.release.control import Line
from anonymise.release.extra import need_polars
from anonymise.release.gate import find
from anonymise.release.hierarchy import ANY
from anonymise.release.keeping import kept
from anonymise.release.manifest import Draft, Manifest
from anonymise.release.part import Progress
from anonymise.release.placing import replace
from anonymise.release.read import text_of
from anonymise.release.report import report
from anonymise.release.targets import require_true
from anonymise.release.verdict import Attack, Found, failures


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate said.

    Attributes:
        manifest: Of the draft.
        found: What stands in its file.
        evaluation: How the attacks went, and by what.
        missed: Every demand that it misses; none when it passes.
    """

    manifest: Manifest
    found: Found
    evaluation: Evaluation
    missed: tuple[str, ...]

    @property
    def attacks(self) -> tuple[Attack, ...]:
        """How the attacks went."""
        return self.evaluation.attacks

    def require(self) -> None:
        """Refuse what did not pass.

        Raises:
            GateError: It did not.
        """
        if self.missed:
            raise GateError(
                "the release does not pass the gate: "
                + "; ".join(self.missed)
                + "; make it anew with a larger k or l, or fewer columns"
            )


def check(draft: Draft, python: Path, progress: Progress) -> Verdict:
    """Put a draft through the gate.

    Args:
        draft: The release.
        python: The interpreter of an environment that has Anonymeter.
        progress: Told the stage.

    Raises:
        ReleaseError: Parts of the draft are lost or were changed.
        AttackError: The attacks could not be run.
    """
    manifest = draft.manifest()
    hierarchies, targets = kept(draft, manifest)
    progress("counting", 0, 1)
    found = find(draft.path, manifest.columns, hierarchies)
    require_true(targets, draft.path, manifest.columns, hierarchies)
    progress("counting", 1, 1)
    progress("attacking", 0, 1)
    told = attack(_some_lines(draft.path, manifest), targets, manifest.columns, hierarchies, python)
    progress("attacking", 1, 1)
    missed = failures(found, manifest.limits, told.attacks)
    page = report(draft.path.name, manifest, found, told.attacks)
    replace(draft.report_path, page.encode())
    return Verdict(manifest, found, told, missed)


def _some_lines(path: Path, manifest: Manifest) -> list[Line]:
    """Rows of a release for the attacks, drawn evenly; suppressed ones are nobody's."""
    need_polars()
    import polars as pl

    columns = manifest.columns
    names = [*columns.quasi_identifiers, *((columns.sensitive,) if columns.sensitive else ())]
    kept = text_of(path, names).filter(
        ~pl.all_horizontal(pl.col(name) == ANY for name in columns.quasi_identifiers)
    )
    step = max(manifest.rows // MOST_RELEASED, 1)
    return kept.gather_every(step).collect(engine="streaming").rows()
