# SPDX-License-Identifier: EUPL-1.2
"""What a draft says of itself does not decide how exposed people may be in what is published."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from anonymise.release.columns import Columns
from anonymise.release.verdict import Limits
from gateway.releases import LEAST_K, LEAST_L, MOST_RISK, ReleaseOrderError, require_floor

FLOOR = Limits(k=LEAST_K, l=LEAST_L, most_risk=MOST_RISK)


def draft(limits, sensitive="needs"):
    return SimpleNamespace(limits=limits, columns=Columns(("age", "sex"), sensitive, None))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"k": LEAST_K - 1}, "k under 5"),
        ({"l": 1}, "l under 2"),
        ({"most_risk": 0.26}, "a risk over 0.25"),
        ({"most_risk": float("nan")}, "a risk over 0.25"),
    ],
)
def test_a_draft_that_was_held_to_too_little_is_not_published(change, told):
    require_floor(draft(FLOOR))
    with pytest.raises(ReleaseOrderError, match=told):
        require_floor(draft(replace(FLOOR, **change)))


def test_where_no_sensitive_column_is_told_there_is_no_l_to_ask_for():
    require_floor(draft(replace(FLOOR, l=1), sensitive=None))
