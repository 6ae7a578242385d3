# SPDX-License-Identifier: EUPL-1.2
"""The values of the common model, as registers' adapters deliver them."""

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

# bool is an int and datetime a date, so both are covered.
Value: TypeAlias = str | int | date | tuple[str, ...] | None
# Field id ("category.field") to value; a field that the register does not hold is absent or None.
Row: TypeAlias = Mapping[str, Value]
