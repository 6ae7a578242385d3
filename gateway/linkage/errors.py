# SPDX-License-Identifier: EUPL-1.2
"""What the gateway's half of linkage refuses."""

from gateway.errors import GatewayError


class IndexFileError(GatewayError):
    """A nation's index file is damaged, or not what the gateway may load."""


class IndexStateError(GatewayError):
    """The index is not in the state that an operation needs."""
