# SPDX-License-Identifier: EUPL-1.2
"""What a key holder refuses."""

from gateway.errors import GatewayError


class KeyHolderError(GatewayError):
    """A key holder's folder, key, client or memory is not in order."""
