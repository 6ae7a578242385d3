# SPDX-License-Identifier: EUPL-1.2
"""Records in the shapes that other systems take: Eurodac's closed list, and a UMF-aligned message.

Both are made from answers that the gateway has given, never from a register: who may have a field
was decided when it was asked for. docs/formats/eurodac-record.md, docs/formats/umf-message.md.
"""

from gateway.exchange.errors import ExchangeError
from gateway.exchange.eurodac import EurodacRecord, read_eurodac
from gateway.exchange.gathering import Gathered, gather
from gateway.exchange.umf import UmfMessage, read_umf

__all__ = [
    "EurodacRecord",
    "ExchangeError",
    "Gathered",
    "UmfMessage",
    "gather",
    "read_eurodac",
    "read_umf",
]
