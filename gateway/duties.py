# SPDX-License-Identifier: EUPL-1.2
"""What an allowed answer obliges the gateway to do (access matrix 1.6).

Every duty of the vocabulary stands in exactly one of the sets below; one that stands in none
is unknown, and an unknown duty is a refusal. Duties that other people must fulfil (a review,
a notice, an ex-post verification) leave through the log: the entry carries the duty, is
durable before the answer, and is what the queues of DPOs, guardians and owners are read from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

# Fulfilled by the entry itself: read from the log by those who owe or are owed the act.
QUEUED: Final = frozenset(
    {
        "notify_owner",
        "notify_guardian",
        "inform_person",
        "dpo_review",
        "dpo_review_72h",
        "closing_note_24h",
        "expost_verify",
        "erase_if_refused",
        "written_record",
        "four_eyes",
    }
)
# Fulfilled by a sentence that the answer carries and the recipient is bound by.
CONDITIONS: Final = {
    "human_decides": "No decision may rest on this answer alone (GDPR Art. 22, LED Art. 11).",
    "expert_check": "A named expert confirms the match before it is used (EUR-14).",
    "onward_ban": "This may not be passed on without the owner's consent (HUM-01, RDM-04).",
    "neutral_le": "Checks by law enforcement, if any, are answered through the "
    "data-protection authority (LED Art. 17).",
}
# Fulfilled by what the gateway shows, hides or shapes.
SHAPING: Final = frozenset(
    {
        "log_reason",
        "cap_5",
        "single_use",
        "watermark",
        "expire_export",
        "sealed_bundle",
        "min_cell_10",
        "min_cell_20",
        "withhold_nationality",
        "hit_bare",
        "redact_third_parties",
    }
)
KNOWN: Final = QUEUED | SHAPING | frozenset(CONDITIONS)

REASON_LENGTH: Final = 30
EXPORT_DAYS: Final = 7
CANDIDATES_ABROAD: Final = 5
CANDIDATES_AT_HOME: Final = 20

# Fields that name somebody else than the subject, or the officer who wrote them (GDP-20).
_THIRD_PARTIES: Final = frozenset(
    {
        "record.operator_user_id",
        "family.linked_reference",
        "protection.accompanied_by",
        "protection.guardian_ref",
        "protection.declared_persecutor",
    }
)
_NATIONALITY: Final = frozenset({"biographic.nationalities"})


@dataclass(frozen=True, slots=True)
class Shape:
    """How the duties of one owner's decision shape the answer."""

    hidden: frozenset[str]
    minimum_cell: int
    bare_hit: bool
    sealed: bool
    candidates: int
    conditions: tuple[str, ...]
    expires: date | None
    watermark: bool
    single_use: bool


def unknown_duties(duties: Iterable[str]) -> frozenset[str]:
    """Duties that this gateway does not know and so can't fulfil."""
    return frozenset(duties) - KNOWN


def reason_missing(duties: frozenset[str], reason: str | None) -> bool:
    """Whether the rules demand a reason that was not given."""
    return "log_reason" in duties and len((reason or "").strip()) < REASON_LENGTH


@lru_cache(maxsize=1024)
def shape_of(duties: frozenset[str], today: date) -> Shape:
    """The shape that these duties give an answer.

    A count without a stated threshold is protected with the usual ten all the same: the
    vocabulary's exact tables (centres) are not protected by a cell size at all.
    """
    hidden: frozenset[str] = frozenset()
    if "withhold_nationality" in duties:
        hidden |= _NATIONALITY
    if "redact_third_parties" in duties:
        hidden |= _THIRD_PARTIES
    return Shape(
        hidden=hidden,
        minimum_cell=20 if "min_cell_20" in duties else 10,
        bare_hit="hit_bare" in duties,
        sealed="sealed_bundle" in duties,
        candidates=CANDIDATES_ABROAD if "cap_5" in duties else CANDIDATES_AT_HOME,
        conditions=tuple(CONDITIONS[name] for name in sorted(duties & set(CONDITIONS))),
        expires=today + timedelta(days=EXPORT_DAYS) if "expire_export" in duties else None,
        watermark="watermark" in duties,
        single_use="single_use" in duties,
    )
