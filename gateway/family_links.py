# SPDX-License-Identifier: EUPL-1.2
"""Case numbers of the persons that family records point to, in the recipient's own domain."""

from collections.abc import Sequence
from typing import Final

from gateway.inquiry import Inquiry
from gateway.sources import Everything, Fetch, Record, Source
from gateway.treatment import Treatments

LINKED: Final = "family.linked_reference"


async def linked(
    inquiry: Inquiry, records: Sequence[Record], tools: Treatments, source: Source
) -> dict[str, str]:
    """Case numbers of the persons that family records point to, in the same domain."""
    references = {str(value) for r in records if (value := r.values.get(LINKED)) is not None}
    if not references or tools.cipher is None:
        return {}
    page = await source.fetch(
        Fetch(
            dataset="persons",
            fields=frozenset(),
            traits=frozenset(),
            selector=Everything(persons=tuple(sorted(references))),
            today=inquiry.now.date(),
            limit=len(references),
        )
    )
    known = [(r.person, r.surrogate) for r in page.records if r.person and r.surrogate]
    pseudonyms = tools.cipher.pseudonyms([surrogate for _, surrogate in known])
    numbers = await tools.case_numbers.issue(tools.domain, pseudonyms)
    return {
        person: numbers[pseudonym] for (person, _), pseudonym in zip(known, pseudonyms, strict=True)
    }
