# SPDX-License-Identifier: EUPL-1.2
"""How alike the rows of generalised views must be; a recipient can be held to more, never less."""

from typing import Annotated

from pydantic import Field

from anonymise import Anonymity
from gateway.settings.section import OrganisationId, Section

K = Annotated[int, Field(ge=10, le=100_000)]
L = Annotated[int, Field(ge=2, le=100)]
Present = Annotated[int, Field(ge=100, le=10_000_000)]


class RecipientViews(Section):
    """What one recipient's row views are held to, where it is more than for everybody."""

    k: K | None = Field(default=None, description="In place of `[views] k`.")
    l: L | None = Field(default=None, description="In place of `[views] l`.")  # noqa: E741
    nationality_from: Present | None = Field(
        default=None, description="In place of `[views] nationality_from`."
    )


class ViewsSettings(Section):
    """What row views are held to."""

    k: K = Field(
        default=10,
        description="Persons who must look alike, in all that the recipient may see, before a "
        "generalised row of them is told; other rows are held back and counted.",
    )
    l: L = Field(  # noqa: E741 - the name that the literature gives it
        default=2,
        description="Different values that each sensitive column must have among them.",
    )
    nationality_from: Present = Field(
        default=100,
        description="Persons present in the register from which on a coded row tells a "
        "nationality; under it, its region.",
    )
    recipients: dict[OrganisationId, RecipientViews] = Field(
        default_factory=dict,
        description="Organisation id → its own numbers. The larger one counts.",
    )

    def held_to(self, recipient: str) -> Anonymity:
        """What this recipient's views are held to."""
        own = self.recipients.get(recipient, RecipientViews())
        return Anonymity(
            k=max(self.k, own.k or 0),
            l=max(self.l, own.l or 0),
            nationality_from=max(self.nationality_from, own.nationality_from or 0),
        )
