# SPDX-License-Identifier: EUPL-1.2
"""Starting and stopping the demonstration's gateway as a process of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from gateway.demo.build import SETTINGS, DemoError

PID_FILE: Final = "gateway.pid"
LOG_FILE: Final = "gateway.log"
_START_S: Final = 30.0
_STOP_S: Final = 15.0
_PAUSE_S: Final = 0.1


def free_port(wanted: int) -> int:
    """`wanted`, or another port where somebody already listens there."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port(0)
        return int(probe.getsockname()[1])


def start(folder: Path, url: str) -> int:
    """Start `cuvar serve` and wait until it is ready; gives its process id.

    Raises:
        DemoError: it did not get ready; the message names its log file.
    """
    log = folder / LOG_FILE
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  our own command with our own arguments
            [sys.executable, "-m", "gateway", "serve", "--config", str(folder / SETTINGS)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    (folder / PID_FILE).write_text(f"{process.pid}\n", encoding="ascii")
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError(f"the gateway stopped at once; its last words are in {log}")
        if _ready(url):
            return process.pid
        time.sleep(_PAUSE_S)
    process.kill()
    raise DemoError(f"the gateway did not get ready in {_START_S:.0f} s; see {log}")


def stop(folder: Path) -> bool:
    """Stop the gateway of this folder, if it runs; whether it did."""
    path = folder / PID_FILE
    try:
        pid = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    path.unlink()
    if not _is_ours(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if not _is_ours(pid):
            return True
        time.sleep(_PAUSE_S)
    os.kill(pid, signal.SIGKILL)
    return True


def _is_ours(pid: int) -> bool:
    """Whether this process is a gateway: a process id alone may have been given to another."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"gateway" in command and b"serve" in command


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=1) as answer:  # noqa: S310  loopback
            return json.load(answer)["status"] in {"ready", "degraded"}
    except (OSError, urllib.error.URLError, ValueError):
        return False
