# SPDX-License-Identifier: EUPL-1.2
"""A restore or a backup that is killed leaves nothing that looks like a log."""

import asyncio
import signal
import subprocess
import sys

import pytest

from audit.backup import keep_logs, open_snapshot, restore_logs
from audit.errors import LogUnavailableError
from tests.audit.making import create_empty, fill, opened

CHILD = """
import os, signal, sys
from pathlib import Path
import audit.backup.restoring as restoring
from audit.backup import keep_logs, restore_logs
source, folder, url, table = sys.argv[1:]
rows = restoring._rows
def until(*given):
    for name, values in rows(*given):
        yield name, values
        if name == table:
            os.kill(os.getpid(), signal.SIGKILL)
restoring._rows = until
restore_logs(Path(folder), keep_logs(source, Path(folder)), url)
"""


async def write(url):
    async with opened(url) as log:
        await fill(log, 300)


@pytest.mark.parametrize("table", ["log_entry", "log_tile", "log_head"])
def test_a_restore_that_is_killed_leaves_an_empty_place(elsewhere, tmp_path, table):
    source = str(tmp_path / "source.db")
    create_empty(source)
    asyncio.run(write(source))
    words = [sys.executable, "-c", CHILD, source, str(tmp_path / "first"), elsewhere.url, table]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    with pytest.raises(LogUnavailableError), open_snapshot(elsewhere.url):
        pass
    kept = keep_logs(source, tmp_path / "second")
    restore_logs(tmp_path / "second", kept, elsewhere.url)
    with open_snapshot(elsewhere.url) as snapshot:
        assert [head.closed for head in snapshot.heads()] == [True]
