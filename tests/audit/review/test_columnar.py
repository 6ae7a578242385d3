# SPDX-License-Identifier: EUPL-1.2
"""Monthly files: envelopes only, grown month by month, counted whole."""

import sys
from collections import Counter
from datetime import timedelta

import pytest

from audit.envelope import format_time, stamp
from audit.errors import EnvelopeError, LogCorruptError, LogUnavailableError
from audit.review import columnar
from audit.review.columnar import duck, write_months
from audit.review.month import month_report
from tests.audit.making import NOON, ORIGIN
from tests.audit.review.holding import Held, accesses


class Autumn(Held):
    """The small log, its entries twelve hours apart: November and December."""

    def grow(self, pending):
        first = len(self.held)
        super().grow(pending)
        for index in range(first, len(self.held)):
            when = format_time(NOON + timedelta(hours=12 * index))
            self.change(index, envelope=stamp(self.held[index].envelope, when))


@pytest.fixture
def autumn():
    return Autumn(accesses(60))


def rows(path):
    return duck().execute("SELECT idx, purpose FROM read_parquet($1)", [str(path)]).fetchall()


def test_each_entry_stands_once_in_the_file_of_its_month(autumn, tmp_path):
    done = write_months(autumn, tmp_path)
    assert (done.origin, done.added, done.months) == (ORIGIN, 60, ("2026-11", "2026-12"))
    november, december = (rows(tmp_path / f"2026-{month}.parquet") for month in (11, 12))
    assert [index for index, _ in november + december] == list(range(60))
    assert december[-1][1] == autumn.envelope(59).purpose
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-11.parquet",
        "2026-12.parquet",
        "log.json",
    ]


def test_a_month_without_news_is_not_written_again(autumn, tmp_path, monkeypatch):
    monkeypatch.setattr(columnar, "_CHUNK", 7)
    write_months(autumn, tmp_path)
    before = (tmp_path / "2026-11.parquet").stat().st_ino
    autumn.grow(accesses(10, start=60))
    assert write_months(autumn, tmp_path).months == ("2026-12",)
    assert (tmp_path / "2026-11.parquet").stat().st_ino == before
    assert len(rows(tmp_path / "*.parquet")) == 70


def test_an_export_that_was_cut_off_does_not_count_twice(autumn, tmp_path, monkeypatch):
    monkeypatch.setattr(columnar, "_CHUNK", 16)
    monkeypatch.setattr(columnar, "_remember", lambda *_: sys.exit("the power went"))
    with pytest.raises(SystemExit):
        write_months(autumn, tmp_path)
    monkeypatch.undo()
    write_months(autumn, tmp_path)
    assert sorted(index for index, _ in rows(tmp_path / "*.parquet")) == list(range(60))


def test_the_files_hold_nothing_of_a_detail(autumn, tmp_path):
    write_months(autumn, tmp_path)
    files = [f"{tmp_path}/*.parquet"]
    content = duck().execute("SELECT * FROM read_parquet($1)", files).fetchall()
    assert "officer-" not in str(content)
    assert "PERSON" not in str(content)
    assert "CASE" not in str(content)


def test_another_log_never_joins_the_files(autumn, tmp_path):
    write_months(autumn, tmp_path)
    with pytest.raises(LogCorruptError):
        write_months(Autumn(accesses(61)), tmp_path)
    assert len(rows(tmp_path / "*.parquet")) == 60


@pytest.mark.parametrize("harm", [(b"2026-11", b"../../x"), (b'"v":3', b'"v":3\n')])
def test_what_is_no_entry_reaches_no_file_name_and_no_line(autumn, tmp_path, harm):
    autumn.change(0, envelope=autumn.held[0].envelope.replace(*harm))
    with pytest.raises(LogCorruptError, match="entry 0"):
        write_months(autumn, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_report_counts_what_the_entries_say(autumn, tmp_path):
    write_months(autumn, tmp_path)
    whole = month_report(tmp_path)
    told = [autumn.envelope(index) for index in range(60)]
    assert whole.entries == 60
    assert whole.counts["by purpose"] == dict(Counter(e.purpose for e in told).most_common())
    assert whole.counts["by rule"] == {"BA-A00": 20, "BA-A01": 20, "BA-A02": 20}
    assert whole.counts["by country and purpose"] == {
        "BA HR border_check": 48,
        "BA HR law_enforcement": 12,
    }
    assert sum(whole.counts["by month"].values()) == 60
    november = month_report(tmp_path, "2026-11")
    assert november.counts["by month"] == {"2026-11": november.entries}
    assert month_report(tmp_path, "2026-11", "BA").entries == november.entries
    assert month_report(tmp_path, "2026-11", "RS").entries == 0
    with pytest.raises(EnvelopeError):
        month_report(tmp_path, "2026-11", "BA' OR 'x' = 'x")


def test_a_month_that_was_not_exported_is_said_to_be_missing(autumn, tmp_path):
    with pytest.raises(LogUnavailableError, match="export parquet"):
        month_report(tmp_path, "2026-11")
    write_months(autumn, tmp_path)
    with pytest.raises(LogUnavailableError, match="export parquet"):
        month_report(tmp_path, "2031-01")


def test_without_duckdb_the_message_says_what_to_install(autumn, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(LogUnavailableError, match=r"cuvar\[review\]"):
        write_months(autumn, tmp_path)
