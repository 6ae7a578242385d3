# SPDX-License-Identifier: EUPL-1.2
"""The same index, whatever kind of copy it was made of: a file, a database, a published folder."""

import pytest

from audit.copies import open_copy
from audit.errors import LogUnavailableError
from audit.note import NoteVerifier
from audit.publish import publish
from audit.review.index import Indexer
from audit.review.index_file import open_index
from audit.review.queries import Filter, find
from audit.review.receipts import receipt_of
from tests.audit.making import ORIGIN, SIGNER, opened
from tests.audit.review.holding import KEY, UNSEALER, accesses

PERSON_3 = Filter(persons=("PERSON-3",))


@pytest.fixture
def filled(place):
    """A log of forty accesses in either store."""
    import asyncio

    async def fill():
        async with opened(place.url) as log:
            await log.append(list(accesses(40)))

    asyncio.run(fill())
    return place.url


def found_in(index_place, copy):
    with open_index(index_place, KEY) as con:
        Indexer(con, KEY, UNSEALER).sync(copy)
        assert Indexer(con, KEY, UNSEALER).verify(copy) == []
        return find(con, KEY, ORIGIN, PERSON_3).entries


def test_a_log_is_indexed_and_proved_from_its_store_and_from_a_folder(
    filled, index_place, tmp_path
):
    with open_copy(filled, ORIGIN) as copy:
        assert found_in(index_place, copy) == (33, 23, 13, 3)
        receipt = receipt_of(copy, 33)
        verifier = NoteVerifier.parse(SIGNER.vkey)
        publish(copy, tmp_path / "log", verifier, details=True, unwitnessed=True)
    with open_copy(str(tmp_path / "log")) as folder:
        assert found_in(index_place, folder) == (33, 23, 13, 3)
        assert receipt_of(folder, 33) == receipt


def test_a_folder_without_details_is_refused(filled, index_place, tmp_path):
    with open_copy(filled, ORIGIN) as copy:
        verifier = NoteVerifier.parse(SIGNER.vkey)
        publish(copy, tmp_path / "log", verifier, unwitnessed=True)
    with (
        open_copy(str(tmp_path / "log")) as folder,
        pytest.raises(LogUnavailableError, match="details"),
    ):
        found_in(index_place, folder)
