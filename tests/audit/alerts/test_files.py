# SPDX-License-Identifier: EUPL-1.2
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.alerts import COLUMNS, load_context
from audit.errors import ContextError

PAGE = Path(__file__).parents[3] / "docs/formats/review-context.md"
CANARY = "Zvoncicanary"


def write(folder, name, *rows):
    text = "\n".join([",".join(COLUMNS[name]), *rows]) + "\n"
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")


GOOD = {
    "protected": "BA,p-9,AB123,Đurić,Ana,1990-02-01",
    "officers": "officer-1,unit-a,BA,p-1,,Kovač,Ivo,1980-01-01",
    "relatives": "officer-1,,,,Kovač,Eva,",
    "surnames": "Kovač,400",
    "rosters": "officer-1,2026-11-24T06:00+01:00,2026-11-24T14:00+01:00",
    "swaps": "officer-1,2026-11-24T14:00Z,2026-11-24T22:00Z",
    "vetting": ",unit-a,2026-01-01,2026-12-31",
    "campaigns": ",unit-a,asylum_procedure,2026-01-01,2026-12-31",
    "orders": "officer-1,,readmission,2026-01-01,9999-12-31",
    "postings": "officer-1,unit-b,2026-01-01,2026-12-31",
    "cases": "Case-1,officer-1,,BA,p-9,2026-01-01,2026-12-31",
    "actions": "Case-1,2026-11-24T12:00Z",
    "reasons": "audit.example/BA/2026h2,17,BA-2026-4711",
}


def test_a_whole_folder_is_read(tmp_path):
    for name, row in GOOD.items():
        write(tmp_path, name, row)
    context = load_context(tmp_path)
    assert context.protected[0].named.surnames == "duric"
    assert context.officers[0].person.reference == "p-1"
    assert context.surnames == {"kovac": 400}
    assert context.rosters[0].span.start == datetime(2026, 11, 24, 5, tzinfo=UTC)
    assert context.vetting[0].span.end == datetime(2027, 1, 1, tzinfo=UTC)
    assert context.cases[0].case_no == "CASE1"
    assert context.actions == {"CASE1": (datetime(2026, 11, 24, 12, tzinfo=UTC),)}
    assert context.reasons == {("audit.example/BA/2026h2", 17)}
    assert None not in (context.swaps, context.campaigns, context.orders, context.postings)
    assert context.relatives[0].person.named.forenames == "eva"


def test_a_missing_file_is_unknown_and_an_empty_one_says_none(tmp_path):
    assert load_context(tmp_path).cases is None
    write(tmp_path, "cases")
    assert load_context(tmp_path).cases == ()


BAD = [
    ("protected", f",,,{CANARY},,", "say who"),
    ("protected", f"BA,,,{CANARY},{CANARY},", "belong together"),
    ("protected", f"ba,{CANARY},,,,", "country code"),
    ("protected", f",,,{CANARY},,1990-13-01", "born is a date"),
    ("protected", f",,,{CANARY},,19900201", "born is a date"),
    ("officers", f",unit-a,,,,{CANARY},,", "officer is needed"),
    ("relatives", f"{CANARY},,,,,,", "say who"),
    ("surnames", f"{CANARY},often", "one_in"),
    ("surnames", f"{CANARY},0", "one_in"),
    ("surnames", "--,5", "no letter"),
    ("rosters", f"{CANARY},2026-11-24T06:00,2026-11-24T14:00", "from is a day"),
    ("rosters", f"{CANARY},2026-11-24T14:00Z,2026-11-24T06:00Z", "not after"),
    ("swaps", ",2026-11-24T14:00Z,2026-11-24T16:00Z", "officer is needed"),
    ("vetting", ",,2026-01-01,2026-12-31", "which officer or unit"),
    ("campaigns", ",,readmission,2026-01-01,2026-12-31", "which officer or unit"),
    ("orders", f"{CANARY},,,2026-01-01,2026-12-31", "purpose is needed"),
    ("postings", f"{CANARY},,2026-01-01,2026-12-31", "unit is needed"),
    ("cases", f"{CANARY},,,,,2026-01-01,2026-12-31", "to which officer"),
    ("cases", "1,o,,BA,,2026-01-01,2026-12-31", "belong together"),
    ("actions", f"{CANARY},yesterday", "at is a"),
    ("reasons", f"{CANARY},x,1", "number of an entry"),
    ("reasons", f"{CANARY},1,", "file is needed"),
    ("reasons", f"{CANARY},1", "3 cells"),
]


@pytest.mark.parametrize(("name", "row", "words"), BAD)
def test_a_wrong_row_is_refused_with_file_and_line_and_without_its_value(
    tmp_path, name, row, words
):
    write(tmp_path, name, GOOD[name], row)
    with pytest.raises(ContextError) as caught:
        load_context(tmp_path)
    told = str(caught.value)
    assert told.startswith(f"{name}.csv:3: ")
    assert words in told
    assert CANARY not in told


@pytest.mark.parametrize(
    "text",
    ["", "officer,to,from\n", "officer,from,to,more\n", "officer;from;to\n"],
)
def test_other_columns_are_refused(tmp_path, text):
    (tmp_path / "swaps.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ContextError, match=r"swaps\.csv:1: the columns are officer,from,to"):
        load_context(tmp_path)


def test_a_file_of_another_name_or_encoding_or_no_folder_is_refused(tmp_path):
    with pytest.raises(ContextError, match="is no folder"):
        load_context(tmp_path / "nowhere")
    (tmp_path / "swaps.csv").write_bytes(b"officer,from,to\n\xff\xfe,,\n")
    with pytest.raises(ContextError, match="UTF-8"):
        load_context(tmp_path)
    (tmp_path / "swaps.csv").write_text('officer,from,to\n"a', encoding="utf-8")
    with pytest.raises(ContextError, match="no row of a CSV"):
        load_context(tmp_path)
    (tmp_path / f"{CANARY}.csv").write_text("x\n", encoding="utf-8")
    with pytest.raises(ContextError, match="1 files") as caught:
        load_context(tmp_path)
    assert CANARY not in str(caught.value)


def test_every_file_and_column_is_in_the_format_page():
    page = PAGE.read_text(encoding="utf-8")
    for name, columns in COLUMNS.items():
        assert f"| `{name}.csv` | `{','.join(columns)}` |" in page
