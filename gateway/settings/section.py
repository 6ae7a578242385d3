# SPDX-License-Identifier: EUPL-1.2
"""What every table of the settings file is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.settings.values import FilePath

CountryId = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
OrganisationId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,15}$")]
SignerId = Annotated[str, Field(pattern=r"^([A-Z]{2}|INT/[A-Z][A-Z0-9-]{1,15})$")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Folders = Annotated[tuple[FilePath, ...], Field(min_length=1, strict=False)]
Many = Annotated[int, Field(ge=1, le=10_000_000)]


class Section(BaseModel):
    """One table of the settings file: closed, strict, frozen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, allow_inf_nan=False
    )
