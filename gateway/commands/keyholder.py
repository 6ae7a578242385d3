# SPDX-License-Identifier: EUPL-1.2
"""`cuvar keyholder …`: a second operator's service that blinds keys without seeing them.

Everything stands in one folder; docs/linkage/keyholder.md sets one up.
"""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.commands.options import with_json
from gateway.keyholder.app import PER_HOUR, KeyHolderApp
from gateway.keyholder.errors import KeyHolderError
from gateway.keyholder.folder import KeyHolderFolder
from gateway.keyholder.memory import Memory

_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def keyholder() -> None:
    """A key holder: blinds the nations' keys without seeing them, and counts how many."""


@keyholder.command()
@_FOLDER
@click.option("--epoch", help="Open this quarter at once, such as 2027q1.")
def init(folder: Path, epoch: str | None) -> None:
    """Make a key holder in FOLDER: no quarter open yet, no nation admitted.

    \b
    Example:
      cuvar keyholder init my-keyholder --epoch 2027q1
    """
    files = KeyHolderFolder(folder)
    files.create()
    if epoch is not None:
        files.open(epoch)
    click.echo(f"made in {folder.name}", err=True)


@keyholder.command("open")
@_FOLDER
@click.argument("epoch")
def open_(folder: Path, epoch: str) -> None:
    """Draw the seed of quarter EPOCH; a running key holder answers for it at once.

    \b
    Example:
      cuvar keyholder open my-keyholder 2027q2
    """
    KeyHolderFolder(folder).open(epoch)


@keyholder.command()
@_FOLDER
@click.argument("epoch")
def close(folder: Path, epoch: str) -> None:
    """Delete the seed of quarter EPOCH: nobody can blind or test anything of it any more.

    \b
    Example:
      cuvar keyholder close my-keyholder 2027q1
    Copies of the folder, in backups too, are yours to destroy.
    """
    KeyHolderFolder(folder).close(epoch)


@keyholder.command()
@_FOLDER
@click.argument("country")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File for it."
)
def admit(folder: Path, country: str, out: Path) -> None:
    """Admit the nation COUNTRY and write the file that it shows; an earlier one counts no more.

    \b
    Example:
      cuvar keyholder admit my-keyholder BA --out BA.client
    """
    KeyHolderFolder(folder).admit(country, out)


@keyholder.command()
@_FOLDER
@click.argument("country")
def dismiss(folder: Path, country: str) -> None:
    """Admit the nation COUNTRY no more.

    \b
    Example:
      cuvar keyholder dismiss my-keyholder BA
    """
    memory = Memory(KeyHolderFolder(folder).memory)
    try:
        if not memory.dismiss(country):
            raise KeyHolderError(f"{country} is not admitted; see `cuvar keyholder status`")
    finally:
        memory.close()


@keyholder.command()
@_FOLDER
@with_json
def status(folder: Path, *, as_json: bool) -> None:
    """Show which quarters are open and which nations are admitted.

    \b
    Example:
      cuvar keyholder status my-keyholder
    """
    files = KeyHolderFolder(folder)
    memory = Memory(files.memory)
    try:
        told = {"epochs": files.epochs(), "nations": memory.nations()}
    finally:
        memory.close()
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, values in told.items():
        click.echo(f"{name}: {', '.join(values) or 'none'}")


@keyholder.command()
@_FOLDER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8710, show_default=True, type=click.IntRange(0, 65535))
@click.option("--prefix", default="", help="Path before every address, such as /keyholder.")
@click.option(
    "--per-hour",
    default=PER_HOUR,
    show_default=True,
    type=click.IntRange(16),
    help="Elements that one nation may have blinded in an hour.",
)
@click.option("--certificate", type=_FILE, help="TLS certificate (PEM); without it plain HTTP.")
@click.option("--key", type=_FILE, help="Its private key (PEM).")
def serve(  # noqa: PLR0917  one option each
    folder: Path,
    host: str,
    port: int,
    prefix: str,
    per_hour: int,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Run the key holder until it is told to stop.

    \b
    Examples:
      cuvar keyholder serve my-keyholder
      cuvar keyholder serve my-keyholder --host 0.0.0.0 --certificate k.pem --key k.key
    """
    import uvicorn

    from gateway.witness.serving import server_config

    if (certificate is None) != (key is None):
        raise KeyHolderError("TLS needs both --certificate and --key")
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise KeyHolderError("a prefix begins with a slash and ends without one")
    files = KeyHolderFolder(folder)
    memory = Memory(files.memory)
    try:
        app = KeyHolderApp(files, memory, time.time, per_hour=per_hour, prefix=prefix, tell=_tell)
        tls = (certificate, key) if certificate and key else None
        click.echo(f"key holder on {host}:{port}{prefix}", err=True)
        asyncio.run(uvicorn.Server(server_config(app, host, port, tls)).serve())
    finally:
        memory.close()


def _tell(line: str) -> None:
    click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", err=True)
