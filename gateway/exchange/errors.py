# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong with a record from or for another system."""

from pydantic import ValidationError

from gateway.errors import GatewayError


class ExchangeError(GatewayError):
    """The record is not one of the closed form; the message names the member, never its value."""


def told(what: str, error: ValidationError) -> ExchangeError:
    """An error that names each wrong member and what is wrong with it; no value of it."""
    faults = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(str(part) for part in fault["loc"]) or "the whole"
        reason = "is not of the closed list" if fault["type"] == "extra_forbidden" else fault["msg"]
        faults.append(f"{place}: {reason.removeprefix('Value error, ')}")
    return ExchangeError(f"this is no {what}; " + "; ".join(faults))
