# SPDX-License-Identifier: EUPL-1.2
"""Filters as options, shared by `find` and `saved add`."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click

from audit.review.queries import Filter
from gateway.errors import GatewayError

_Command = TypeVar("_Command", bound=Callable[..., Any])
_OPTIONS: Final = {
    "officer": ("officers", "As your own identity provider names him."),
    "unit": ("units", "Unit of the officer."),
    "person": ("persons", "The owner's reference, or a case, document or biometric number."),
    "case": ("cases", "Case number of the asker."),
    "purpose": ("purposes", "Stated purpose."),
    "basis": ("bases", "Legal basis."),
    "decision": ("decisions", "allow, partial, deny, none."),
    "status": ("statuses", "hit, no_hit, denied, …"),
    "rule": ("rules", "A rule that matched."),
    "kind": ("kinds", "access, denial, break-glass, …"),
    "op": ("ops", "consult, disclose, …"),
    "role": ("roles", "Role of the asker."),
    "org": ("orgs", "Organisation of the asker."),
    "dataset": ("datasets", "persons, asylum, …"),
    "owner": ("owners", "Country whose data were asked for."),
    "requester": ("requesters", "Country that asked."),
    "country": ("countries", "Country on either side."),
    "detail": ("details", "open, sealed, erased, none."),
}


class MomentError(GatewayError):
    """A time that cannot be read."""


def moment(text: str | None) -> datetime | None:
    """A date or a time, UTC where no zone is given.

    Raises:
        MomentError: it is neither.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise MomentError("a time is written 2026-11-24 or 2026-11-24T12:00:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def with_filter(command: _Command) -> _Command:
    """One option for each filter, as one `wanted`."""

    @functools.wraps(command)
    def wrapped(**given: Any) -> Any:
        told = {name: tuple(given.pop(option)) for option, (name, _) in _OPTIONS.items()}
        since, until = moment(given.pop("since")), moment(given.pop("until"))
        return command(wanted=Filter(**told, since=since, until=until), **given)

    wrapped = click.option("--until", help="Before this date or time.")(wrapped)
    wrapped = click.option("--since", help="From this date or time on.")(wrapped)
    for option, (_, told) in reversed(_OPTIONS.items()):
        wrapped = click.option(f"--{option}", multiple=True, help=told)(wrapped)
    return wrapped  # type: ignore[return-value] # the same command with other options
