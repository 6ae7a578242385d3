# SPDX-License-Identifier: EUPL-1.2
"""The record of readings: written before anything is shown, and not to be thinned out."""

from dataclasses import replace

import pytest

from audit.errors import LogCorruptError, LogUnavailableError
from audit.review.looks import Look, Looks


def look(name):
    return Look(
        name, "2026-11-24T12:00:00.000000Z", "find", "audit.example/BA/2026h2", 3, 9, "c2VhbGVk"
    )


@pytest.fixture
def looks(tmp_path):
    found = Looks(tmp_path / "review.idx.looks")
    for name in ("one", "two", "three"):
        found.record(look(name))
    return found


def test_a_reading_waits_until_the_log_has_it(looks, tmp_path):
    looks.sent(look("two"), "audit.example/BA/2026h2/77")
    again = Looks(tmp_path / "review.idx.looks")
    assert again.pending() == [replace(look("one"), number=1), replace(look("three"), number=3)]


def test_a_record_that_was_thrown_away_shows_in_the_numbers_that_the_log_is_given(looks, tmp_path):
    looks.record(look("four"))
    assert [one.number for one in looks.pending()] == [1, 2, 3, 4]
    (tmp_path / "review.idx.looks").unlink()
    assert not looks.begun
    looks.record(look("five"))
    assert [one.number for one in looks.pending()] == [1]


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[0].replace(b"find", b"show"), *lines[1:]],
        lambda lines: [*lines, b"{}\n"],
        lambda lines: [*lines, b"7\n"],
        lambda lines: [*lines[:2], lines[2].rstrip(b"\n")],
    ],
)
def test_a_line_that_was_dropped_or_changed_shows(looks, tmp_path, change):
    path = tmp_path / "review.idx.looks"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    for attempt in (looks.pending, lambda: looks.record(look("four"))):
        with pytest.raises(LogCorruptError, match="supervisor"):
            attempt()


def test_a_record_that_cannot_be_written_stops_the_reading(tmp_path):
    with pytest.raises(LogUnavailableError, match="nothing is shown"):
        Looks(tmp_path / "no folder" / "looks").record(look("one"))


def test_the_record_is_the_officers_own(looks, tmp_path):
    assert (tmp_path / "review.idx.looks").stat().st_mode & 0o077 == 0
