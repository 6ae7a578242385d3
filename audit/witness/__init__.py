# SPDX-License-Identifier: EUPL-1.2
"""The witness (C2SP tlog-witness v1.0.0): an authority's own signer of others' checkpoints.

It cosigns only a log that grew consistently from what it cosigned last, and keeps what it refused.
It sees origin, size and root of a log; no entry, no person. `gateway.witness` serves it over HTTP.
"""

from audit.witness.book import Book, Refused, origin_digest
from audit.witness.rules import Contradiction, Last, Refusal, Submission, compare, examine
from audit.witness.submission import AddCheckpoint, parse_submission
from audit.witness.trusted import Trusted, TrustedFile, country_of, parse_trusted
from audit.witness.witness import Answer, Witness

__all__ = [
    "AddCheckpoint",
    "Answer",
    "Book",
    "Contradiction",
    "Last",
    "Refusal",
    "Refused",
    "Submission",
    "Trusted",
    "TrustedFile",
    "Witness",
    "compare",
    "country_of",
    "examine",
    "origin_digest",
    "parse_submission",
    "parse_trusted",
]
