# SPDX-License-Identifier: EUPL-1.2
import pytest

from gateway.witness.serving import WitnessFolder
from tests.audit.witnessing import LOG


@pytest.fixture
def folder(tmp_path):
    """A witness that trusts the tests' log."""
    files = WitnessFolder(tmp_path / "witness")
    files.create("witness.example/w1", mldsa=False)
    files.trust(LOG.vkey, country=False)
    return files
