# SPDX-License-Identifier: EUPL-1.2
"""Makes sure that the servers which tests and benches start are on this machine.

MariaDB, strace, SoftHSM and Java come from Debian or Ubuntu: installed here when root, otherwise
named in a line. PostgreSQL comes from a wheel of the development set. Nothing is left running, and
no system service is started: a package's own service would hold port and data directory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

from tests.servers import softhsm, strace
from tests.servers.mariadb import INSTALL_LINE, server_program
from tests.servers.postgres import WHEEL_LINE, bin_directory

JAVA = ("openjdk-17-jre-headless", "default-jre-headless")
_POLICY = Path("/usr/sbin/policy-rc.d")
_FORBID_SERVICES = "#!/bin/sh\nexit 101\n"


def main() -> int:
    """0 when every server is there; 1 after one line that says what to install."""
    if bin_directory() is None:
        return _refuse(WHEEL_LINE)
    if server_program() is None and not _install("mariadb-server"):
        return _refuse(INSTALL_LINE)
    if shutil.which("strace") is None and not _install("strace"):
        return _refuse(strace.INSTALL_LINE)
    if shutil.which("softhsm2-util") is None and not _install("softhsm2"):
        return _refuse(softhsm.INSTALL_LINE)
    if find_library("sodium") is None and not _install("libsodium23"):
        return _refuse("libsodium for the key holder is missing: apt-get install libsodium23")
    return _java()


def _java() -> int:
    if shutil.which("java") is None and not any(map(_install, JAVA)):
        return _refuse(f"Java for Spark is missing: apt-get install {JAVA[0]}")
    return 0


def _install(package: str) -> bool:
    """Installs a Debian package without starting its service; needs root and apt."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    _say(f"installing {package} for the tests (apt-get, about a minute) ...")
    placed = not _POLICY.exists()
    if placed:
        _POLICY.write_text(_FORBID_SERVICES)
        _POLICY.chmod(0o755)
    try:
        done = _quietly(apt, "update") and _quietly(
            apt, "install", "-y", "--no-install-recommends", package
        )
    finally:
        if placed:
            _POLICY.unlink(missing_ok=True)
    return done


def _quietly(*command: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        _say("\n".join(done.stdout.splitlines()[-5:]))
    return done.returncode == 0


def _refuse(line: str) -> int:
    _say(line)
    return 1


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
