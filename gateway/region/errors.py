# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong while the synthetic region is built."""

from gateway.errors import GatewayError

__all__ = ["RegionError"]


class RegionError(GatewayError):
    """The region could not be built; the message says what stands in the way and what to do."""
