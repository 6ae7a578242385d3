# SPDX-License-Identifier: EUPL-1.2
"""The closed sets of words that this gateway's logs, metrics and traces may say.

Taken from the rules that are in force at start, the settings and the routes; a word that a later
rule set brings shows as `other` until the next start.
"""

from typing import Final

from gateway.policy.verbs import PATH, VERBS
from gateway.questions import ACTIONS
from gateway.reviews.calls import REVIEW_PATHS
from gateway.settings import Settings
from gateway.signals import Words
from policies import Snapshot

_ROUTES: Final = (
    *(f"/v1/{action}" for action in ACTIONS),
    PATH,
    *(f"{PATH}/{verb}" for verb in VERBS),
    *REVIEW_PATHS,
    "/v1/logs",
    "/v1/logs/{path:path}",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
)


def signal_words(snapshot: Snapshot, settings: Settings) -> Words:
    """Every list that a signal may name a member of."""
    vocabulary = snapshot.vocabulary
    return Words(
        routes=frozenset(_ROUTES),
        owners=frozenset(vocabulary.countries),
        organisations=frozenset(vocabulary.organisations),
        datasets=frozenset(vocabulary.datasets),
        actions=frozenset(vocabulary.actions),
        purposes=frozenset(vocabulary.purposes),
        views=frozenset(vocabulary.views),
        issuers=frozenset(issuer.issuer for issuer in settings.issuers),
    )
