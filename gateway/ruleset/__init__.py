# SPDX-License-Identifier: EUPL-1.2
"""The rule set in force: who signed it, from when it counts, how it is replaced while running.

`policies` decides and knows no key; here the keys that the settings pin are held against each part
of a rule folder, the set for a day is chosen, older versions are refused, and a change is an entry
of the log before it counts (ADR 0020). gateway/opening.py opens the keeper; the pipeline asks it
for the rules of each question.
"""

from gateway.ruleset.entry import ChangeEntries
from gateway.ruleset.errors import NoRulesError, Refusal, RuleSetError, Trouble
from gateway.ruleset.folders import Chosen, RuleFolders
from gateway.ruleset.keeper import Keeper, Standing
from gateway.ruleset.keys import PinnedKeys, RuleKeyError, create_key_pair, read_pinned
from gateway.ruleset.memory import RuleMemory
from gateway.ruleset.sealing import SignedPart, check_set, examine_set

__all__ = [
    "ChangeEntries",
    "Chosen",
    "Keeper",
    "NoRulesError",
    "PinnedKeys",
    "Refusal",
    "RuleFolders",
    "RuleKeyError",
    "RuleMemory",
    "RuleSetError",
    "SignedPart",
    "Standing",
    "Trouble",
    "check_set",
    "create_key_pair",
    "examine_set",
    "read_pinned",
]
