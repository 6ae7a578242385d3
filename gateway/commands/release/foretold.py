# SPDX-License-Identifier: EUPL-1.2
"""What `publish` will refuse, told by `create` and `check` while it costs least to change."""

from pathlib import Path

import click

from anonymise.release.columns import Columns
from anonymise.release.verdict import Limits
from gateway.commands.options import DEFAULT
from gateway.releases import objections
from gateway.settings import Settings, load_settings
from gateway.settings.releases import ReleasesSettings


def settings_of(config: Path) -> Settings | None:
    """The house's settings; None where nobody named a file and there is none: drafts need none."""
    return load_settings(config) if config != Path(DEFAULT) or config.is_file() else None


def foretell(settings: Settings | None, columns: Columns, limits: Limits) -> None:
    """Say on standard error why a draft like this will not be published."""
    house = ReleasesSettings() if settings is None else settings.releases
    for one in objections(house, columns, limits):
        click.echo(f"publish will refuse this: {one}", err=True)
