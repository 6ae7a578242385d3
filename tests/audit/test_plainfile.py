# SPDX-License-Identifier: EUPL-1.2
"""What others hand over may be a pipe, a device or a view; no tool hangs on it or believes it."""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from audit.backup.files import digest_of, read_file
from audit.copies import open_copy
from audit.errors import AuditError, LogCorruptError
from audit.folder_copy import read_file as read_published
from audit.plainfile import NotPlainError, open_plain, read_plain
from audit.verify.__main__ import main


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_plain_file_is_read_up_to_its_limit(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 10)
    assert read_plain(file, 10) == b"x" * 10
    with pytest.raises(NotPlainError, match="larger"):
        read_plain(file, 9)
    (tmp_path / "link").symlink_to(file)
    assert read_plain(tmp_path / "link", 10) == b"x" * 10
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "absent", 1)


@pytest.mark.parametrize("read", [open_plain, read_file, digest_of, read_published])
def test_a_pipe_a_device_and_a_folder_are_refused_at_once(pipe, read):
    for path in (pipe, Path("/dev/zero"), pipe.parent):
        with pytest.raises(AuditError, match="plain file"):
            read(path)


@pytest.mark.parametrize("option", ["--checkpoint", "--policy"])
def test_the_verifier_does_not_wait_for_a_pipe(pipe, master, capsys, option):
    from tests.audit.making import SIGNER

    for path in (pipe, "/dev/zero"):
        assert main([str(master[0]), "--vkey", SIGNER.vkey, option, str(path)]) == 2
        assert main(["receipt", str(path), "--vkey", SIGNER.vkey, "--leaf", "00" * 32]) == 2
    assert "plain file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "odd",
    [
        "CREATE VIEW anything AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON log_entry BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "ALTER TABLE log_entry RENAME TO real; CREATE VIEW log_entry AS SELECT * FROM real",
        "ALTER TABLE log_head RENAME TO real; CREATE VIEW log_head AS SELECT * FROM real",
    ],
)
def test_a_file_whose_rows_are_computed_is_no_copy_of_a_log(master, tmp_path, odd):
    path = shutil.copy(master[0], tmp_path / "copy.db")
    with contextlib.closing(sqlite3.connect(path)) as con:
        con.executescript(odd)
    with pytest.raises(AuditError) as refused, open_copy(str(path)):
        pass
    assert isinstance(refused.value, LogCorruptError) or "is not a log" in str(refused.value)
