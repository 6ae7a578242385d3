# SPDX-License-Identifier: EUPL-1.2
"""Sheets and charts of tables."""

import csv
import io
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise.statistics import chart, layout_of, sheet
from anonymise.statistics.chart import MOST_BARS
from tests.anonymise.statistics.people import DEMOGRAPHY

NEEDS = layout_of("needs")
rows = st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2))


@given(rows)
def test_a_sheet_reads_back_and_holds_no_formula(cells):
    read = list(csv.reader(io.StringIO(sheet(cells), newline="")))
    assert len(read) == len(cells)
    for line, told in zip(cells, read, strict=True):
        for cell, found in zip(line, told, strict=True):
            assert found in (cell, f"'{cell}")
            assert not found.startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_spreadsheet_is_told_no_formula(formula):
    assert sheet([[formula]]).lstrip('"').startswith("'")


def words(drawing):
    return list(ET.fromstring(drawing).itertext())  # noqa: S314 - our own drawing


def test_a_chart_shows_the_first_margin_of_the_layout():
    figures = [
        (("18-59", "M", "AF"), 40),
        (("18-59", "M", "all"), 90),
        (("all", "M", "all"), 120),
        (("all", "all", "all"), 200),
    ]
    told = words(chart(DEMOGRAPHY, "BA", figures, "a note"))
    assert "18-59, M" in told
    assert "90" in told
    assert {"40", "120", "200"}.isdisjoint(told)


def test_a_chart_says_what_the_codes_mean():
    assert "torture" in words(chart(NEEDS, "BA", [(("TR",), 20)], ""))


def test_a_chart_of_nothing_says_so():
    assert "no figure may be shown" in words(chart(NEEDS, "BA", [], "note"))


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_whatever_the_words_a_chart_is_xml_and_holds_no_mark_of_theirs(title, label):
    drawn = chart(NEEDS, title + "<script>", [((label,), 10)], title)
    root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "desc", "rect", "text"}


def test_a_chart_has_an_end():
    figures = [((f"w{number:03}",), number) for number in range(500)]
    drawn = chart(layout_of("arrivals"), "BA", figures, "")
    assert drawn.count("<rect") == MOST_BARS + 1
