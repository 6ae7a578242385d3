# SPDX-License-Identifier: EUPL-1.2
"""A keyset file that is killed or runs out of disk while it changes is the old one or the new one.

strace lets each system call that matters fail, or kills the process at it, one at a time.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from anonymise.keyring import Keyring, open_file
from anonymise.keyring.file_vault import FileVault
from tests.anonymise.backends import CHEAP, PASSPHRASE
from tests.servers import strace

ROOT = Path(__file__).parents[3]
CHANGE = """
import sys
from pathlib import Path
from anonymise import AnonymiseError
from anonymise.keyring import Keyring
from anonymise.keyring.file_vault import FileVault
from tests.anonymise.backends import CHEAP, PASSPHRASE
path = Path(sys.argv[2])
try:
    if sys.argv[1] == "create":
        FileVault.create(path, PASSPHRASE, ["BA"], work=CHEAP)
    else:
        Keyring(FileVault.open(path, PASSPHRASE)).rotate("BA", "2027q1")
except AnonymiseError as error:
    sys.exit(f"refused: {error}")
"""
CALLS = {"rotate": ("write", "fsync", "rename"), "create": ("write", "fsync", "link")}
POINTS = [
    (act, call, number, fault)
    for act, calls in CALLS.items()
    for call in calls
    for number in ((1, 2) if call == "fsync" else (1,))
    for fault in ("signal=KILL", "error=ENOSPC")
]


def change(act, path, call, number, fault):
    """One change in a process of its own; what it said."""
    inject = f"inject={call}:{fault}:when={number}"
    tracing = ("-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    done = subprocess.run(
        [strace.program(), *tracing, sys.executable, "-B", "-c", CHANGE, act, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize(("act", "call", "number", "fault"), POINTS)
def test_whatever_happens_the_old_keyset_or_the_new_one_is_whole(
    tmp_path, act, call, number, fault
):
    path = tmp_path / "keyset.json"
    before = None
    if act == "rotate":
        before = FileVault.create(path, PASSPHRASE, ["BA", "RS"], work=CHEAP)
    said = change(act, path, call, number, fault)
    renamed = number == 2
    if fault != "signal=KILL":
        assert said.startswith("refused: cannot write keyset.json: No space left on device")
    if path.exists():
        ring = Keyring(FileVault.open(path, PASSPHRASE))
        assert len(ring.register["BA"]) == (2 if renamed and act == "rotate" else 1)
        if before is not None:
            assert ring._vault._keyset.roots["BA"][0].secret == before._keyset.roots["BA"][0].secret
            assert ring._vault._keyset.service == before._keyset.service
    else:
        assert act == "create"
        assert not renamed
        ring = Keyring(FileVault.create(path, PASSPHRASE, ["BA"], work=CHEAP))
    # Whoever comes next goes on, and clears away what was left.
    ring.rotate("BA", "2027q2")
    assert open_file(path, PASSPHRASE).register == ring.register
    left = {one.name for one in tmp_path.iterdir()}
    assert left == {"keyset.json", ".keyset.json.lock"}
