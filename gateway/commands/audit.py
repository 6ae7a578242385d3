# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit …`: verify the log, show an entry, fetch a receipt, make an officer's key.

The same checks run without the gateway as `python -m audit`; these read the place of the log
and its key from the settings.
"""

import asyncio
import json
import sys
from pathlib import Path

import click

from audit import (
    Report,
    create_dpo_key,
    open_sealed,
    read_private_key,
    verify_log,
)
from gateway.commands.options import with_config, with_json
from gateway.errors import GatewayError
from gateway.logfile import read_entry, read_receipt
from gateway.settings import load_settings


class DetailError(GatewayError):
    """A sealed detail can't be shown."""


@click.group()
def audit() -> None:
    """The log: verify it, read an entry, get a receipt."""


@audit.command()
@with_config
@with_json
@click.option("--url", default=None, help="Another log or a copy: sqlite:///FILE, postgresql://…")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An older signed checkpoint; finds a past that was rewritten with the log's own key.",
)
def verify(config: Path, url: str | None, checkpoint: Path | None, *, as_json: bool) -> None:
    """Compute every hash of the log anew and name what does not fit.

    \b
    Examples:
      cuvar audit verify --config .demo/cuvar.toml
      cuvar audit verify --config .demo/cuvar.toml --url sqlite:///copy.sqlite --json
    Exit code 1 when something does not fit.
    """
    settings = load_settings(config)
    signer = read_signer(settings.log.signer)
    report = verify_log(
        url or settings.log.url.get_secret_value(),
        vkey=signer.vkey,
        origin=signer.name,
        checkpoint=None if checkpoint is None else checkpoint.read_text(encoding="utf-8"),
        on_progress=_progress,
    )
    click.echo(json.dumps(_document(report)) if as_json else "\n".join(_lines(report)))
    if not report.ok:
        raise click.exceptions.Exit(1)


@audit.command()
@with_config
@with_json
@click.argument("entry")
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A data-protection officer's private key; shows the sealed detail too.",
)
def show(config: Path, entry: str, key: Path | None, *, as_json: bool) -> None:
    """Show one entry, named as the Audit-Entry header of an answer names it: LOG/INDEX.

    \b
    Example:
      cuvar audit show demo.cuvar.invalid/BA/2026h2/1 --config .demo/cuvar.toml --key .demo/dpo/BA.key
    """
    found = asyncio.run(read_entry(load_settings(config), entry))
    document: dict[str, object] = {"index": found.index, **json.loads(found.envelope)}
    if key is not None:
        if found.sealed is None:
            raise DetailError(f"entry {found.index} has no sealed detail, or it was erased")
        document["opened"] = json.loads(open_sealed(found.sealed, read_private_key(key)))
    click.echo(json.dumps(document, ensure_ascii=False, indent=None if as_json else 2))


@audit.command()
@with_config
@click.argument("entry")
def receipt(config: Path, entry: str) -> None:
    """Print the receipt (.tlog-proof) of one entry, named LOG/INDEX.

    \b
    Example:
      cuvar audit receipt demo.cuvar.invalid/BA/2026h2/1 --config .demo/cuvar.toml > 1.tlog-proof
    """
    click.echo(asyncio.run(read_receipt(load_settings(config), entry)), nl=False)


@audit.command()
@click.argument("country")
@click.option("--private", type=click.Path(path_type=Path), required=True)
@click.option("--public", type=click.Path(path_type=Path), required=True)
def keygen(country: str, private: Path, public: Path) -> None:
    """Make a data-protection officer's key pair; only the public half leaves his hands.

    \b
    Example:
      cuvar audit keygen BA --private dpo-BA.key --public dpo-BA.pub
    """
    create_dpo_key(private, public, country)
    click.echo(f"hand {public} to the gateway's operator; keep {private} where only you reach it")


def _progress(read: int, size: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{read:,} of {size:,} entries", nl=read >= size, err=True)


def _document(report: Report) -> dict[str, object]:
    return {
        "ok": report.ok,
        "size": report.size,
        "root": report.root.hex(),
        "findings": [{"index": f.index, "what": f.what} for f in report.findings],
    }


def _lines(report: Report) -> list[str]:
    lines = [f"{report.size} entries, root {report.root.hex()}"]
    for finding in report.findings:
        where = "the log" if finding.index is None else f"entry {finding.index}"
        lines.append(f"{where}: {finding.what}")
    lines.append("the log is whole" if report.ok else "THE LOG IS NOT WHOLE")
    return lines
