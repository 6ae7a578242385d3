# SPDX-License-Identifier: EUPL-1.2
"""Alerts over the accesses of a log, and the queue of what becomes of them.

Accesses come opened with a data-protection officer's key; what he knows beside the log comes from
his own files. Explanations are subtracted first, then eight rules look at the rest, and one access
in a hundred that none flagged is drawn for review all the same (docs/review-alerts.md). Pure but
for reading those files; the commands and the gateway's review routes rely on it.
"""

from audit.alerts.access import ACCESSES, Access, Searched, accesses_of
from audit.alerts.context import Context
from audit.alerts.declared import Explanation, Rule, Signal, Tried, View
from audit.alerts.files import COLUMNS, load_context
from audit.alerts.queue import STEPS, Item, Outcome, Queue, State, Step, fits, moved
from audit.alerts.sample import ONE_IN, Seed
from audit.alerts.scan import RULES, SAMPLE, Alert, Past, Scan, scan

__all__ = [
    "ACCESSES",
    "COLUMNS",
    "ONE_IN",
    "RULES",
    "SAMPLE",
    "STEPS",
    "Access",
    "Alert",
    "Context",
    "Explanation",
    "Item",
    "Outcome",
    "Past",
    "Queue",
    "Rule",
    "Scan",
    "Searched",
    "Seed",
    "Signal",
    "State",
    "Step",
    "Tried",
    "View",
    "accesses_of",
    "fits",
    "load_context",
    "moved",
    "scan",
]
