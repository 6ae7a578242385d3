# SPDX-License-Identifier: EUPL-1.2
"""Persons by surrogate, as a case number or a blind index leads to them."""

import sqlite3
from contextlib import closing

import pytest

from gateway.registers import known_fields
from gateway.sources import BySurrogates, Fetch, Limits, SourceQuestionError, open_source
from gateway.sources.register import DatabaseRegister
from policies import example_rules, load_rules
from tests.gateway.house import today
from tests.gateway.small import (
    OTHER,
    PERSON,
    SURROGATES,
    create_region,
    create_register,
    vocabulary,
)

NOBODY = bytes(16)


def wanted(*surrogates):
    return Fetch(
        "registrations",
        frozenset({"record.registered_at"}),
        frozenset({"date_of_birth"}),
        BySurrogates(surrogates),
        today(),
        10,
    )


@pytest.fixture
async def small(tmp_path):
    create_region(tmp_path)
    source = open_source(
        "BA",
        f"sqlite:///{tmp_path}/registers/BA.sqlite",
        tmp_path / "mappings/BA.yaml",
        Limits(timeout_s=5.0),
        fields=known_fields(load_rules(example_rules(), on=today())),
    )
    source.path = tmp_path / "registers/BA.sqlite"
    yield source
    await source.close()


async def test_several_surrogates_find_their_persons_and_strangers_find_nobody(small):
    known = [bytes.fromhex(SURROGATES[ref]) for ref in (PERSON, OTHER)]
    page = await small.fetch(wanted(*known, NOBODY))
    assert {record.person for record in page.records} == {PERSON, OTHER}
    assert {record.surrogate for record in page.records} == set(known)
    assert (await small.fetch(wanted(NOBODY))).records == ()


@pytest.mark.parametrize("surrogates", [(b"short",), (NOBODY,) * 65])
async def test_what_is_no_surrogate_or_too_many_is_refused(small, surrogates):
    with pytest.raises(SourceQuestionError):
        await small.fetch(wanted(*surrogates))


async def test_a_register_is_searched_by_the_surrogates_index_and_never_read_through(
    small, monkeypatch
):
    statements = []
    plan = DatabaseRegister._plan

    def noted(self, *rest):
        made = plan(self, *rest)
        statements.append(made.sql)
        return made

    monkeypatch.setattr(DatabaseRegister, "_plan", noted)
    await small.fetch(wanted(*[bytes([n]) * 16 for n in range(16)]))
    larger = small.path.with_name("larger.sqlite")
    create_register(vocabulary(), larger, [f"q{number:015d}" for number in range(400)])
    with closing(sqlite3.connect(larger)) as connection:
        connection.execute("CREATE UNIQUE INDEX one ON person (surrogate)")
        connection.execute("CREATE UNIQUE INDEX two ON person (id)")
        connection.execute("CREATE UNIQUE INDEX three ON registrations (id)")
        connection.execute("CREATE INDEX four ON registrations (person)")
        connection.execute("ANALYZE")
        values = [str(n) for n in range(60)][: statements[0].count("?")]
        values[-2:] = [10, 0]
        steps = [
            row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statements[0]}", values)
        ]
    assert not [step for step in steps if step.startswith("SCAN")], steps
