# SPDX-License-Identifier: EUPL-1.2
"""strace, Debian's: lets single system calls of a process fail, or kills it at one."""

import shutil

INSTALL_LINE = "strace for the tests is missing: apt-get install --no-install-recommends strace"


def program() -> str:
    """Where it is.

    Raises:
        AssertionError: it is not installed; the line says how.
    """
    found = shutil.which("strace")
    assert found is not None, INSTALL_LINE
    return found
