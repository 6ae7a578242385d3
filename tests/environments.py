# SPDX-License-Identifier: EUPL-1.2
"""Environments of their own beside ours, for tools that need other versions than we have."""

import sys
from pathlib import Path

import pytest


def environment(name):
    """The interpreter of one; the test fails with the line that makes it."""
    python = Path(sys.prefix) / name / "bin" / "python"
    if not python.is_file():
        pytest.fail(f"no environment for {name}; run `make .venv/{name}.done`")
    return python
