# SPDX-License-Identifier: EUPL-1.2
"""The shipped rules, read once."""

import pytest

from policies import example_rules
from policies.loader import build, read_folder
from tests.policies.making import TODAY


@pytest.fixture(scope="session")
def files():
    return read_folder(example_rules())


@pytest.fixture(scope="session")
def snapshot(files):
    return build(files, on=TODAY)
