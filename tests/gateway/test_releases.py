# SPDX-License-Identifier: EUPL-1.2
"""What a draft says of itself does not decide how exposed people may be in what is published."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from anonymise.release.columns import Columns
from anonymise.release.verdict import Limits
from gateway.releases import LEAST_K, LEAST_L, MOST_RISK, ReleaseOrderError, require_floor
from gateway.settings.releases import ReleasesSettings

FLOOR = Limits(k=LEAST_K, l=LEAST_L, most_risk=MOST_RISK)
HOUSE = ReleasesSettings(within=["nationality"], sensitive=["needs", "Health  state"])


def draft(limits, sensitive="needs", within=None, quasi=("age", "sex")):
    return SimpleNamespace(limits=limits, columns=Columns(quasi, sensitive, within))


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
    require_floor(HOUSE, draft(FLOOR))
    with pytest.raises(ReleaseOrderError, match=told):
        require_floor(HOUSE, draft(replace(FLOOR, **change)))


def test_where_no_sensitive_column_is_told_there_is_no_l_to_ask_for():
    require_floor(HOUSE, draft(replace(FLOOR, l=1), sensitive=None))


def test_only_a_column_that_the_house_takes_as_known_may_be_published_exactly():
    require_floor(HOUSE, draft(FLOOR, within="Nationality"))
    with pytest.raises(ReleaseOrderError, match="column salary is published exactly"):
        require_floor(HOUSE, draft(FLOOR, within="salary"))
    with pytest.raises(ReleaseOrderError, match="published exactly"):
        require_floor(ReleasesSettings(), draft(FLOOR, within="nationality"))


@pytest.mark.parametrize(
    "columns",
    [
        {"sensitive": None, "quasi": ("age", "needs")},
        {"sensitive": "age", "quasi": ("sex", " NEEDS")},
        {"sensitive": "needs", "quasi": ("sex", "health state")},
        {"sensitive": None, "within": "needs"},
    ],
)
def test_what_the_house_calls_sensitive_is_published_as_that_or_not_at_all(columns):
    with pytest.raises(ReleaseOrderError, match="is sensitive by"):
        require_floor(HOUSE, draft(FLOOR, **columns))


def test_a_column_is_not_declared_known_and_sensitive():
    with pytest.raises(ValidationError, match="both within and sensitive"):
        ReleasesSettings(within=["Needs"], sensitive=["needs"])
