# SPDX-License-Identifier: EUPL-1.2
import asyncio

import pytest

from tests.gateway import house as houses
from tests.gateway.linkage.looking import AWAY, index, populate


@pytest.fixture(scope="session")
def looking_template(house_template, tmp_path_factory):
    """All countries but Austria have sent their index; made once and copied for each test."""
    folder = houses.copy(house_template, tmp_path_factory.mktemp("looking"))
    populate(folder)
    asyncio.run(index(folder, *(country for country in AWAY if country != "AT"), "HR"))
    return folder


@pytest.fixture
def looking_folder(looking_template, tmp_path):
    return houses.copy(looking_template, tmp_path / "house")


@pytest.fixture
async def looking(looking_folder):
    """A running gateway whose index finds the persons of its registers."""
    async with houses.running(looking_folder) as house:
        yield house
