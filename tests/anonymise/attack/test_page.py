# SPDX-License-Identifier: EUPL-1.2
"""The page about attacks tells what the attacks give."""

from tests.anonymise.attack.page import PAGE, written


def test_the_figures_in_the_page_are_those_measured_now():
    text = PAGE.read_text(encoding="utf-8")
    assert written(text) == text, "look at what changed, then run python -m tests.anonymise.attack"
