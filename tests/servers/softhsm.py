# SPDX-License-Identifier: EUPL-1.2
"""SoftHSM 2, Debian's: a PKCS#11 token in software, with a folder of its own for each process.

The module reads where its tokens are once a process, so all tokens of a test run's process lie in
one folder, which goes with the process.
"""

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

INSTALL_LINE = "softhsm2 for the tests is missing: apt-get install --no-install-recommends softhsm2"
PIN = "pin of the tests"
_OFFICER_PIN = "pin of the security officer"
_PLACES = ("/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm")


def module() -> Path:
    """The PKCS#11 module.

    Raises:
        AssertionError: it is not installed; the line says how.
    """
    places = [*map(Path, _PLACES), *Path("/usr/lib").glob("*/softhsm")]
    found = [place / "libsofthsm2.so" for place in places if (place / "libsofthsm2.so").exists()]
    assert found, INSTALL_LINE
    return found[0]


def util() -> str:
    """Where softhsm2-util is.

    Raises:
        AssertionError: it is not installed; the line says how.
    """
    found = shutil.which("softhsm2-util")
    assert found is not None, INSTALL_LINE
    return found


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="softhsm-"))
    (folder / "tokens").mkdir(mode=0o700)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def fresh_token() -> str:
    """The label of a new, empty token that `PIN` opens."""
    _folder()
    label = f"test-{secrets.token_hex(4)}"
    subprocess.run(
        [
            util(),
            "--init-token",
            "--free",
            "--label",
            label,
            "--pin",
            PIN,
            "--so-pin",
            _OFFICER_PIN,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return label
