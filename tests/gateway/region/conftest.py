# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.region import AS_OF, Manifest, Rates, create_region
from gateway.region.journeys import Journeys, make_journeys
from gateway.region.papers import Documents, issue_documents
from gateway.region.world import Plan, World, make_world


@dataclass(frozen=True)
class Region:
    folder: Path
    manifest: Manifest
    plan: Plan
    world: World
    journeys: Journeys
    documents: Documents

    def register(self, country: str) -> Path:
        return self.folder / "registers" / f"{country}.sqlite"

    def mapping(self, country: str) -> Path:
        return self.folder / "mappings" / f"{country}.yaml"


@pytest.fixture(scope="session")
def region(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regions") / "region"
    manifest = create_region(folder, persons=3000, seed=7)
    plan = Plan(3000, 7, AS_OF, Rates())
    world = make_world(plan)
    return Region(
        folder, manifest, plan, world, make_journeys(plan, world), issue_documents(plan, world)
    )


@pytest.fixture(scope="session")
def crowd():
    """People and journeys only, enough of them for shares."""
    plan = Plan(40_000, 3, AS_OF, Rates())
    world = make_world(plan)
    return plan, world, make_journeys(plan, world)
