# SPDX-License-Identifier: EUPL-1.2
"""One seed for all dice of a run, told at its end, so that a finding can be thrown again.

It stands in the environment before the processes of a parallel run start, so that they share it.
tests/conftest.py, the equality tests and the fuzzing rely on it.
"""

import os
import secrets
import sys

NAME = "CUVAR_SEED"


def seed():
    """The seed of this run: what the environment says, or a new one."""
    return os.environ.setdefault(NAME, secrets.token_hex(4))


def tell(text):
    """Figures of a test, for those who run it with -s, and for a failure's report."""
    sys.stdout.write(f"{text}\n")
