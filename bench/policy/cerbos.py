# SPDX-License-Identifier: EUPL-1.2
"""The same lines as Cerbos resource policies, answered by its server over HTTP on loopback.

A dataset is a resource kind, an action an action, and a role group the list of its roles, so that
the server's own index is used wherever it can be; the other columns and the guards are a condition.
A line that names several datasets stands in each one's policy. Facts are maps, in which the server
looks names up. One connection is kept open and bodies are encoded before anything is timed.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import orjson

from bench.policy.cases import Case, Cell
from policies.line import Line
from policies.table import EVERY

NAME = "Cerbos server"
NODE = Path(__file__).parent.parent / "peers" / "node"
MISSING = "the Cerbos server is missing: run `make bench`, which installs it"
_ANSWERING_S = 60
_CALL_S = 30
_BATCH = 64  # resources in one call; the server's own default is 50, a question has 54
_HEADERS = {"Content-Type": "application/json"}
_CONTEXT = ("org", "owner", "category", "view", "purpose")


class Cerbos:
    """One rule set in a running server; made by `running`."""

    def __init__(self, port: int, lines: Sequence[Line]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CALL_S)
        self._guards = frozenset[str]().union(*(line.guards for line in lines))

    def asked(self, case: Case) -> bytes:
        """A case as the body of a call."""
        return self.question(case, [(case.request.dataset, case.request.category)])

    def question(self, case: Case, cells: Sequence[Cell]) -> bytes:
        """All cells of one question as the body of one call: a resource for each."""
        request, facts = case
        principal = {
            "id": "asker",
            "roles": [request.role],
            "attr": {
                "org": request.org,
                "purpose": request.purpose,
                "sure": dict.fromkeys(sorted(facts.sure & self._guards), True),
                "maybe": dict.fromkeys(sorted(facts.maybe & self._guards), True),
            },
        }
        resources = [
            {
                "resource": {
                    "kind": dataset,
                    "id": str(number),
                    "attr": {"owner": request.owner, "category": category, "view": request.view},
                },
                "actions": [request.action],
            }
            for number, (dataset, category) in enumerate(cells)
        ]
        return orjson.dumps({"principal": principal, "resources": resources})

    def allowed(self, asked: bytes) -> bool:
        """One call about one cell."""
        return self.allowed_cells(asked)[0]

    def allowed_cells(self, asked: bytes) -> list[bool]:
        """One call; the answers come in the order of the resources."""
        results = orjson.loads(self._call("POST", "/api/check/resources", asked))["results"]
        assert all(int(r["resource"]["id"]) == place for place, r in enumerate(results))
        return [effect == "EFFECT_ALLOW" for r in results for effect in r["actions"].values()]

    def nothing(self) -> None:
        """A call that decides nothing: what the way there and back costs."""
        self._call("GET", "/_cerbos/health")

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self._connection.request(method, path, body, _HEADERS if body else {})
        answer = self._connection.getresponse()
        read = answer.read()
        assert answer.status == http.client.OK, read
        return read


@contextmanager
def running(lines: Sequence[Line], groups: Mapping[str, frozenset[str]]) -> Iterator[Cerbos]:
    """A server with these lines, until the block ends."""
    found = sorted((NODE / "node_modules" / "@cerbos").glob("cerbos-*/cerbos-*"))
    if not found:
        raise SystemExit(MISSING)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "policies").mkdir()
        for name, text in policies(lines, groups).items():
            (place / "policies" / f"{name}.json").write_text(json.dumps(text), encoding="utf-8")
        port = _free_port()
        settings = {
            "server.httpListenAddr": f"127.0.0.1:{port}",
            "server.grpcListenAddr": f"unix:{place / 'grpc.sock'}",
            "server.requestLimits.maxResourcesPerRequest": _BATCH,
            "storage.driver": "disk",
            "storage.disk.directory": place / "policies",
            "telemetry.disabled": "true",
        }
        command = [str(found[0]), "server", "--log-level=error", "--debug-listen-addr="]
        command += [f"--set={name}={value}" for name, value in settings.items()]
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(command, cwd=place, stdout=log, stderr=log)
        try:
            _wait(server, port, place / "log")
            engine = Cerbos(port, lines)
            yield engine
            engine.close()
        finally:
            server.terminate()
            server.wait(_CALL_S)


def policies(
    lines: Sequence[Line], groups: Mapping[str, frozenset[str]]
) -> dict[str, dict[str, Any]]:
    """One resource policy for each dataset, by its name."""
    datasets = sorted({name for line in lines for name in line.dataset} - {EVERY})
    return {
        name: {
            "apiVersion": "api.cerbos.dev/v1",
            "resourcePolicy": {
                "resource": name,
                "version": "default",
                "rules": [
                    _rule(line, groups) for line in lines if {name, EVERY} & set(line.dataset)
                ],
            },
        }
        for name in datasets
    }


def _rule(line: Line, groups: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    members = frozenset[str]().union(*(groups.get(word, {word}) for word in line.role))
    everyone = members == frozenset[str]().union(*groups.values())
    rule: dict[str, Any] = {
        "name": line.id.replace("-", "_"),
        "actions": list(line.action),
        "roles": ["*"] if everyone else sorted(members),
        "effect": "EFFECT_ALLOW" if line.eft == "allow" else "EFFECT_DENY",
    }
    condition = _condition(line)
    if condition:
        rule["condition"] = {"match": {"expr": condition}}
    return rule


def _condition(line: Line) -> str:
    known = "sure" if line.eft == "allow" else "maybe"
    tests = []
    for column in _CONTEXT:
        cell: tuple[str, ...] = getattr(line, column)
        side = "P" if column in ("org", "purpose") else "R"
        if cell != (EVERY,):
            one = f'== "{cell[0]}"' if len(cell) == 1 else f"in {json.dumps(cell)}"
            tests.append(f"{side}.attr.{column} {one}")
    tests += [f'"{guard}" in P.attr.{known}' for guard in line.guards]
    return " && ".join(tests)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server answers; its own words when it does not."""
    end = monotonic() + _ANSWERING_S
    while monotonic() < end and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            sleep(0.02)
    words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise SystemExit(f"the Cerbos server does not start:\n{words}")
