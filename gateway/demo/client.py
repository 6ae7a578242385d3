# SPDX-License-Identifier: EUPL-1.2
"""The demonstration's client: questions over HTTP, as any client would ask them."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.commands.token import STRONG
from gateway.demo.people import DemoPerson
from gateway.identity import DevIssuer


@dataclass(frozen=True, slots=True)
class Answered:
    """A status, a document, and the addresses of the log entries behind it."""

    status: int
    document: Mapping[str, Any]
    entries: tuple[str, ...]


class DemoClient:
    """Asks as a person of the demonstration."""

    def __init__(self, url: str, issuer: DevIssuer) -> None:
        """`issuer` signs in anybody as anyone."""
        self._url = url
        self._issuer = issuer

    def token(self, person: DemoPerson) -> str:
        """An access token, as after a fresh login with a second factor."""
        return self._issuer.issue(
            org=person.org,
            country=person.country,
            roles=(person.role,),
            officer=person.officer,
            unit=person.unit,
            acr=STRONG,
            auth_time=int(time.time()),
        )

    def ask(self, person: DemoPerson, action: str, question: Mapping[str, Any]) -> Answered:
        """One question."""
        request = urllib.request.Request(  # noqa: S310  loopback
            f"{self._url}/v1/{action}",
            data=json.dumps(question).encode(),
            headers={
                "Authorization": f"Bearer {self.token(person)}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return _answered(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answered(error.code, error.headers, error.read())

    def text(self, person: DemoPerson, path: str) -> str:
        """A text resource: a receipt, the checkpoint."""
        request = urllib.request.Request(  # noqa: S310  loopback
            f"{self._url}{path}", headers={"Authorization": f"Bearer {self.token(person)}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return str(answer.read().decode())


def submit(url: str, body: bytes) -> tuple[int, bytes]:
    """What a witness answers to a submission: status and body."""
    request = urllib.request.Request(url, data=body)  # noqa: S310  loopback
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return int(answer.status), bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _answered(status: int, headers: Any, body: bytes) -> Answered:
    entries = headers.get_all("Audit-Entry") or []
    indices = tuple(part.strip() for line in entries for part in line.split(","))
    return Answered(status, json.loads(body), indices)
