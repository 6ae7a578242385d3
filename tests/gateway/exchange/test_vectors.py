# SPDX-License-Identifier: EUPL-1.2
"""The vectors of both forms: read or refused as they say, and the published schemas."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from gateway.exchange import EurodacRecord, ExchangeError, UmfMessage, read_eurodac, read_umf
from gateway.exchange.mapping import from_eurodac, from_umf

ROOT = Path(__file__).parents[3]
READERS = {
    "eurodac": lambda data: from_eurodac(read_eurodac(data)),
    "umf": lambda data: from_umf(read_umf(data)),
}
SCHEMAS = {"eurodac": ("eurodac-record", EurodacRecord), "umf": ("umf-message", UmfMessage)}


def vectors(form):
    path = ROOT / f"tests/vectors/exchange/{form}.json"
    return json.loads(path.read_text(encoding="utf-8"))["vectors"]


def published(form):
    path = ROOT / f"docs/formats/{SCHEMAS[form][0]}.schema.json"
    return json.loads(path.read_text(encoding="utf-8"))


CASES = [(form, one) for form in READERS for one in vectors(form)]


@pytest.mark.parametrize(
    ("form", "vector"), CASES, ids=[f"{form}: {one['name']}" for form, one in CASES]
)
def test_a_record_is_read_or_refused_as_its_vector_says(form, vector):
    data = json.dumps(vector["record"]).encode()
    if "fields" in vector:
        assert READERS[form](data) == vector["fields"]
        return
    with pytest.raises(ExchangeError) as caught:
        READERS[form](data)
    assert str(caught.value) == vector["refused"]


@pytest.mark.parametrize(
    ("form", "vector"), CASES, ids=[f"{form}: {one['name']}" for form, one in CASES]
)
def test_the_published_schema_takes_what_its_vector_says(form, vector):
    validator = jsonschema_rs.validator_for(published(form))
    assert validator.is_valid(vector["record"]) is vector["schema"]
    assert vector["schema"] or "refused" in vector


@pytest.mark.parametrize("form", READERS)
def test_the_example_of_the_page_is_read(form):
    page = (ROOT / f"docs/formats/{SCHEMAS[form][0]}.md").read_text(encoding="utf-8")
    example = page.partition("```json\n")[2].partition("```")[0]
    assert READERS[form](example.encode())["persons.direct_identifier.surnames"] == "Kazmi"


@pytest.mark.parametrize("form", READERS)
def test_the_published_schema_is_that_of_the_code(form):
    document = published(form)
    assert document.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
    assert document == SCHEMAS[form][1].model_json_schema()
