# SPDX-License-Identifier: EUPL-1.2
"""What the gate of releases attacks with; the operator alone says so, never who asks for a copy."""

from pydantic import Field

from gateway.settings.section import Section
from gateway.settings.values import FilePath


class ReleasesSettings(Section):
    """Releases of extracts to partners."""

    anonymeter: FilePath | None = Field(
        default=None,
        description="The Python of the environment that has Anonymeter. Absent: `anonymeter` "
        "beside the gateway's own environment, as `make .venv/anonymeter.done` makes it. What "
        "answers there decides what is published, so let nobody else write to it.",
    )
