# SPDX-License-Identifier: EUPL-1.2
"""Where Anonymeter lives: beside the gateway's own environment, unless the settings name it."""

import sys
from pathlib import Path
from typing import Final

from gateway.settings import Settings

BESIDE: Final = Path(sys.prefix) / "anonymeter" / "bin" / "python"


def attacker_of(settings: Settings | None) -> Path:
    """The interpreter of the environment that has Anonymeter."""
    named = settings.releases.anonymeter if settings is not None else None
    return BESIDE if named is None else named
