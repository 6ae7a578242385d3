# SPDX-License-Identifier: EUPL-1.2
import shutil

import pytest

from tests.gateway import house as houses
from tests.gateway import signing


@pytest.fixture(scope="session")
def rule_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rule-keys")
    signing.make_keys(folder)
    return folder


@pytest.fixture(scope="session")
def signed_template(tmp_path_factory, rule_keys):
    return signing.signed_rules(tmp_path_factory.mktemp("signed") / "rules", rule_keys)


@pytest.fixture
def rules(signed_template, tmp_path):
    """A signed copy of the example rules that a test may spoil."""
    return shutil.copytree(signed_template, tmp_path / "rules")


@pytest.fixture
def signed_folder(house_folder, rules, rule_keys):
    """A house whose gateway takes only signed rules, from `rules` and the staged `next`."""
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(signing.settings_text(text, [rules], rule_keys), encoding="utf-8")
    return house_folder


@pytest.fixture
async def signed_house(signed_folder):
    async with houses.running(signed_folder) as house:
        yield house
