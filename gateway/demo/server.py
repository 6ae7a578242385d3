# SPDX-License-Identifier: EUPL-1.2
"""Starting and stopping the demonstration's gateway and witnesses, each a process of its own."""

import contextlib
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from gateway.demo.authorities import AUTHORITIES, witness_folder
from gateway.demo.build import COUNTRIES, SETTINGS, DemoError

_START_S: Final = 30.0
_STOP_S: Final = 15.0
_PAUSE_S: Final = 0.05


def free_ports(wanted: Sequence[int]) -> list[int]:
    """Ports in this order, each another one where somebody already listens there; 0 takes any."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in wanted]
        for probe, port in zip(probes, wanted, strict=True):
            # As a server asks for it: connections that are only just over keep no port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            probe.listen()
        return [int(probe.getsockname()[1]) for probe in probes]


@dataclass(frozen=True, slots=True)
class Part:
    """A process of the demonstration: `cuvar` with `arguments`, well once `address` says so."""

    name: str
    arguments: tuple[str, ...]
    address: str
    is_well: Callable[[Mapping[str, Any]], bool]


def all_parts(folder: Path, url: str, witnesses: Sequence[str]) -> list[Part]:
    """The witnesses at their addresses, in the order of `AUTHORITIES`, and the gateway."""
    parts = [
        witness_part(folder, country, address)
        for country, address in zip(AUTHORITIES, witnesses, strict=True)
    ]
    serve = ("serve", "--config", str(folder / SETTINGS))
    return [*parts, Part("gateway", serve, f"{url}/readyz", _is_ready)]


def witness_part(folder: Path, country: str, address: str) -> Part:
    """One authority's witness."""
    path, port = witness_folder(folder, country).path, urlsplit(address).port
    serve = ("witness", "serve", str(path), "--port", str(port))
    return Part(f"witness-{country}", serve, f"{address}/health", _is_well)


@contextmanager
def running(folder: Path, parts: Sequence[Part], *, keep: bool) -> Iterator[None]:
    """All parts run; an error, an interrupt or SIGTERM inside stops them all.

    Args:
        folder: of the demonstration.
        parts: in the order of their start.
        keep: whether they go on running afterwards.

    Raises:
        DemoError: one did not get ready; the message names its log file.
    """
    with _sigterm_raises():
        try:
            started = [(part, _start(folder, part)) for part in parts]
            deadline = time.monotonic() + _START_S
            for part, process in started:
                _await(folder, part, process, deadline)
            yield
        except BaseException:
            stop(folder)
            raise
        if not keep:
            stop(folder)


def _start(folder: Path, part: Part) -> int:
    output = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    process = os.posix_spawn(  # our own command with our own arguments; it may outlive us
        sys.executable,
        [sys.executable, "-m", "gateway", *part.arguments],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(folder / f"{part.name}.log"), output, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    try:
        (folder / f"{part.name}.pid").write_text(f"{process}\n", encoding="ascii")
    except OSError:
        os.kill(process, signal.SIGKILL)  # nobody would find it again
        raise DemoError(f"{folder} can't be written; free the disk or name another") from None
    return process


def _await(folder: Path, part: Part, process: int, deadline: float) -> None:
    log = folder / f"{part.name}.log"
    while time.monotonic() < deadline:
        if os.waitpid(process, os.WNOHANG)[0] == process:
            raise DemoError(f"the {part.name} stopped at once; its last words are in {log}")
        if part.is_well(_document(part.address)):
            return
        time.sleep(_PAUSE_S)
    raise DemoError(f"the {part.name} did not get ready in {_START_S:.0f} s; see {log}")


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


def _is_well(health: Mapping[str, Any]) -> bool:
    return health.get("status") == "ok"


def _is_ready(readiness: Mapping[str, Any]) -> bool:
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
