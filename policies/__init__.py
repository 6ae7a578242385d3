# SPDX-License-Identifier: EUPL-1.2
"""Who may see what of whose data, for which purpose.

Rule files and the engine that decides. This room knows no web, no SQL and no keys: it takes a
question and what is known, and says per owner and category which view is allowed, under which
lines, with which duties. The gateway's pipeline relies on it before and after every fetch.
"""

from policies.decision import Cell, Decision, term_ended
from policies.errors import PolicyError, Problem, RulesRefusedError, UnknownGuardError
from policies.explain import Explanation
from policies.loader import example_rules, load_rules
from policies.question import Question, Truth
from policies.snapshot import Snapshot
from policies.terms import Term

__all__ = [
    "Cell",
    "Decision",
    "Explanation",
    "PolicyError",
    "Problem",
    "Question",
    "RulesRefusedError",
    "Snapshot",
    "Term",
    "Truth",
    "UnknownGuardError",
    "example_rules",
    "load_rules",
    "term_ended",
]
