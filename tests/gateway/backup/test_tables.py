# SPDX-License-Identifier: EUPL-1.2
"""Rows go from any of the gateway's databases into any other, whole or not at all."""

import asyncio
import uuid
from datetime import date

import pytest
from sqlalchemy import insert, select

from gateway.backup.manifest import KeepingError
from gateway.backup.tables import (
    Database,
    file_of,
    holds_already,
    is_empty,
    keep_tables,
    restore_tables,
)
from gateway.state import CASE_NUMBER, METADATA, RULE_USE
from gateway.store import Store, StoreError


def database(url):
    return Database("state", url, METADATA)


@pytest.fixture(params=["sqlite", "postgres"])
def new_place(request, tmp_path):
    """Gives addresses of empty databases."""

    def sqlite():
        return database(f"sqlite:///{tmp_path}/{uuid.uuid4().hex}.sqlite")

    def postgres():
        server = request.getfixturevalue("postgres")
        return database(server.url(server.new_database(f"kept{uuid.uuid4().hex[:8]}"), driver=""))

    return sqlite if request.param == "sqlite" else postgres


@pytest.fixture
def filled(new_place):
    found = new_place()
    Store.create(found.url, METADATA, name="state")

    async def fill():
        store = Store(found.url, name="state")
        row = {"domain": "BA|x", "case_no": "Č-1", "pseudonym": bytes(range(16))}
        await store.run(lambda con: con.execute(insert(CASE_NUMBER), [row]))
        use = {"term": "t", "uses": 3, "last_use": date(2026, 11, 24)}
        await store.run(lambda con: con.execute(insert(RULE_USE), [use]))
        await store.close()

    asyncio.run(fill())
    return found


def rows(found):
    async def read():
        store = Store(found.url, name="state")
        try:
            return await store.run(
                lambda con: [
                    tuple(row)
                    for table in (CASE_NUMBER, RULE_USE)
                    for row in con.execute(select(table))
                ]
            )
        finally:
            await store.close()

    return asyncio.run(read())


def test_rows_come_back_in_the_same_and_in_another_kind_of_database(filled, new_place, tmp_path):
    counts = keep_tables(filled, tmp_path)
    assert (counts["case_number"], counts["rule_use"], counts["used_token"]) == (1, 1, 0)
    for other in (new_place(), database(f"sqlite:///{tmp_path}/other.sqlite")):
        assert is_empty(other)
        restore_tables(other, tmp_path)
        assert rows(other) == rows(filled)
        assert holds_already(other, tmp_path)
        assert not is_empty(other)


def test_other_rows_are_told_from_those_of_the_backup(filled, new_place, tmp_path):
    keep_tables(filled, tmp_path)
    other = new_place()
    Store.create(other.url, METADATA, name="state")
    assert not holds_already(other, tmp_path)


def test_a_row_that_does_not_fit_leaves_no_table(filled, new_place, tmp_path):
    keep_tables(filled, tmp_path)
    path = tmp_path / file_of(filled, "case_number")
    path.write_bytes(path.read_bytes() * 2)  # breaks the primary key in the middle of the restore
    other = new_place()
    with pytest.raises(StoreError):
        restore_tables(other, tmp_path)
    assert is_empty(other)
    path.write_bytes(b'["too","short"]\n')
    with pytest.raises(KeepingError, match="another version"):
        restore_tables(other, tmp_path)
