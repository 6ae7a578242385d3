# SPDX-License-Identifier: EUPL-1.2
"""The two rooms that do not know each other agree on the words they share."""

from datetime import date

import pytest

from anonymise import TREATMENTS, compile_view
from gateway.duties import KNOWN, unknown_duties
from policies import example_rules, load_rules

VOCABULARY = load_rules(example_rules(), on=date(2026, 11, 24)).vocabulary


def test_every_treatment_of_the_vocabulary_is_implemented_and_no_other():
    named = {
        field.treatment(view)
        for dataset in VOCABULARY.datasets.values()
        for category in dataset.categories.values()
        for field in category.fields.values()
        for view in ("full", "pseudonym", "generalised")
    }
    assert named <= set(TREATMENTS)


@pytest.mark.parametrize("dataset", sorted(VOCABULARY.datasets))
@pytest.mark.parametrize("view", ["full", "pseudonym", "generalised"])
def test_every_view_of_every_dataset_can_be_made(dataset, view):
    fields = {
        field.id: field.treatment(view)
        for category in VOCABULARY.datasets[dataset].categories.values()
        for field in category.fields.values()
        if field.treatment(view) != "drop"
    }
    assert set(compile_view(view, fields).outputs) >= set()


def test_every_duty_of_the_vocabulary_is_one_that_the_gateway_knows():
    assert set(VOCABULARY.duties) == KNOWN


def test_a_duty_nobody_knows_is_named():
    assert unknown_duties({"log_reason", "wave"}) == {"wave"}
