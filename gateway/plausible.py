# SPDX-License-Identifier: EUPL-1.2
"""Whether the clock can be right, before what cannot be undone is done by it.

A clock that stands years ahead makes every detail due at once. What witnesses stated with their
newest cosignatures, seconds ago as a rule, tells; where no witness follows the logs, the newest
entries do.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from audit import AuditError, NoteVerifier, parse_envelope
from audit.concern import country_of
from audit.copies import Copy
from audit.errors import EnvelopeError
from audit.trust import Policy
from gateway.errors import GatewayError

MOST_AHEAD: Final = timedelta(days=7)


class ClockError(GatewayError):
    """The clock is further on than anybody else's."""


def require_plausible_clock(
    copies: Mapping[str, Copy],
    policies: Mapping[str, Policy],
    keys: Mapping[str, NoteVerifier],
    now: datetime,
) -> None:
    """Refuse a clock that is more than a week ahead of the newest time that anybody stated.

    Args:
        copies: the logs, by origin.
        policies: the trust policy of each country's logs that witnesses follow.
        keys: the verifier of each log, by origin.
        now: by the clock, aware.

    Raises:
        ClockError: it is; the message names the newest time.
    """
    followed = {name: policies[c] for name in copies if (c := country_of(name)) in policies}
    if followed:
        who = "witnesses stated"
        times = [_cosigned(copies[name], followed[name], keys[name]) for name in followed]
    else:
        who = "stands in the logs"
        times = [_last_entry(copy) for copy in copies.values()]
    newest = max(filter(None, times), default=None)
    if newest is not None and now - newest > MOST_AHEAD:
        raise ClockError(
            f"the clock says {now:%Y-%m-%d}, and the newest time that {who} is"
            f" {newest:%Y-%m-%d}: set the clock, or say --clock-is-right if the gateway stood still"
            " since"
        )


def _cosigned(copy: Copy, policy: Policy, key: NoteVerifier) -> datetime | None:
    """The newest time of a witness under the cosigned checkpoint."""
    note = copy.cosigned()
    if note is None:
        return None
    try:
        times = policy.check(note.encode(), key.name, key).times
    except AuditError:
        return None
    return datetime.fromtimestamp(max(times.values()), UTC) if times else None


def _last_entry(copy: Copy) -> datetime | None:
    size = copy.count()
    for _, data in copy.envelopes(max(0, size - 1), size):
        if isinstance(data, bytes):
            try:
                return parse_envelope(data).t
            except EnvelopeError:
                return None
    return None
