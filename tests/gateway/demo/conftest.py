# SPDX-License-Identifier: EUPL-1.2
from types import SimpleNamespace

import pytest

from gateway.demo.authorities import AUTHORITIES, create_witnesses, witness_folder
from gateway.demo.server import free_ports, stop, witness_part
from tests.audit.making import SIGNER


@pytest.fixture
def demo(tmp_path):
    """A demonstration's folder with witnesses that follow the tests' log; nothing runs yet."""
    folder = tmp_path / "demo"
    urls = [f"http://127.0.0.1:{port}" for port in free_ports([0] * len(AUTHORITIES))]
    witnesses = dict(zip(AUTHORITIES, urls, strict=True))
    create_witnesses(folder, witnesses, ["BA", "AL"])
    for country in AUTHORITIES:
        witness_folder(folder, country).trust(SIGNER.vkey, country=True)
    parts = [witness_part(folder, country, url) for country, url in witnesses.items()]
    yield SimpleNamespace(folder=folder, witnesses=witnesses, parts=parts)
    stop(folder)
