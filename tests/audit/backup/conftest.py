# SPDX-License-Identifier: EUPL-1.2
import pytest

from tests.audit.conftest import _postgres, _sqlite


@pytest.fixture(params=["into sqlite", "into postgres"])
def elsewhere(request, tmp_path):
    """A place where no log was created, of either store, beside the one that is kept."""
    if request.param == "into sqlite":
        (tmp_path / "elsewhere").mkdir()
        return _sqlite(tmp_path / "elsewhere")
    server = request.getfixturevalue("durable_postgres")
    return _postgres(server, request.getfixturevalue("log_database"))
