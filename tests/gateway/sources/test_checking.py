# SPDX-License-Identifier: EUPL-1.2
"""`check` finds what a mapping and its live register disagree on, and names the line."""

from __future__ import annotations

import pytest

from gateway.sources import SourceUnavailableError, open_source


def line_of(register, text):
    lines = register.mapping.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


async def told(register):
    source = register.open()
    try:
        return await source.check()
    finally:
        await source.close()


async def test_unlisted_codes_and_unreadable_days_are_warned_of_without_their_values(albania):
    findings = await told(albania)
    warned = {finding.line for finding in findings}
    assert {finding.severity for finding in findings} == {"warning"}
    assert line_of(albania, "biographic.sex: {column: gjinia}") in warned
    assert line_of(albania, "biographic.date_of_birth:") in warned
    assert line_of(albania, "provenance: {column: burimi") in warned
    assert line_of(albania, "nationalities: {table: shtetesi") in warned
    shown = " ".join(map(str, findings))
    for value in ("diku", "tjeter", "???", "Ahmadi"):
        assert value not in shown


@pytest.mark.parametrize(
    ("sql", "text", "says"),
    [
        ("DROP TABLE nevoja", "protection.needs_codes:", "no table nevoja"),
        ("ALTER TABLE shtetesi RENAME COLUMN shteti TO x", "nationalities:", "no column shteti"),
        ("ALTER TABLE dokument RENAME COLUMN i_vlefshem TO x", "table: dokument", "i_vlefshem"),
        ("ALTER TABLE dokument RENAME COLUMN shtetas_nr TO x", "table: dokument", "shtetas_nr"),
        ("ALTER TABLE dokument RENAME COLUMN numri TO x", "doc_number: {column: dok", "numri"),
        ("ALTER TABLE kerkese RENAME COLUMN me TO x", "claim_pending:", "no column me"),
        ("ALTER TABLE shtetas RENAME COLUMN gjurme TO x", "biometric_ref:", "no column gjurme"),
    ],
)
async def test_a_missing_name_is_an_error_at_its_line(albania, sql, text, says):
    albania.run(sql)
    errors = [finding for finding in await told(albania) if finding.severity == "error"]
    assert any(f.line == line_of(albania, text) and says in f.message for f in errors), errors
    assert all(finding.file == albania.mapping for finding in errors)


async def test_a_key_that_is_empty_or_repeated_is_an_error(albania):
    albania.run(
        "CREATE TABLE q AS SELECT * FROM qendra; DROP TABLE qendra; ALTER TABLE q RENAME TO qendra;"
        "INSERT INTO qendra SELECT * FROM qendra; INSERT INTO qendra (emri) VALUES ('pa kod')"
    )
    messages = [f.message for f in await told(albania) if f.severity == "error"]
    assert "qendra.kodi is a key and not unique" in messages
    assert "qendra.kodi is a key and is empty in a row" in messages


async def test_a_well_made_register_has_no_error(source):
    assert [str(f) for f in await source.check() if f.severity == "error"] == []


async def test_a_register_that_is_down_cannot_be_checked(albania, tmp_path):
    source = open_source("AL", f"sqlite:///{tmp_path / 'absent.db'}", albania.mapping)
    with pytest.raises(SourceUnavailableError) as down:
        await source.check()
    assert down.value.reason == "down"
    await source.close()
