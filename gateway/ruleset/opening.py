# SPDX-License-Identifier: EUPL-1.2
"""From the section `[policies]` of the settings to rule folders with pinned keys."""

from pathlib import Path

from gateway.ruleset.folders import RuleFolders
from gateway.ruleset.keys import read_pinned
from gateway.settings import Settings
from policies import example_rules


def open_folders(settings: Settings) -> RuleFolders:
    """The rule folders of the settings, with the keys that they pin.

    Raises:
        RuleKeyError: a pinned key can't be used.
    """
    policies = settings.policies
    rules = policies.rules
    folders = rules if isinstance(rules, tuple) else (rules,)
    paths = tuple(example_rules() if path == "example" else Path(path) for path in folders)
    signed = policies.mode == "signed"
    return RuleFolders(paths, read_pinned(policies.keys) if signed else None)
