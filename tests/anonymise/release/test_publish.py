# SPDX-License-Identifier: EUPL-1.2
"""A published copy: same rows, own order and tags, and its entry before its name."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from anonymise.errors import PublicationError, ReleaseError
from anonymise.release.gate import find
from anonymise.release.placing import digest
from anonymise.release.publish import MARK, Ticket, publish
from anonymise.release.trace import trace
from tests.anonymise.release import making


def ticket(recipient="UNHCR", entry="e1"):
    return Ticket("BA", recipient, "statistics", date(2027, 5, 31), entry, "test.invalid/BA/2026h2")


@pytest.fixture(scope="module")
def draft(tmp_path_factory):
    return making.made(tmp_path_factory.mktemp("draft"), k=5, l=2)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "copy.csv"


def published(draft, out, told=lambda _copy: None, **which):
    return publish(draft, draft.manifest(), ticket(**which), out, told, making.silent)


def plain(path):
    header, lines = making.read(path)
    return header[:-1], [line[:-1] for line in lines]


def test_a_copy_has_the_drafts_rows_and_figures(draft, out):
    copy = published(draft, out)
    header, lines = plain(out)
    assert header == making.HEADER
    assert Counter(lines) == Counter(making.read(draft.path)[1])
    assert copy.rows == len(lines)
    one, two = find(out, making.COLUMNS), find(draft.path, making.COLUMNS)
    assert one == two


@pytest.mark.parametrize("while_read", [False, True])
def test_a_draft_that_was_exchanged_after_the_gate_is_not_published(tmp_path, out, while_read):
    draft = making.made(tmp_path, k=5, l=2)
    manifest, lines = draft.manifest(), draft.path.read_text(encoding="utf-8")

    def exchange(*_progress):
        draft.path.write_text(lines + lines.splitlines()[1] + "\n", encoding="utf-8")

    if not while_read:
        exchange()
    progress = exchange if while_read else making.silent
    with pytest.raises(PublicationError, match="exchanged after the gate"):
        publish(draft, manifest, ticket(), out, lambda _copy: None, progress)
    assert not out.exists()


def test_a_copy_says_for_whom_until_when_and_which_entry(draft, out):
    published(draft, out)
    line = out.read_text(encoding="utf-8").splitlines()[0]
    assert line == (
        "# cuvar-release 1 owner=BA recipient=UNHCR purpose=statistics expires=2027-05-31 "
        "k=5 l=2 entry=e1 log=test.invalid/BA/2026h2"
    )


def test_a_parquet_copy_says_it_in_its_footer(draft, tmp_path):
    published(draft, tmp_path / "copy.parquet")
    metadata = pl.read_parquet_metadata(tmp_path / "copy.parquet")
    assert "recipient=UNHCR" in metadata[MARK]
    assert "entry=e1" in metadata[MARK]
    frame = pl.read_parquet(tmp_path / "copy.parquet")
    assert frame.columns == [*making.HEADER, "ref"]
    assert Counter(frame.drop("ref").rows()) == Counter(making.read(draft.path)[1])


def test_the_entry_is_durable_before_the_copy_has_its_name(draft, out):
    seen = []
    published(draft, out, lambda copy: seen.append((out.exists(), copy.sha256)))
    assert seen == [(False, digest(out))]


def test_a_log_that_is_down_publishes_nothing(draft, out):
    def down(_copy):
        raise ReleaseError("the log is down")

    with pytest.raises(ReleaseError, match="the log is down"):
        published(draft, out, down)
    assert list(out.parent.iterdir()) == []


def test_a_copy_never_takes_the_place_of_another_file(draft, out):
    out.write_text("mine")
    with pytest.raises(ReleaseError, match="not overwritten"):
        published(draft, out)
    assert out.read_text() == "mine"


@pytest.fixture(scope="module")
def leaked(draft, tmp_path_factory):
    """Two recipients' copies."""
    folder = tmp_path_factory.mktemp("leaked")
    for name in ("UNHCR", "IOM"):
        published(draft, folder / f"{name}.csv", recipient=name, entry=f"entry-{name}")
    return folder


def first(path, draft):
    found = trace(path, draft, making.HEADER)
    sure = [one.recipient for one in found if one.likeness.is_sure]
    return sure, found[0].recipient


@pytest.mark.parametrize("name", ["UNHCR", "IOM"])
def test_a_leaked_copy_names_its_recipient(draft, leaked, name):
    assert first(leaked / f"{name}.csv", draft) == ([name], name)


@pytest.mark.parametrize("name", ["UNHCR", "IOM"])
def test_a_part_without_note_and_tags_names_its_recipient(draft, leaked, name, out):
    header, lines = plain(leaked / f"{name}.csv")
    making.write(out, [header, *lines[200:420]])
    assert first(out, draft) == ([name], name)


@pytest.mark.parametrize("name", ["UNHCR", "IOM"])
def test_rows_sorted_anew_with_other_columns_gone_name_their_recipient(draft, leaked, name, out):
    _, lines = making.read(leaked / f"{name}.csv")
    making.write(out, [("age", "ref"), *sorted((line[0], line[-1]) for line in lines)[:25]])
    assert first(out, draft) == ([name], name)


def test_the_draft_itself_names_nobody(draft, leaked):
    assert leaked.exists()
    assert first(draft.path, draft)[0] == []


def test_what_has_neither_tags_nor_columns_cannot_be_traced(draft, leaked, out):
    assert leaked.exists()
    making.write(out, [("age",), ("1",)])
    with pytest.raises(PublicationError, match="neither tags nor all published columns"):
        trace(out, draft, making.HEADER)


def test_a_damaged_record_is_told_and_where_another_is(tmp_path):
    draft = making.made(tmp_path)
    with pytest.raises(PublicationError, match="no record"):
        trace(draft.path, draft, making.HEADER)
    Path(draft.publications / "x.json").write_text("{}")
    with pytest.raises(PublicationError, match="sealed detail"):
        trace(draft.path, draft, making.HEADER)


def test_a_row_that_nobody_counted_is_not_published(tmp_path, out):
    """Suppressed rows with their secrets, and a manifest that was made to fit."""
    draft = making.made(tmp_path, k=5, l=2)
    with draft.path.open("a", encoding="utf-8") as file:
        file.write("*,*,*,SECRET\n" * 5)
    document = json.loads(draft.manifest_path.read_bytes())
    document |= {"sha256": digest(draft.path), "rows": document["rows"] + 5}
    draft.manifest_path.write_text(json.dumps(document))
    with pytest.raises(PublicationError, match="other rows than were counted"):
        published(draft, out)
    document["rows"] -= 5
    draft.manifest_path.write_text(json.dumps(document))
    published(draft, out)
    assert "SECRET" not in out.read_text(encoding="utf-8")


def test_what_looks_like_a_formula_goes_out_as_text_and_is_traced_all_the_same(tmp_path, out):
    names = {value: f"{sign}{value}" for value, sign in zip(making.NEEDS, "=+-@", strict=True)}
    rows = [(*row[:3], names[row[3]]) for row in making.rows(600)]
    making.write(tmp_path / "table.csv", [making.HEADER, *rows])
    draft = making.made(tmp_path)
    published(draft, out)
    _, lines = plain(out)
    assert {line[3] for line in lines} == {f"'{name}" for name in names.values()}
    making.write(out, [making.HEADER, *lines])
    assert first(out, draft) == (["UNHCR"], "UNHCR")
