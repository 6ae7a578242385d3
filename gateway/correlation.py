# SPDX-License-Identifier: EUPL-1.2
"""The correlation id: one server-made UUIDv7 (RFC 9562 §5.7) per request.

It ties an answer, its log entries, log lines and spans together. A client never supplies it:
an id from outside could carry a name into every place that is promised to hold none.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from audit.randomness import random_bytes

__all__ = ["CORRELATION_HEADER", "correlation_of", "new_correlation"]

CORRELATION_HEADER = "cuvar-correlation"
SCOPE_KEY = "cuvar.correlation"

_RANDOM_BYTES = 10
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RAND_A = 0xFFF << 64
_RAND_B = (1 << 62) - 1


def new_correlation(
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    randomness: Callable[[int], bytes] = random_bytes,
) -> str:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    noise = int.from_bytes(randomness(_RANDOM_BYTES))
    value = (clock_ms() & 0xFFFF_FFFF_FFFF) << 80 | _VERSION | (noise & _RAND_A)
    return str(uuid.UUID(int=value | _VARIANT | (noise & _RAND_B)))


def correlation_of(scope: Mapping[str, Any]) -> str | None:
    """The id that the edge gave this ASGI scope; None outside a request."""
    value = scope.get(SCOPE_KEY)
    return value if isinstance(value, str) else None
