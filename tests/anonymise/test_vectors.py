# SPDX-License-Identifier: EUPL-1.2
"""The published vectors, made by a second implementation of the formulas in docs/formats."""

import base64
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from anonymise import (
    Anonymity,
    CaseNumberError,
    Domain,
    PseudonymError,
    ViewContext,
    compile_view,
    format_case_no,
    parse_case_no,
)
from anonymise.keyring.derivation import (
    CODE_LABEL,
    PSEUDONYM_LABEL,
    domain_info,
    expand,
    extract,
)
from anonymise.keyring.document import unseal_keyset
from anonymise.treatment import TREATMENTS
from tests.anonymise.backends import BOTH, backend

VECTORS = Path(__file__).parents[1] / "vectors" / "anonymise"


def read(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


PSEUDONYM, CASE_NO = read("pseudonym.json"), read("case_number.json")
VIEWS, KEYSET = read("views.json"), read("keyset.json")
CROWDS = read("crowds.json")
ROOT = extract(bytes.fromhex(PSEUDONYM["root_key"]))
BOTH_KEYRINGS = pytest.mark.parametrize("keyring", BOTH, indirect=True)


@pytest.fixture(scope="module")
def keyring(request, tmp_path_factory):
    countries = {vector["country"] for vector in PSEUDONYM["domains"]}
    place = backend(request.param, tmp_path_factory.mktemp("keyset"))
    return place.holding(dict.fromkeys(countries, ROOT))


def domain_of(vector):
    return Domain(vector["country"], vector["recipient"], vector["purpose"], vector["epoch"])


def value_of(written):
    if isinstance(written, dict):
        return date.fromisoformat(written["date"])
    return tuple(written) if isinstance(written, list) else written


@pytest.mark.parametrize("vector", PSEUDONYM["domains"])
def test_keys_of_a_domain_are_as_published(vector):
    domain = domain_of(vector)
    for use, label in (("pseudonym", PSEUDONYM_LABEL), ("code", CODE_LABEL)):
        assert domain_info(domain, label).hex() == vector[f"{use}_info"]
        assert expand(ROOT, domain_info(domain, label)).hex() == vector[f"{use}_key"]


@pytest.mark.parametrize("vector", PSEUDONYM["domains"])
@BOTH_KEYRINGS
def test_pseudonyms_and_codes_are_as_published(keyring, vector):
    cipher = keyring.domain_cipher(domain_of(vector))
    for pair in vector["pseudonyms"]:
        surrogate, pseudonym = (bytes.fromhex(pair[key]) for key in ("surrogate", "pseudonym"))
        assert cipher.pseudonym(surrogate) == pseudonym
        assert cipher.reverse(pseudonym) == surrogate
    for coded in vector["codes"]:
        assert cipher.code(coded["field"], coded["value"]) == coded["code"]


@pytest.mark.parametrize("written", PSEUDONYM["refused_surrogates"])
@BOTH_KEYRINGS
def test_a_surrogate_of_another_length_is_refused_as_published(keyring, written):
    cipher = keyring.domain_cipher(domain_of(PSEUDONYM["domains"][0]))
    with pytest.raises(PseudonymError):
        cipher.pseudonym(bytes.fromhex(written))


@pytest.mark.parametrize("vector", CASE_NO["written"])
def test_a_case_number_is_written_and_read_as_published(vector):
    assert format_case_no(vector["country"], vector["number"]) == vector["text"]
    read_back = parse_case_no(vector["text"])
    assert (read_back.country, read_back.number) == (vector["country"], vector["number"])


@pytest.mark.parametrize("vector", CASE_NO["read"])
def test_tolerant_reading_is_as_published(vector):
    found = parse_case_no(vector["text"])
    assert (found.country, found.number) == (vector["country"], vector["number"])


@pytest.mark.parametrize("vector", CASE_NO["refused"], ids=lambda vector: vector["why"])
def test_a_wrong_case_number_is_refused_as_published(vector):
    with pytest.raises(CaseNumberError, match="ask for it again"):
        parse_case_no(vector["text"])


@pytest.mark.parametrize("vector", VIEWS["treatments"])
def test_a_treatment_gives_what_is_published(vector):
    written = vector["context"]
    context = ViewContext(
        today=date.fromisoformat(written["today"]),
        counts=written.get("counts", {}),
        places=written.get("places", {}),
    )
    row = {field: value_of(value) for field, value in vector["row"].items()}
    [treated] = TREATMENTS[vector["treatment"]].column(vector["field"], [row], context)
    assert treated == value_of(vector["output"])


@pytest.mark.parametrize("vector", CROWDS["crowds"], ids=lambda vector: vector["why"])
def test_a_crowd_is_told_as_published(vector):
    plan = compile_view("generalised", CROWDS["fields"])
    assert list(plan.outputs) == CROWDS["outputs"]
    rows = [
        dict(
            zip(
                CROWDS["fields"],
                (age, sex, date.fromisoformat(day), value_of(needs), alert),
                strict=True,
            )
        )
        for age, sex, day, needs, alert in vector["rows"]
    ]
    context = ViewContext(
        today=date.fromisoformat(CROWDS["today"]), anonymity=Anonymity(vector["k"], vector["l"])
    )
    crowd = plan.gather(rows, vector["persons"], context, named=vector["named"])
    assert list(crowd.steps) == vector["steps"]
    told = plan.told(rows, replace(context, crowd=crowd))
    assert [row and list(row.values()) for row in told] == vector["told"]


def test_every_treatment_has_a_vector_but_those_without_an_own_value():
    told = {vector["treatment"] for vector in VIEWS["treatments"]}
    assert set(TREATMENTS) - told == {"keep", "drop", "case_no", "coded"}


def test_the_published_keyset_opens():
    document = json.dumps(KEYSET["document"]).encode()
    keyset = unseal_keyset(document, KEYSET["passphrase"])
    assert {name: held[0].secret for name, held in keyset.roots.items()} == {
        name: extract(bytes.fromhex(key)) for name, key in KEYSET["roots"].items()
    }
    inner = json.loads(KEYSET["inner"])
    assert {name: base64.b64decode(entry["key"]).hex() for name, entry in inner.items()} == (
        KEYSET["roots"]
    )
