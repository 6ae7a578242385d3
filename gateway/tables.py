# SPDX-License-Identifier: EUPL-1.2
"""Tables: reception centres as they are, statistics only protected.

Centres hold no persons and are told exactly. A statistics layout is fixed, so that nobody can
ask for a cohort; every figure is suppressed under the threshold of its duty and rounded to a
multiple of it, so that the difference of two published figures is nothing or at least that
threshold (GDP-36, GDP-38).
"""

from dataclasses import replace
from typing import Final

from anonymise import protect_table
from gateway.duties import shape_of
from gateway.inquiry import Inquiry
from gateway.logbook import Logbook
from gateway.outcome import Outcome, Result
from gateway.questions import CountQuestion
from gateway.sources import Everything, Fetch, Source
from gateway.subjects import SubjectError

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "arrivals": ("week",),
    "age_sex_nationality": ("age_band", "sex", "nationality"),
    "needs": ("need",),
    "occupancy": ("centre", "age_band", "sex"),
    "flows": ("from", "to"),
    "readmissions": ("state",),
    "claims": ("state",),
    "law_enforcement_questions": ("month",),
}
_FROM_LOG: Final = "law_enforcement_questions"
_CENTRES: Final = 1000
_CATEGORY: Final = "aggregate"


class Tables:
    """Counts of one owner."""

    def __init__(self, logbook: Logbook) -> None:
        """`logbook` answers the one layout that is about questions, not about people."""
        self._logbook = logbook

    async def outcome(self, inquiry: Inquiry, base: Outcome, source: Source) -> Outcome:
        """The table that was asked for.

        Raises:
            SubjectError: no such layout.
            SourceUnavailableError: the register does not answer.
        """
        if inquiry.asked.dataset == "centres":
            return await _centres(inquiry, base, source)
        asked = inquiry.asked
        layout = asked.layout if isinstance(asked, CountQuestion) else None
        if layout not in COLUMNS:
            raise SubjectError(f"name one of the layouts {', '.join(sorted(COLUMNS))}")
        shape = base.shape or shape_of(base.duties, inquiry.now.date())
        if layout == _FROM_LOG:
            cells = await self._logbook.law_enforcement_questions(base.owner)
        else:
            cells = dict(await source.tabulate(layout, inquiry.now.date()))
        table = protect_table(cells, minimum=shape.minimum_cell)
        columns = COLUMNS[layout]
        rows = [
            {**dict(zip(columns, key, strict=False)), "count": count} for key, count in table.cells
        ]
        return replace(
            base,
            results=(Result("count", (_CATEGORY,), list(rows)),),
            released=(f"{_CATEGORY}.{layout}",),
            note=table.note,
        )


async def _centres(inquiry: Inquiry, base: Outcome, source: Source) -> Outcome:
    fields = inquiry.snapshot.vocabulary.datasets["centres"].categories[_CATEGORY].fields
    wanted = frozenset(field.id for field in fields.values() if field.treatment("count") == "keep")
    page = await source.fetch(
        Fetch("centres", wanted, frozenset(), Everything(), inquiry.now.date(), _CENTRES)
    )
    return replace(
        base,
        results=(Result("count", (_CATEGORY,), [dict(r.values) for r in page.records]),),
        released=tuple(sorted(wanted)),
    )
