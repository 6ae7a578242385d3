# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review …` on a copy, as an officer types it."""

import asyncio
import json

from audit import verify_receipt
from audit.errors import AuditError, LogExistsError, LogUnavailableError, SealError
from audit.merkle import leaf_hash
from audit.note import NoteVerifier
from gateway.commands.review.filters import MomentError
from tests.audit.making import ORIGIN, SIGNER, opened
from tests.audit.review.holding import erasure


def numbers(pages):
    return [entry["index"] for page in pages for entry in page["entries"]]


def test_an_index_is_built_synced_and_checked(indexed):
    (state,) = indexed.ask("index", "status", "--json")["logs"]
    assert (state["log"], state["indexed"], state["copy"]) == (ORIGIN, 40, 40)
    assert indexed.ask("index", "sync", "--json")[0]["added"] == 0
    assert indexed.ask("index", "verify", "--json") == {ORIGIN: []}
    assert "40 entries indexed, 40 in the copy" in indexed.ask("index", "status")
    assert isinstance(indexed.run("index", "build").exception, LogExistsError)


def test_entries_are_found_with_what_is_open_of_them(indexed):
    asked = ("find", "--officer", "officer-1", "--purpose", "border_check")
    found = indexed.ask(*asked, "--json")
    assert numbers(found) == [n for n in reversed(range(40)) if n % 3 == 1 and n % 5]
    assert found[0]["entries"][0]["detail"]["case_no"] == "CASE/37"
    page = indexed.ask(*asked, "--limit", "2")
    assert "officer officer-1, unit unit-1, case_no CASE/37" in page
    assert "reason: free text that nobody may search" in page
    assert "--before 34" in page
    assert numbers(indexed.ask(*asked, "--limit", "1", "--before", "34", "--json")) == [31]


def test_entries_are_counted_and_found_by_time(indexed):
    counted = indexed.ask("find", "--decision", "deny", "--count", "--json")
    assert counted == [{"log": ORIGIN, "count": 10}]
    assert numbers(indexed.ask("find", "--since", "2027-01-01", "--json")) == []
    assert len(numbers(indexed.ask("find", "--since", "2026-11-24", "--json"))) == 40
    assert isinstance(indexed.run("find", "--since", "yesterday").exception, MomentError)


def test_another_officers_key_searches_nothing(indexed):
    indexed.officer = "HR"
    assert isinstance(indexed.run("find").exception, SealError)


def test_a_saved_look_up_is_used_by_its_name(indexed):
    indexed.ask("saved", "add", "three", "--person", "PERSON-3")
    assert indexed.ask("saved", "list", "--json") == {"three": {"persons": ["PERSON-3"]}}
    assert "three: " in indexed.ask("saved", "list")
    assert numbers(indexed.ask("find", "--saved", "three", "--json")) == [33, 23, 13, 3]
    indexed.ask("saved", "remove", "three")
    assert isinstance(indexed.run("find", "--saved", "three").exception, AuditError)


def test_a_sync_forgets_what_was_erased(indexed):
    async def erase():
        async with opened(indexed.url) as log:
            await log.erase_details([33])
            await log.append([erasure("33")])

    asyncio.run(erase())
    assert indexed.ask("index", "sync", "--json")[0]["forgotten"] == 1
    assert numbers(indexed.ask("find", "--person", "PERSON-3", "--json")) == [23, 13, 3]
    assert indexed.ask("index", "verify", "--json") == {ORIGIN: []}
    assert indexed.ask("index", "sync", "--sweep", "--json")[0]["forgotten"] == 0


def test_an_index_that_was_changed_does_not_pass_its_check(indexed):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(indexed.folder / "ba.idx")) as con:
        con.execute("DELETE FROM word WHERE term = 'decision=deny'")
        con.commit()
    done = indexed.run("index", "verify")
    assert done.exit_code == 1
    assert "the word decision=deny" in done.output


def test_the_month_is_reported_from_the_parquet_files(office):
    folder = str(office.folder / "months")
    assert office.ask("export", "parquet", folder, "--json")[0]["added"] == 40
    assert "0 entries into no month" in office.ask("export", "parquet", folder)
    (told,) = office.ask("report", "month", folder, "--month", "2026-11", "--json")
    assert told["counts"]["by purpose"] == {"border_check": 32, "law_enforcement": 8}
    assert "| border_check | 32 |" in office.ask("report", "month", folder, "--country", "BA")
    wrong = office.run("report", "month", folder, "--month", "../x")
    assert isinstance(wrong.exception, MomentError)


def test_the_law_enforcement_report_is_made_from_a_copy(office):
    period = ("--country", "BA", "--since", "2026-07-01", "--until", "2027-01-01", "--seed", "s")
    told = office.ask("report", "law-enforcement", *period, "--sample", "3", "--json")
    assert (told["entries"], told["opened"], len(told["sample"])) == (8, 8, 3)
    assert "# Law-enforcement requests, BA" in office.ask("report", "law-enforcement", *period)


def test_a_person_gets_a_list_that_a_court_can_check(indexed):
    proofs = indexed.folder / "proofs"
    asked = ("disclosures", "--person", "PERSON-3")
    told = indexed.ask(*asked, "--receipts", str(proofs), "--json")
    assert [line["index"] for line in told["lines"]] == [13, 33]  # 3 and 23 were refused
    verifier = NoteVerifier.parse(SIGNER.vkey)
    leaves = leaves_of(indexed)
    for line in told["lines"]:
        receipt = (proofs / line["receipt_name"]).read_bytes()
        leaf = leaves[line["index"]]
        assert verify_receipt(receipt, leaf, verifier, ORIGIN)[0] == line["index"]
    page = indexed.ask(*asked)
    assert "border_check" in page
    assert "officer-" not in page
    assert "officer-1" in indexed.ask(*asked, "--with-officers")


def leaves_of(office):
    from audit.copies import open_copy

    with open_copy(office.url, ORIGIN) as copy:
        return [leaf_hash(data) for _, data in copy.envelopes(0, 40)]


def test_the_officer_learns_whom_a_rectification_must_reach(indexed):
    (found,) = indexed.ask("disclosures", "--person", "PERSON-3", "--recipients", "--json")
    assert (found["org"], found["country"], found["restricted"]) == ("HR-BP", "HR", False)
    page = indexed.ask("disclosures", "--person", "PERSON-5", "--recipients")
    assert "(law enforcement: for you alone)" in page


def test_an_export_to_ocsf_is_one_event_a_line(office):
    lines = office.ask("export", "ocsf", "--from", "38").splitlines()
    assert [json.loads(line)["metadata"]["sequence"] for line in lines] == [38, 39]
    assert "PERSON" not in office.ask("export", "ocsf")
    assert office.ask("export", "ocsf", "--from", "99") == ""


def test_without_an_index_the_message_says_how_to_make_one(office):
    failed = office.run("find").exception
    assert isinstance(failed, LogUnavailableError)
    assert "cuvar review index build" in str(failed)
