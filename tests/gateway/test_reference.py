# SPDX-License-Identifier: EUPL-1.2
"""The two pages written from the models say what the models say."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway.problems import Problem
from gateway.reference import errors_page, settings_page, write_pages
from gateway.settings import sections

DOCS = Path(__file__).parents[2] / "docs"
MODELS = [
    model
    for model in vars(sections).values()
    if isinstance(model, type)
    and issubclass(model, BaseModel)
    and model.__module__ == sections.__name__
    and model.model_fields
]


@pytest.mark.parametrize(("name", "page"), [("settings", settings_page), ("errors", errors_page)])
def test_the_committed_page_is_the_generated_one(name, page):
    committed = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert committed == page(), "run: python -m gateway.reference docs"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_option_has_a_description_and_a_row(model):
    page = settings_page()
    for name, field in model.model_fields.items():
        assert field.description
        if model is not sections.Settings:
            assert f"| `{name}` |" in page
            assert f"| {field.description} |" in page
        else:
            assert f"{name}" in page


def test_every_problem_is_on_the_page():
    page = errors_page()
    for problem in Problem:
        kind = problem.value
        assert f"| `{kind.name}` | {kind.status} | {kind.title} | {kind.advice} |" in page


def test_the_pages_are_written_where_asked(tmp_path):
    write_pages(tmp_path)
    assert (tmp_path / "settings.md").read_text(encoding="utf-8") == settings_page()
    assert (tmp_path / "errors.md").read_text(encoding="utf-8") == errors_page()
