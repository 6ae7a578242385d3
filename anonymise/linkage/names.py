# SPDX-License-Identifier: EUPL-1.2
"""Stand-in until the grammar is merged."""

from typing import Final

GRAMMAR: Final = 1
