# SPDX-License-Identifier: EUPL-1.2
"""Two distributions, `casbin` and `pycasbin`, fill one import package: the judge is the one meant.

`make test` runs the equality tests in the gateway's environment, and once more in one that holds
`pycasbin` alone, where `CUVAR_CASBIN` says so.
"""

import os
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import casbin

WANTED = os.environ.get("CUVAR_CASBIN", "casbin")


def test_the_judge_comes_from_the_distribution_that_this_run_names():
    assert packages_distributions()["casbin"] == [WANTED]
    judge = Path(casbin.__file__).resolve()
    files = {Path(file.locate()).resolve() for file in distribution(WANTED).files or ()}
    assert judge in files
    assert Path(casbin.core_enforcer.__file__).resolve() in files
