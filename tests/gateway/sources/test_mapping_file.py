# SPDX-License-Identifier: EUPL-1.2
"""Mapping files: what is read, and that every broken line is named (docs/formats/mapping.md)."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sources import TRAITS, MappingError, load_mapping
from gateway.sources.codes import COMMON
from gateway.sources.mapping_file import SEARCHES
from gateway.sources.reading import MAX_BYTES
from policies import load_rules

_ROOT = Path(__file__).parents[3]
_VECTORS = json.loads((_ROOT / "tests/vectors/mapping/refused.json").read_text(encoding="utf-8"))
_PAGE = (_ROOT / "docs/formats/mapping.md").read_text(encoding="utf-8")
_REGISTERS = sorted((Path(__file__).parent / "registers").glob("*.yaml"))
_FIELDS = {
    "persons": {
        *("direct_identifier.surnames", "direct_identifier.aliases", "biographic.sex"),
        *("biographic.nationalities", "biographic.date_of_birth", "document.doc_alert"),
        "document.doc_number",
    },
    "registrations": {"record.reference_number"},
    "stays": {"accommodation.room"},
    "centres": {"aggregate.centre_id"},
    "statistics": {"aggregate.arrivals"},
    "log": {"log_envelope.entry"},
}
FIELDS = {dataset: frozenset(names) for dataset, names in _FIELDS.items()}


def refused(path, text, known=FIELDS):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as error:
        load_mapping(path, known)
    return error.value.problems


@pytest.mark.parametrize("case", _VECTORS, ids=lambda case: case["name"])
def test_each_broken_file_is_refused_at_its_line(case, tmp_path):
    problems = refused(tmp_path / "m.yaml", case["file"])
    assert [p for p in problems if p.line == case["line"] and case["says"] in p.message], problems
    assert all(p.file == tmp_path / "m.yaml" for p in problems)


def test_every_problem_is_told_at_once(tmp_path):
    text = (
        _VECTORS[-2]["file"].replace("format: 1", "format: 9").replace("country: RS", "country: r")
    )
    lines = [problem.line for problem in refused(tmp_path / "m.yaml", text)]
    assert lines[:2] == [1, 2]
    assert len(lines) >= 3
    assert lines == sorted(lines)


def test_a_file_that_is_too_large_not_text_or_not_there_is_refused(tmp_path):
    path = tmp_path / "m.yaml"
    assert "larger" in refused(path, "# " + "x" * MAX_BYTES)[0].message
    path.write_bytes(b"format: 1\ncountry: \xff\n")
    with pytest.raises(MappingError, match=r"m\.yaml:2: not UTF-8"):
        load_mapping(path)
    with pytest.raises(MappingError, match="cannot be read"):
        load_mapping(tmp_path / "absent.yaml")


def test_deep_nesting_is_refused(tmp_path):
    assert "nested" in refused(tmp_path / "m.yaml", "a: " + "[" * 40 + "]" * 40)[0].message


def test_the_page_s_own_example_is_read(tmp_path):
    example = re.search(r"```yaml\n(.*?)```", _PAGE, re.DOTALL).group(1)
    path = tmp_path / "rs.yaml"
    path.write_text(example, encoding="utf-8")
    mapping = load_mapping(path, FIELDS)
    assert mapping.country == "RS"
    assert mapping.datasets.keys() == {"persons", "registrations", "centres"}
    assert mapping.datasets["persons"].table == "лице"


@pytest.mark.parametrize("path", _REGISTERS, ids=lambda path: path.stem)
def test_the_tests_own_mappings_fit_the_real_vocabulary(path):
    from datetime import date

    snapshot = load_rules(_ROOT / "policies" / "rules", on=date(2026, 11, 24))
    known = {
        name: frozenset(f"{c.name}.{f}" for c in dataset.categories.values() for f in c.fields)
        for name, dataset in snapshot.vocabulary.datasets.items()
    }
    assert load_mapping(path, known).datasets


def test_the_page_names_every_trait_search_and_code():
    named = set(re.findall(r"`(\w+)`", _PAGE))
    assert named >= set(TRAITS)
    assert named >= set(SEARCHES)
    assert named >= set(COMMON)
    for name, codes in COMMON.items():
        row = re.search(rf"\| `{name}` \| (.*) \|", _PAGE).group(1)
        if name != "country":
            assert set(row.split()) == codes


def test_a_loaded_mapping_cannot_be_changed():
    mapping = load_mapping(_REGISTERS[0])
    for field in fields(mapping):
        with pytest.raises(AttributeError):
            setattr(mapping, field.name, None)


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data, tmp_path_factory):
    lines = _REGISTERS[0].read_text(encoding="utf-8").splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    damage = data.draw(st.text(max_size=20) | st.sampled_from(["", "- x", "a: b", "{", "? [a]: b"]))
    lines[place] = damage
    path = tmp_path_factory.mktemp("m") / "m.yaml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    with suppress(MappingError):
        load_mapping(path)
