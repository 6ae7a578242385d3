# SPDX-License-Identifier: EUPL-1.2
"""The report: well formed, alone, true to the figures, and without a row of the table."""

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from anonymise.release.gate import find
from anonymise.release.plots import Bar, bars
from anonymise.release.report import report
from anonymise.release.verdict import FEWEST, Attack
from tests.anonymise.release import making

VOID = {"meta", "br"}
FINE = tuple(
    Attack(name, FEWEST, 0.01, 0.05, 0.31, 0.3)
    for name in ("singling_out", "linkability", "inference")
)


class Page(HTMLParser):
    """Tags that are open, addresses that are named, words that are said."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.addresses, self.said = [], set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href"}]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said += data


@pytest.fixture(scope="module")
def draft(tmp_path_factory):
    return making.made(tmp_path_factory.mktemp("draft"), "a<b>.csv", k=6, l=2)


def page(draft, attacks=None):
    found = find(draft.path, making.COLUMNS)
    return Page(report(draft.path.name, draft.manifest(), found, attacks))


def test_the_page_is_whole_and_names_no_address(draft):
    told = page(draft, FINE)
    assert told.open == []
    assert told.addresses == []
    assert "script" not in told.seen


def test_the_first_sentence_says_how_many_others_a_row_reads_like(draft):
    found = find(draft.path, making.COLUMNS)
    said = page(draft).said
    assert f"Each of the {found.rows:,} rows" in said
    assert f"like at least {found.k - 1} others" in said
    assert f"at least {found.l} different values of needs" in said


def test_what_was_left_out_is_told(draft):
    said = page(draft).said
    assert "Columns that were not released: name." in said
    assert f"{draft.manifest().held_back:,}" in said


@pytest.mark.parametrize(
    ("attacks", "words"),
    [
        (None, "no attack was tried on it"),
        ((Attack("inference", 3),), "only 3 times, which is no result"),
        ((Attack("inference", FEWEST, 0.5, 0.6, 0.9, 0.5),), "up to 0.600 more often"),
    ],
)
def test_a_release_that_does_not_pass_is_told_why(draft, attacks, words):
    said = page(draft, attacks).said
    assert "It does not pass the gate" in said
    assert words in said


def test_a_release_that_passes_is_told_so(draft):
    assert "It passes the gate" in page(draft, FINE).said


def test_the_page_that_create_wrote_is_this_page(draft):
    manifest = draft.manifest()
    found = find(draft.path, making.COLUMNS)
    expected = report(draft.path.name, manifest, found, None)
    assert draft.report_path.read_text(encoding="utf-8") == expected


def test_bars_are_sound_svg_with_their_figures_as_text():
    rows = [Bar("a<b", 0.5, "50 %"), Bar("c", 7.0, "all")]
    drawn = ET.fromstring(bars("Loss & more", rows, 0.2))  # noqa: S314 - our own
    texts = [one.text for one in drawn.iter("text")]
    assert texts == ["a<b", "50 %", "c", "all"]
    widths = [float(one.attrib["width"]) for one in drawn.iter("rect")]
    assert widths == [180.0, 360.0]
    assert drawn.find("title").text == "Loss & more"
