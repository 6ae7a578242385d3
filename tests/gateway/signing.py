# SPDX-License-Identifier: EUPL-1.2
"""Signed copies of the example rules, with keys that exist for one test run."""

import shutil
from datetime import date

from gateway.ruleset.keys import create_key_pair, read_private
from gateway.ruleset.signing import sign_part, write_part
from policies import example_rules, load_rules
from policies.manifest import COMMON
from tests.gateway.small import COUNTRIES

BODIES = ("EUROPOL", "FRONTEX", "ICRC", "IOM", "JSB", "UNHCR")
SIGNERS = (*COUNTRIES, *(f"INT/{body}" for body in BODIES))
BEGINNING = date(2026, 1, 1)


def make_keys(folder):
    for signer in SIGNERS:
        create_key_pair(signer, folder / f"{signer}.key", folder / f"{signer}.pub")


def private_key(keys, signer):
    return read_private(keys / f"{signer}.key")


def sign(rules, keys, part, *, version=1, start=BEGINNING, end=None, signers=None):
    write_part(rules, part, version=version, start=start, end=end)
    every = COUNTRIES if part == COMMON else (part,)
    for signer in signers or every:
        sign_part(rules, part, signer, private_key(keys, signer))


def sign_all(rules, keys, **how):
    for part in (COMMON, *SIGNERS):
        sign(rules, keys, part, **how)


def signed_rules(folder, keys, **how):
    shutil.copytree(example_rules(), folder)
    sign_all(folder, keys, **how)
    return folder


def vocabulary_signers():
    words = load_rules(example_rules(), on=BEGINNING).vocabulary
    bodies = (f"INT/{o.id}" for o in words.organisations.values() if o.country == "INT")
    return {*words.countries, *bodies}


def settings_text(text, rules, keys):
    """Settings of a test house, changed to signed rules."""
    pinned = "\n".join(f'"{signer}" = "{keys}/{signer}.pub"' for signer in SIGNERS)
    listed = ", ".join(f'"{path}"' for path in rules)
    return text.replace(
        'rules = "example"\nmode = "development"\n',
        f"rules = [{listed}]\nreload_s = 3600.0\n[policies.keys]\n{pinned}\n",
    )
