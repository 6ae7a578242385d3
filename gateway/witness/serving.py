# SPDX-License-Identifier: EUPL-1.2
"""A witness's folder, and the server in front of its application.

The folder holds everything: `witness.key`, perhaps `witness-mldsa.key`, `trusted.txt` (which logs),
`witness.sqlite` (its memory). uvicorn has no time limit for the head of a request, so a client that
sends one byte a minute would hold its connection for ever: `PatientProtocol` ends it.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from audit import NoteVerifier, WitnessError
from audit.cosigner import Cosigner
from audit.keyfiles import create_cosigner, read_cosigner
from audit.witness import Book, TrustedFile, Witness, country_of, parse_trusted
from gateway.witness.app import WitnessApp

HEAD_S: Final = 15.0
_CONNECTIONS = 512
_GRACE_S = 10
_TRUSTED = """\
# Which logs this witness cosigns. Read again whenever it changes; no restart.
#
#   log <vkey>        one log; the key's name is its origin
#   country <vkey>    every half-year log of a country; the key's name is <prefix>/<COUNTRY>
"""


@dataclass(frozen=True, slots=True)
class WitnessFolder:
    """The files of one witness."""

    path: Path

    @property
    def trusted(self) -> Path:
        """The list of logs."""
        return self.path / "trusted.txt"

    @property
    def memory(self) -> Path:
        """The SQLite file."""
        return self.path / "witness.sqlite"

    def create(self, name: str, *, mldsa: bool) -> Cosigner:
        """Make key, list and memory; nothing that exists is touched.

        Raises:
            AuditError: a file exists, can't be written, or the name is no key name.
        """
        second = self.path / "witness-mldsa.key" if mldsa else None
        if self.memory.exists():
            raise WitnessError(f"{self.memory.name} exists; a witness is made once in a folder")
        cosigner = create_cosigner(self.path / "witness.key", name, second)
        Book.create(self.memory)
        if not self.trusted.exists():
            self.trusted.write_text(_TRUSTED, encoding="utf-8")
        return cosigner

    def cosigner(self) -> Cosigner:
        """The keys.

        Raises:
            AuditError: missing, malformed, or readable by others.
        """
        second = self.path / "witness-mldsa.key"
        return read_cosigner(self.path / "witness.key", second if second.exists() else None)

    def trust(self, vkey: str, *, country: bool) -> None:
        """Add a line to the list; the file is replaced as a whole.

        For a country, the key of one of its half-year logs is taken for all of them.

        Raises:
            NoteError: this is no verifier key.
            WitnessError: the line is malformed, or the file can't be written.
        """
        try:
            verifier = NoteVerifier.parse(vkey)
            if country and (name := country_of(verifier.name)) is not None:
                vkey = NoteVerifier.of(name, verifier.kind, verifier.public).vkey
            before = self.trusted.read_bytes()
            line = f"{'country' if country else 'log'} {vkey}"
            if line in before.decode("utf-8", "replace").split("\n"):
                return  # run twice, it stands there once
            after = before + (b"" if before.endswith(b"\n") or not before else b"\n")
            after += f"{line}\n".encode()
            parse_trusted(after)
            beside = self.trusted.with_suffix(".new")
            beside.write_bytes(after)
            os.replace(beside, self.trusted)  # noqa: PTH105 - said as what it does
        except OSError:
            raise WitnessError(
                f"{self.trusted.name} can't be changed; check its permissions"
            ) from None

    @contextmanager
    def book(self) -> Iterator[Book]:
        """The memory, closed at the end.

        Raises:
            WitnessError: missing or not of a witness.
        """
        book = Book.open(self.memory)
        try:
            yield book
        finally:
            book.close()

    @contextmanager
    def app(self, *, prefix: str, tell: Callable[[str], None]) -> Iterator[WitnessApp]:
        """The application on these files.

        Raises:
            AuditError: a file is missing or not in order.
        """
        cosigner, trusted = self.cosigner(), TrustedFile.open(self.trusted)
        with self.book() as book:
            witness = Witness(cosigner, trusted.current, book, lambda: datetime.now(UTC))
            yield WitnessApp(witness, book, trusted, prefix=prefix, tell=tell)


class PatientProtocol(H11Protocol):
    """uvicorn's h11 protocol, ended when no request is under way for `HEAD_S` seconds.

    The head of a request counts as nothing under way, however slowly its bytes come in; a body has
    the application's own limit.
    """

    head_s = HEAD_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Look at a new connection from time to time."""
        super().connection_made(transport)
        self._seen: object = None
        self._look = self.loop.call_later(self.head_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._look.cancel()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        """End it if nothing was under way at the last look and nothing began since."""
        cycle: RequestResponseCycle | None = self.cycle
        idle = cycle is None or cycle.response_complete
        if idle and cycle is self._seen:
            self.transport.abort()
            return
        self._seen = cycle if idle else self
        self._look = self.loop.call_later(self.head_s, self._too_slow)


def server_config(
    app: Callable[..., Awaitable[None]], host: str, port: int, tls: tuple[Path, Path] | None = None
) -> uvicorn.Config:
    """How the server listens; `tls` is certificate and key."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PatientProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_S,
        proxy_headers=False,
    )
    if tls is not None:
        config.ssl_certfile, config.ssl_keyfile = str(tls[0]), str(tls[1])
    return config
