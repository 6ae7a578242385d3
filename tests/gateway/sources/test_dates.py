# SPDX-License-Identifier: EUPL-1.2
"""Days as registers write them."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sources.dates import SORTABLE, date_form

_VECTORS = Path(__file__).parents[2] / "vectors" / "mapping" / "dates.json"
_CASES = json.loads(_VECTORS.read_text(encoding="utf-8"))
_FORMS = [*sorted(SORTABLE), "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d-%m-%Y."]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: f"{case['form']} {case['native']}")
def test_each_vector_reads_as_written(case):
    read = date_form(case["form"]).decode(case["native"])
    assert (None if read is None else read.isoformat()) == case["common"]


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), st.sampled_from(_FORMS))
def test_what_is_written_reads_back(day, form):
    made = date_form(form)
    read = made.decode(made.encode(day))
    assert (read.date() if isinstance(read, datetime) else read) == day


@given(st.sampled_from(_FORMS), st.one_of(st.none(), st.text(), st.integers(), st.floats()))
def test_nothing_makes_a_reader_fail(form, raw):
    read = date_form(form).decode(raw)
    assert read is None or isinstance(read, date)


@pytest.mark.parametrize("form", ["", "us", "%d.%m", "%d.%m.%y", "%d.%d.%m.%Y", "%A %d %m %Y"])
def test_forms_that_could_be_misread_are_refused(form):
    with pytest.raises(ValueError, match="date"):
        date_form(form)
