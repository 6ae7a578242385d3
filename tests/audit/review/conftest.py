# SPDX-License-Identifier: EUPL-1.2
"""A small log and its index."""

import pytest

from audit.review.index import Indexer
from audit.review.index_file import create_index, open_index
from tests.audit.review.holding import KEY, UNSEALER, Held, accesses


@pytest.fixture
def held():
    return Held(accesses(60))


@pytest.fixture
def index_place(tmp_path):
    """Where an empty index stands."""
    create_index(tmp_path / "review.idx", KEY)
    return tmp_path / "review.idx"


@pytest.fixture
def index(index_place):
    with open_index(index_place, KEY) as con:
        yield con


@pytest.fixture
def indexer(index):
    return Indexer(index, KEY, UNSEALER)


@pytest.fixture
def indexed(index, indexer, held):
    """The index of the small log."""
    indexer.sync(held)
    return index
