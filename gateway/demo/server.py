# SPDX-License-Identifier: EUPL-1.2
"""Starting and stopping the demonstration's gateway and witnesses, each a process of its own."""

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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from gateway.demo.authorities import AUTHORITIES, witness_folder
from gateway.demo.build import COUNTRIES, SETTINGS, DemoError

_GATEWAY: Final = "gateway"
_WITNESS: Final = "witness-"
_START_S: Final = 30.0
_STOP_S: Final = 15.0
_PAUSE_S: Final = 0.05
_Process = tuple[str, subprocess.Popen[bytes]]
_Judge = Callable[[dict[str, Any]], bool]


def free_ports(wanted: Sequence[int]) -> list[int]:
    """Ports in this order, each another one where somebody already listens there; 0 takes any."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in wanted]
        for probe, port in zip(probes, wanted, strict=True):
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextmanager
def running(folder: Path, url: str, witnesses: Sequence[str], *, keep: bool) -> Iterator[None]:
    """Witnesses and gateway run; an error, an interrupt or SIGTERM inside stops them all.

    Args:
        folder: of the demonstration.
        url: of the gateway.
        witnesses: addresses in the order of `AUTHORITIES`.
        keep: whether they go on running afterwards.

    Raises:
        DemoError: one did not get ready; the message names its log file.
    """
    with _sigterm_raises():
        try:
            started: list[tuple[_Process, str, _Judge]] = [
                (_start_witness(folder, country, address), f"{address}/health", _is_well)
                for country, address in zip(AUTHORITIES, witnesses, strict=True)
            ]
            serve = ["serve", "--config", str(folder / SETTINGS)]
            started.append((_start(folder, _GATEWAY, serve), f"{url}/readyz", _is_ready))
            deadline = time.monotonic() + _START_S
            for process, address, well in started:
                _await(folder, process, address, well, deadline)
            yield
        except BaseException:
            stop(folder)
            raise
        if not keep:
            stop(folder)


def _start_witness(folder: Path, country: str, address: str) -> _Process:
    files = witness_folder(folder, country)
    port = urlsplit(address).port
    return _start(
        folder, _WITNESS + country, ["witness", "serve", str(files.path), "--port", str(port)]
    )


def _start(folder: Path, name: str, arguments: Sequence[str]) -> _Process:
    with (folder / f"{name}.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  our own command with our own arguments
            [sys.executable, "-m", "gateway", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        (folder / f"{name}.pid").write_text(f"{process.pid}\n", encoding="ascii")
    except OSError:
        process.kill()  # nobody would find it again
        raise DemoError(f"{folder} can't be written; free the disk or name another") from None
    return name, process


def _await(folder: Path, process: _Process, address: str, well: _Judge, deadline: float) -> None:
    name, running_ = process
    log = folder / f"{name}.log"
    while time.monotonic() < deadline:
        if running_.poll() is not None:
            raise DemoError(f"the {name} stopped at once; its last words are in {log}")
        if well(_document(address)):
            return
        time.sleep(_PAUSE_S)
    raise DemoError(f"the {name} did not get ready in {_START_S:.0f} s; see {log}")


def stop(folder: Path) -> bool:
    """Stop the gateway and witnesses of this folder that run; whether any did."""
    left = {pid for path in folder.glob("*.pid") if (pid := _taken(path)) is not None}
    found = bool(left)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while left and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
        left = {pid for pid in left if _is_alive(pid)}
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def _taken(path: Path) -> int | None:
    """The process that a file names, if it is ours; the file is taken away."""
    try:
        pid = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    path.unlink()
    return pid if _is_ours(pid) else None


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _is_ours(pid)


def _is_ours(pid: int) -> bool:
    """Whether this process serves: a process id alone may have been given to another."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"gateway" in command and b"serve" in command


def _document(address: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:  # noqa: S310  loopback
            return dict(json.load(answer))
    except (OSError, urllib.error.URLError, ValueError):
        return {}


def _is_well(health: dict[str, Any]) -> bool:
    return health.get("status") == "ok"


def _is_ready(readiness: dict[str, Any]) -> bool:
    """Ready, and every log was looked at once: until then nothing with an identity leaves."""
    logs = readiness.get("witnessing", {}).get("logs", {})
    return readiness.get("status") in {"ready", "degraded"} and len(logs) > len(COUNTRIES)


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """A demonstration that is told to end takes its processes along."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
