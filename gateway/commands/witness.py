# SPDX-License-Identifier: EUPL-1.2
"""`cuvar witness …`: a data-protection authority's own signer of the countries' logs.

Everything stands in one folder; docs/witness.md sets one up in ten minutes. The service sees the
name, size and root of a log, and nothing of what is in it.
"""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import click

from audit import WitnessError
from audit.evidence import make_evidence
from audit.witness import Contradiction, Refused, TrustedFile
from gateway.commands.options import with_json

_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def witness() -> None:
    """An authority's own witness of the logs: keys, trusted logs, service, what it refused."""


@witness.command()
@click.argument("name")
@_FOLDER
@click.option("--mldsa", is_flag=True, help="Make a second, quantum-safe key (ML-DSA-44) too.")
def keygen(name: str, folder: Path, *, mldsa: bool) -> None:
    """Make a witness called NAME in FOLDER: keys, an empty list of logs, an empty memory.

    \b
    Example:
      cuvar witness keygen witness.dpa.example/BA my-witness
    """
    from gateway.witness.serving import WitnessFolder

    cosigner = WitnessFolder(folder).create(name, mldsa=mldsa)
    click.echo("hand out (cuvar witness vkey):", err=True)
    for verifier in cosigner.verifiers:
        click.echo(verifier.vkey)


@witness.command()
@_FOLDER
@with_json
def vkey(folder: Path, *, as_json: bool) -> None:
    """Print the verifier keys, for trust policies; Ed25519 first.

    \b
    Example:
      cuvar witness vkey my-witness
    """
    from gateway.witness.serving import WitnessFolder

    cosigner = WitnessFolder(folder).cosigner()
    found = [verifier.vkey for verifier in cosigner.verifiers]
    click.echo(json.dumps({"name": cosigner.name, "vkeys": found}) if as_json else "\n".join(found))


@witness.command()
@_FOLDER
@click.argument("key", metavar="[VKEY]", required=False)
@click.option(
    "--country", is_flag=True, help="Trust the key for all half-year logs of its country."
)
@with_json
def trust(folder: Path, key: str | None, *, country: bool, as_json: bool) -> None:
    """Trust a log's key, or list the keys that are trusted.

    \b
    Examples:
      cuvar witness trust my-witness
      cuvar witness trust my-witness audit.example/BA/2026h2+… --country
    A running witness takes the change at once.
    """
    from gateway.witness.serving import WitnessFolder

    files = WitnessFolder(folder)
    if key is not None:
        files.trust(key, country=country)
    found = TrustedFile.open(files.trusted).current()
    rows = [
        {"kind": kind, "name": name, "vkey": verifier.vkey}
        for kind, table in (("log", found.logs), ("country", found.countries))
        for name, verifiers in table.items()
        for verifier in verifiers
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['kind']} {row['vkey']}")
    if not rows:
        click.echo("no log is trusted yet", err=True)


@witness.command("list")
@_FOLDER
@with_json
def list_(folder: Path, *, as_json: bool) -> None:
    """Show what was cosigned last, for each log.

    \b
    Example:
      cuvar witness list my-witness
    """
    from gateway.witness.serving import WitnessFolder

    with WitnessFolder(folder).book() as book:
        rows = [
            {
                "origin": origin,
                "size": last.checkpoint.size,
                "root": last.checkpoint.root.hex(),
                "time": _moment(last.time),
            }
            for origin, last in book.origins()
        ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['time']}  {row['size']:>12}  {row['origin']}")


@witness.command()
@_FOLDER
@click.option("--number", type=click.IntRange(min=1), help="Export this one.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to export to."
)
@with_json
def evidence(folder: Path, number: int | None, output: Path | None, *, as_json: bool) -> None:
    """List signed checkpoints that were refused; export one as evidence.

    \b
    Examples:
      cuvar witness evidence my-witness
      cuvar witness evidence my-witness --number 1 -o fork.evidence
    A `fork` proves itself: check the file with `cuvar audit check-evidence`. The others come out as
    the submission was, with the checkpoint that it stood against under it.
    """
    from gateway.witness.serving import WitnessFolder

    files = WitnessFolder(folder)
    with files.book() as book:
        found = book.refused()
    if number is not None:
        _export(files.trusted, _one(found, number), output)
        return
    rows = [
        {
            "number": refused.number,
            "kind": refused.kind.value,
            "origin": refused.checkpoint.origin,
            "size": refused.checkpoint.size,
            "root": refused.checkpoint.root.hex(),
            "time": _moment(refused.time),
        }
        for refused in found
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo("{number:>4}  {time}  {kind:<9}{size:>12}  {origin}".format(**row))


@witness.command()
@_FOLDER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8700, show_default=True, type=click.IntRange(0, 65535))
@click.option("--prefix", default="", help="Path before every address, such as /witness.")
@click.option("--certificate", type=_FILE, help="TLS certificate (PEM); without it plain HTTP.")
@click.option("--key", type=_FILE, help="Its private key (PEM).")
def serve(
    folder: Path, host: str, port: int, prefix: str, certificate: Path | None, key: Path | None
) -> None:
    """Run the witness until it is told to stop.

    \b
    Examples:
      cuvar witness serve my-witness
      cuvar witness serve my-witness --host 0.0.0.0 --certificate w.pem --key w.key
    """
    import uvicorn

    from gateway.witness.serving import WitnessFolder, server_config

    if (certificate is None) != (key is None):
        raise WitnessError("TLS needs both --certificate and --key")
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise WitnessError("a prefix begins with a slash and ends without one")
    tls = (certificate, key) if certificate and key else None
    with WitnessFolder(folder).app(prefix=prefix, tell=_tell) as app:
        click.echo(f"witness on {host}:{port}{prefix}", err=True)
        asyncio.run(uvicorn.Server(server_config(app, host, port, tls)).serve())


def _tell(line: str) -> None:
    click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", err=True)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _one(found: list[Refused], number: int) -> Refused:
    for refused in found:
        if refused.number == number:
            return refused
    raise WitnessError(f"there is no refused checkpoint {number}; list them without --number")


def _export(trusted: Path, refused: Refused, output: Path | None) -> None:
    if output is None:
        raise WitnessError("name a file to export to with -o")
    data = refused.body + b"\n" + refused.against.encode()
    if refused.kind is Contradiction.FORK:
        for log in TrustedFile.open(trusted).current().verifiers(refused.checkpoint.origin):
            found = make_evidence(refused.note.encode(), refused.against.encode(), log)
            data = found.text.encode()
    try:
        with output.open("xb") as file:
            file.write(data)
    except OSError:
        raise WitnessError(f"{output.name} exists or can't be written") from None
    click.echo(f"written to {output}", err=True)
