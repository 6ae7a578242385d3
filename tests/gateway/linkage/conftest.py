# SPDX-License-Identifier: EUPL-1.2
import pytest

from tests.gateway import house as houses
from tests.gateway.linkage.looking import AWAY, index, populate


@pytest.fixture
async def looking(house_folder):
    """A running gateway that all countries but Austria have sent their index to."""
    populate(house_folder)
    await index(house_folder, *(country for country in AWAY if country != "AT"), "HR")
    async with houses.running(house_folder) as house:
        yield house
