# SPDX-License-Identifier: EUPL-1.2
"""What reviews are made of, opened beside the rest of the gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from anonymise import Keyring
from audit import Journal, Sealer
from gateway.entries import Readers
from gateway.facts import FactRegister
from gateway.reviews.entitled import Entitlement
from gateway.reviews.entries import ReviewEntries
from gateway.reviews.queue import ReviewQueue
from gateway.reviews.secrecy import Secrecy
from gateway.store import Store
from gateway.terms import Terms


@dataclass(frozen=True, slots=True)
class Reviews:
    """The parts that the review routes use."""

    entries: ReviewEntries
    queue: ReviewQueue
    secrecy: Secrecy
    entitlement: Entitlement

    @classmethod
    def of(
        cls,
        journal: Journal,
        sealing: tuple[Sealer, Readers],
        state: Store,
        facts: FactRegister,
        keyring: Keyring,
        clock: Callable[[], datetime],
    ) -> Self:
        """Out of the opened parts of a gateway."""
        sealer, readers = sealing
        return cls(
            ReviewEntries(journal, sealer, readers, clock),
            ReviewQueue(journal, state),
            Secrecy(keyring),
            Entitlement(facts, Terms(state)),
        )
