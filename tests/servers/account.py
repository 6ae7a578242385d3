# SPDX-License-Identifier: EUPL-1.2
"""The account that database servers run under: both refuse root, so root lends them `nobody`."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import Any

_UNPRIVILEGED = "nobody"


def as_server() -> dict[str, Any]:
    """Arguments for subprocess that drop root; empty when not root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def server_directory(name: str) -> Path:
    """A new private directory that the server account owns; short enough for a socket path."""
    directory = Path(tempfile.mkdtemp(prefix=f"cuvar-{name}-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam(_UNPRIVILEGED)
        os.chown(directory, account.pw_uid, account.pw_gid)
    return directory


def reachable(programs: Path, copy_to: Path) -> Path:
    """`programs` when the server account may enter it, else a copy of its installation.

    A virtual environment under root's home is closed to everyone else, and opening it would
    change permissions that are not ours.
    """
    if os.geteuid() != 0 or all(part.stat().st_mode & 0o001 for part in programs.parents):
        return programs
    shutil.copytree(programs.parent, copy_to, symlinks=True)
    return copy_to / programs.name
