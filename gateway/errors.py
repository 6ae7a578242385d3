# SPDX-License-Identifier: EUPL-1.2
"""The root of every error that the gateway raises.

A caller outside the gateway catches `GatewayError` and needs no other name. Messages say what was
refused and what to do; none carries personal data, a password or a database address.
"""

__all__ = ["GatewayError"]


class GatewayError(Exception):
    """Something in the gateway refused or failed; the message is safe to show an operator."""
