# SPDX-License-Identifier: EUPL-1.2
"""The ministers' question in the demonstration's region, with its nine schemas and spellings."""

import shutil
import sqlite3
from contextlib import closing

import pytest
import pytest_asyncio

from gateway.demo.linkage import blind, index_all, subject_of, travellers
from gateway.linkage.persons import DATASET, PERSON_FIELDS, persons_of
from gateway.region import create_region
from gateway.settings import load_settings
from gateway.sources import ByReference, Fetch
from tests.gateway import house as houses
from tests.gateway.house import today
from tests.gateway.linkage.looking import AWAY, consult, flag, officer, rows

NAMESAKES = """
    SELECT seen.country, seen.person_key, other.country
    FROM person b JOIN person a ON b.namesake_of = a.person
    JOIN appearance seen ON seen.person = a.person JOIN appearance other ON other.person = b.person
    WHERE NOT EXISTS (
        SELECT 1 FROM appearance own WHERE own.person = a.person AND own.country = other.country
    )"""


@pytest.fixture(scope="module")
def region_template(house_template, tmp_path_factory):
    folder = houses.copy(house_template, tmp_path_factory.mktemp("demo-region"))
    shutil.rmtree(folder / "region")
    create_region(folder / "region", persons=2_000, seed=2026, as_of=today())
    index_all(load_settings(folder / "cuvar.toml"), folder)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def region(region_template):
    async with houses.running(region_template) as house:
        yield house


@pytest.mark.asyncio(loop_scope="module")
async def test_one_spelling_here_another_there_and_a_first_of_january_are_found(region):
    token = await officer(region)
    settings = load_settings(region.folder / "cuvar.toml")
    found = await travellers(settings, region.folder, today())
    assert found, "the region has nobody fit; look at its seed"
    for someone in found:
        made = blind(region.folder, someone.here)
        answer = await region.ask("find", flag(blinded=made["blinded"]), token=token)
        told = {part["owner"]: part for part in answer.json()["owners"]}
        assert told["RS"]["flag"] in {"strong", "possible"}
        (row, *_) = [row for result in told["RS"]["results"] for row in result["rows"]]
        asked = consult(row["token"], made["subject"], "RS", salt=made["salt"])
        answer = await region.ask("consult", asked, token=token)
        match = answer.json()["owners"][0]["match"]
        assert match["grade"] == "strong", match
        (held, *_) = rows(answer)
        assert held["biographic.date_of_birth"] == someone.there["date_of_birth"]


async def _asked_as(region, country, key):
    source = region.runtime.sources[country]
    fields = PERSON_FIELDS & source.datasets[DATASET]
    selector = ByReference("person", key)
    page = await source.fetch(Fetch(DATASET, fields, frozenset(), selector, today(), 2))
    return [subject_of(persons_of(record.values)[0]) for record in page.records[:1]]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_stranger_of_the_same_name_and_year_is_not_graded_strong(region):
    token = await officer(region)
    with closing(sqlite3.connect(region.folder / "region/truth.sqlite")) as truth:
        pairs = [pair for pair in truth.execute(NAMESAKES) if pair[2] in AWAY]
    tried = 0
    for country, key, other in pairs:
        for subject in await _asked_as(region, country, key):
            if "date_of_birth" not in subject and "document_number" not in subject:
                continue
            made = blind(region.folder, subject)
            answer = await region.ask(
                "find", flag(owners=[other], blinded=made["blinded"]), token=token
            )
            (part,) = answer.json()["owners"]
            assert part["flag"] in {"none", "possible"}, (country, key, other)
            tried += 1
            for row in rows(answer):
                asked = consult(row["token"], made["subject"], other, salt=made["salt"])
                first = await region.ask("consult", asked, token=token)
                assert first.json()["owners"][0]["match"]["grade"] != "strong"
                assert rows(first) == []
    assert tried >= 5


def test_neither_an_index_file_nor_the_gateways_database_holds_a_name_of_the_region(
    region_template,
):
    with closing(sqlite3.connect(region_template / "region/truth.sqlite")) as truth:
        names = {
            name.encode()
            for pair in truth.execute("SELECT surname, forename FROM person")
            for name in pair
            if len(name) >= 6
        }
    kept = b"".join(path.read_bytes() for path in (region_template / "index").iterdir())
    kept += b"".join(path.read_bytes() for path in region_template.glob("state.sqlite*"))
    assert not [name for name in names if name in kept or name.upper() in kept]
