# SPDX-License-Identifier: EUPL-1.2
"""One name in the scripts and spellings of the region (ICAO Doc 9303 part 3, ELOT 743)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sources.spelling import MAX_FORMS, mrz, mrz_forms

_VECTORS = Path(__file__).parents[2] / "vectors" / "mapping" / "spelling.json"
_CASES = json.loads(_VECTORS.read_text(encoding="utf-8"))
_LETTERS = "абвгдђѓежзѕијклљмнњопрстћќуфхцчџшαβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰčćžšđçëäöüßøåæñ"
_NAMES = st.text(st.sampled_from(_LETTERS + _LETTERS.upper() + "abcxyz ABC-'.,") | st.characters())


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_each_vector_is_spelled_as_written(case):
    assert mrz(case["name"]) == case["mrz"]
    assert sorted(mrz_forms(case["name"])) == case["forms"]


@given(_NAMES)
def test_spelling_a_spelled_name_changes_nothing(name):
    once = mrz(name)
    assert mrz(once) == once


@given(_NAMES)
def test_a_spelling_holds_capital_letters_and_single_spaces_only(name):
    for form in {mrz(name), *mrz_forms(name)}:
        assert re.fullmatch(r"(?:[A-Z]+(?: [A-Z]+)*)?", form)


@given(_NAMES)
def test_the_forms_hold_the_spelling_itself_and_stay_few(name):
    forms = mrz_forms(name)
    assert len(forms) <= MAX_FORMS
    assert ({mrz(name)} - {""}) <= forms
    assert "" not in forms


@given(_NAMES)
def test_capitals_and_small_letters_are_spelled_alike(name):
    if name.upper().lower() == name.lower():
        assert mrz(name.upper()) == mrz(name.lower())
