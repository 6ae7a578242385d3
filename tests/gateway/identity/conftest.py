# SPDX-License-Identifier: EUPL-1.2
"""What the identity tests share: a forging issuer, a desk, certificates, the real provider."""

from __future__ import annotations

import pytest

from tests.gateway.identity.forge import Desk, Forger, Ticker
from tests.servers.certificates import Authority
from tests.servers.oidc import oidc

__all__ = ["authority", "clock", "desk", "forger", "oidc"]


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def clock():
    return Ticker()


@pytest.fixture
def forger():
    return Forger()


@pytest.fixture
def desk(forger, clock):
    return Desk(forger.config(), clock=clock)
