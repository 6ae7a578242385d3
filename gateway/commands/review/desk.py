# SPDX-License-Identifier: EUPL-1.2
"""What every `cuvar review` command works with: copy, key, index, and the record of readings.

A reading is written down before anything is shown. With the gateway's address it becomes an entry
of the log at once, together with those that still wait; without, it is said that it waits.
"""

import base64
import contextlib
import functools
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from audit import LogUnavailableError, new_entry_id, read_private_key
from audit.copies import Copy, open_copy, origins
from audit.envelope import format_time
from audit.randomness import random_bytes
from audit.review.index_file import logs, open_index
from audit.review.looks import Look, Looks
from audit.review.searchkey import SearchKey
from audit.sealing import Unsealer

_Command = TypeVar("_Command", bound=Callable[..., Any])
_QUERY: Final = "look"
_NAMES: Final = ("log", "origin", "key", "index", "gateway", "token_file", "client_cert")


@dataclass(frozen=True, slots=True)
class Desk:
    """The officer's place of work, as its options say."""

    log: str
    origin: tuple[str, ...]
    key: Path
    index: Path
    gateway: str | None
    token_file: Path | None
    client_cert: Path | None

    def search_key(self) -> SearchKey:
        """Her search key.

        Raises:
            KeyFileError: the key file is missing, malformed, or readable by others.
        """
        return SearchKey(read_private_key(self.key))

    def unsealer(self) -> Unsealer:
        """Opens details.

        Raises:
            KeyFileError: the key file is missing, malformed, or readable by others.
        """
        return Unsealer(read_private_key(self.key))

    @contextlib.contextmanager
    def copies(self) -> Iterator[list[Copy]]:
        """Every log that is meant, in the order of their opening.

        Raises:
            LogUnavailableError: there is nothing to read at the place.
            LogCorruptError: it is damaged.
        """
        with contextlib.ExitStack() as stack:
            names = self.origin or tuple(origins(self.log))
            yield [stack.enter_context(open_copy(self.log, name)) for name in names]

    @contextlib.contextmanager
    def indexed(self) -> Iterator[tuple[sqlite3.Connection, list[Copy]]]:
        """The index, and those copies that it covers.

        Raises:
            LogUnavailableError: no index, or it covers none of them.
            SealError: it was made with another key.
        """
        with open_index(self.index, self.search_key()) as con, self.copies() as found:
            known = {state.origin for state in logs(con)}
            covered = [copy for copy in found if origin_of(copy) in known]
            if not covered:
                raise LogUnavailableError(
                    "the index covers none of these logs; run `cuvar review index sync` first"
                )
            yield con, covered

    @property
    def looks(self) -> Looks:
        """The record of readings, beside the index."""
        return Looks(self.index.with_name(self.index.name + ".looks"))

    def record(self, command: str, copy: Copy, shown: Sequence[int], query: object) -> None:
        """Write a reading down; nothing may be shown if this fails.

        Raises:
            AuditError: it cannot be written.
        """
        if not shown:
            head = copy.head()
            shown = (0, 0 if head is None else max(head.size - 1, 0))
        if self.index.exists() and not self.looks.begun:
            click.echo(
                "there is no record of readings beside this index, so this is reading 1; if it was"
                " read before, somebody threw readings away that no log has: tell the supervisor,"
                " who sees the numbers begin again",
                err=True,
            )
        now = datetime.now(UTC)
        sealed = self.search_key().seal(_QUERY, json.dumps(query).encode())
        self.looks.record(
            Look(
                id=new_entry_id(now, random_bytes(10)),
                at=format_time(now),
                command=command,
                log=origin_of(copy),
                first=min(shown),
                last=max(shown),
                query=base64.b64encode(sealed).decode("ascii"),
            )
        )

    def hand_in(self) -> None:
        """Give the gateway what waits, or say that it waits."""
        waiting = self.looks.pending()
        if not waiting:
            return
        if self.gateway is None or self.token_file is None:
            click.echo(
                f"recorded on this machine only: {len(waiting)} readings are not in the log yet;"
                " hand them in with --gateway and --token-file",
                err=True,
            )
            return
        from gateway.commands.review.handing_in import Gate, hand_in

        gate = Gate(self.gateway, self.token_file, self.client_cert)
        done = hand_in(self.looks, waiting, gate)
        click.echo(f"{done} of {len(waiting)} readings are in the log now", err=True)


def origin_of(copy: Copy) -> str:
    """The name of the log of which this is a copy."""
    head = copy.head()
    return "" if head is None else head.origin


def with_desk(command: _Command) -> _Command:
    """`--log`, `--origin`, `--key`, `--index`, `--gateway`, `--token-file`, as one `desk`."""

    @functools.wraps(command)
    def wrapped(**given: Any) -> Any:
        return command(desk=Desk(**{name: given.pop(name) for name in _NAMES}), **given)

    file = click.Path(path_type=Path, dir_okay=False)
    for option in reversed(
        (
            click.option("--log", required=True, help="The copy: folder, file, or postgresql://…"),
            click.option("--origin", multiple=True, help="Only this log of the copy; repeatable."),
            click.option("--key", type=file, required=True, help="Your own private key."),
            click.option(
                "--index", type=file, default="review.idx", show_default=True, help="Your index."
            ),
            click.option("--gateway", envvar="CUVAR_GATEWAY", help="https://… of the gateway."),
            click.option("--token-file", type=file, help="Your access token for the gateway."),
            click.option("--client-cert", type=file, help="PEM to which the token is bound."),
        )
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value] # the same command with other options


def progress(done: int, of: int) -> None:
    """One line that counts up, for people only."""
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} of {of:,} entries", nl=done >= of, err=True)
