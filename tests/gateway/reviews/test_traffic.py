# SPDX-License-Identifier: EUPL-1.2
"""What the rules make of the demo region's traffic; docs/review-alerts.md quotes these figures."""

from pathlib import Path

import pytest

from audit.alerts import RULES
from tests.gateway.reviews.traffic import figures, three_months

PAGE = Path(__file__).parents[3] / "docs/review-alerts.md"


@pytest.fixture(scope="module")
def measured():
    view, planted = three_months()
    return view, planted, *figures(view)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_planted_misuse_is_found_among_honest_work(rule, measured):
    _, planted, found, _ = measured
    concerned = {entry for a in found.alerts if a.rule == rule for entry in a.entries}
    assert planted[rule] <= concerned


def test_most_look_ups_are_explained_and_few_signals_are_left(measured):
    _, _, found, share = measured
    assert share > 0.85
    assert len(found.alerts) < sum(found.signals_without.values()) / 2


def test_the_page_quotes_what_is_measured(measured):
    _, _, found, share = measured
    page = PAGE.read_text(encoding="utf-8")
    without = sum(found.signals_without.values())
    told = (
        f"Of {found.accesses:,} look-ups, {share:.1%} are explained by something. The rules alone "
        f"give {without:,} signals; {len(found.alerts):,} are left once explanations are subtracted"
    )
    assert told in " ".join(page.split()), told
    for rule in RULES:
        left = sum(alert.rule == rule.id for alert in found.alerts)
        row = f"| `{rule.id}` | {found.signals_without[rule.id]:,} | {left:,} |"
        assert row in page, row
