# SPDX-License-Identifier: EUPL-1.2
"""Entries that concern every country alike: a change of rules, of keys, of who is suspended.

Each stands in every open log, so that whoever reads one country's log alone finds in it under which
rules, keys and suspensions its entries were made. A detail beside it goes a year later (INT-10).
"""

from dataclasses import replace

from audit import Envelope, Journal, Pending, Sealed, addressed, encode_envelope
from audit.retention import year_after
from audit.shards import HOUSE


def everywhere(journal: Journal, envelope: Envelope, sealed: Sealed | None) -> list[Pending]:
    """The entries of one event; what `envelope` says of its log does not count.

    Raises:
        EnvelopeError: the envelope breaks the format.
        LogUnavailableError: a country has no open log.
    """
    if sealed is not None and envelope.erase is None:
        envelope = replace(envelope, erase=year_after(envelope.t))
    first = encode_envelope(replace(envelope, log=journal.current(HOUSE)))
    others = sorted(journal.countries - {HOUSE})
    logs = [journal.current(country) for country in others]
    return [Pending(side, sealed) for side in (first, *(addressed(first, log) for log in logs))]
