# SPDX-License-Identifier: EUPL-1.2
"""The ban on passing on travels with each record that was released under it, and is checked when
the record comes back as a question (RDM-04, HUM-01).

A row that left under the duty `onward_ban` carries a mark: an opaque text that nobody can change,
holding owner, recipient, purpose and day, and no person. Whoever asks because of data that came
from abroad states the marks; the recipient may go on with its purpose, the owner may know its own
data, and anybody else needs the owner's consent. The pipeline and the owner's desk rely on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError
from gateway.facts import FactRegister
from gateway.handles import HandleError, Handles
from gateway.inquiry import Inquiry
from gateway.outcome import Outcome
from policies import Truth

DUTY: Final = "onward_ban"
CONSENT: Final = "sender_consent"
RULE: Final = "Q-ONWARD"
ROW_KEY: Final = "onward"
_KIND: Final = "onward"


class MarkError(GatewayError):
    """A stated mark was not made by this gateway, or was changed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Under what a record was released: whose it is, to whom, why, and on which day."""

    owner: str
    org: str
    country: str
    purpose: str
    day: str


class OnwardMarks:
    """Makes marks and judges those that come back."""

    def __init__(self, handles: Handles, facts: FactRegister) -> None:
        """Use the gateway's handles and fact register."""
        self._handles = handles
        self._facts = facts

    def marked(self, inquiry: Inquiry, outcome: Outcome) -> Mapping[str, str]:
        """What each row of this outcome carries: the mark, or nothing without the duty."""
        if DUTY not in outcome.duties:
            return {}
        content = {
            "o": outcome.owner,
            "g": inquiry.asker.org,
            "c": inquiry.asker.country,
            "p": inquiry.asked.purpose,
            "d": inquiry.now.date().isoformat(),
        }
        return {ROW_KEY: self._handles.seal(_KIND, (), content)}

    def lent(self, inquiry: Inquiry) -> tuple[Mark, ...]:
        """The stated marks that do not let this asker ask this by themselves.

        Raises:
            MarkError: a mark is not ours.
        """
        marks = [self._read(text) for text in inquiry.asked.received]
        return tuple(mark for mark in marks if not _free(inquiry, mark))

    def banned(self, inquiry: Inquiry, lent: Iterable[Mark]) -> tuple[Mark, ...]:
        """Those whose owner has not consented either; () when this asker may ask this."""
        return tuple(mark for mark in lent if not self._consented(inquiry, mark.owner))

    def _consented(self, inquiry: Inquiry, owner: str) -> bool:
        scope = inquiry.scope(owner)
        return self._facts.truth(CONSENT, scope, inquiry.now, harmful=False) is Truth.TRUE

    def _read(self, text: str) -> Mark:
        try:
            content = self._handles.open(_KIND, (), text)
        except HandleError:
            raise MarkError(
                "a mark in received is not one of this gateway, or was changed"
            ) from None
        return Mark(*(str(content[name]) for name in "ogcpd"))


def _free(inquiry: Inquiry, mark: Mark) -> bool:
    """The owner's authorities may know its data, and the recipient goes on with its purpose."""
    asker, words = inquiry.asker, inquiry.snapshot.vocabulary
    # An aid body at home in the owner's country, or with an office there, is not the owner (F19).
    org = words.organisations.get(asker.org)
    if org is not None and org.country == mark.owner and words.kinds[org.kind].authority:
        return True
    recipient = (mark.org, mark.country, mark.purpose)
    return (asker.org, asker.country, inquiry.asked.purpose) == recipient
