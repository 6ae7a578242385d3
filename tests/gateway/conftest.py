# SPDX-License-Identifier: EUPL-1.2
import pytest

from tests.gateway import house as houses
from tests.gateway.small import vocabulary


@pytest.fixture(scope="session")
def house_template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    houses.prepare(folder, vocabulary().organisations)
    return folder


@pytest.fixture
def house_folder(house_template, tmp_path):
    return houses.copy(house_template, tmp_path / "house")


@pytest.fixture
async def house(house_folder):
    async with houses.running(house_folder) as found:
        yield found
