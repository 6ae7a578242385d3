# SPDX-License-Identifier: EUPL-1.2
"""The pages for analysts and data-protection officers are true."""

import doctest
from pathlib import Path

import pytest

from anonymise import Anonymity
from gateway.settings import ViewsSettings

PAGES = Path(__file__).parents[2] / "docs/anonymisation"


@pytest.mark.parametrize("page", ["views.md"])
def test_the_examples_of_a_page_run(page):
    found = doctest.testfile(
        str(PAGES / page), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS
    )
    assert found.attempted > 10
    assert found.failed == 0


def test_the_numbers_of_the_page_are_the_defaults():
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    held = ViewsSettings().held_to("UNHCR")
    assert held == Anonymity()
    assert f"k = {held.k}, l = {held.l} and nationalities told from {held.nationality_from}" in text


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_the_first_page_leads_to_every_other(page):
    assert page.name == "README.md" or f"({page.name})" in (PAGES / "README.md").read_text("utf-8")
