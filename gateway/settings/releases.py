# SPDX-License-Identifier: EUPL-1.2
"""What the gate of releases goes by; the operator alone says so, never who asks for a copy."""

from pydantic import Field, model_validator

from gateway.settings.section import Section
from gateway.settings.values import FilePath, Words


class ReleasesSettings(Section):
    """Releases of extracts to partners."""

    anonymeter: FilePath | None = Field(
        default=None,
        description="The Python of the environment that has Anonymeter. Absent: `anonymeter` "
        "beside the gateway's own environment, as `make .venv/anonymeter.done` makes it. What "
        "answers there decides what is published, so let nobody else write to it.",
    )
    within: Words = Field(
        default=frozenset(),
        description="Columns that a release may be made `--within`. They are published exactly, "
        "and no group is held to l in them: name only what outsiders know of a person anyway, for "
        "example `nationality`. A draft within another column is not published.",
    )
    sensitive: Words = Field(
        default=frozenset(),
        description="Columns that are published as the `--sensitive` one or not at all, whatever "
        "a draft's maker called them.",
    )

    @model_validator(mode="after")
    def _known_or_sensitive(self) -> "ReleasesSettings":
        if {n.casefold() for n in self.within} & {n.casefold() for n in self.sensitive}:
            raise ValueError("a column may not stand in both within and sensitive")
        return self
