# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit …`: verify the log, show an entry, fetch a receipt, make an officer's key.

The same checks run without the gateway as `python -m audit`; these read the place of the log
and its key from the settings.
"""

import asyncio
import json
from pathlib import Path
from typing import ClassVar

import click

from audit import create_dpo_key, open_sealed, read_private_key
from audit.checkpoint import kept_checkpoint
from audit.copies import origins
from audit.verify import Job, verify_logs
from audit.verify.telling import as_document, as_lines, progress, worst
from gateway.commands.fork_evidence import check_evidence_, fork_evidence
from gateway.commands.lazy import LazyGroup, Loaders
from gateway.commands.options import with_config, with_json
from gateway.commands.publishing import log_place, logs, publishing, vkey, vkey_of
from gateway.errors import GatewayError
from gateway.logfile import read_entry, read_receipt
from gateway.settings import load_settings


class DetailError(GatewayError):
    """A sealed detail can't be shown."""


def _complete() -> click.Command:
    from gateway.commands.reconciling import completing

    return completing


def _reconcile() -> click.Command:
    from gateway.commands.reconciling import reconciling

    return reconciling


def _retention() -> click.Command:
    from gateway.commands.retention import retention

    return retention


def _hold() -> click.Command:
    from gateway.commands.retention import holding

    return holding


def _succeed() -> click.Command:
    from gateway.commands.succeed import succeed

    return succeed


def _erase() -> click.Command:
    from gateway.commands.erasing import erasing

    return erasing


class _Audit(LazyGroup):
    loaders: ClassVar[Loaders] = {
        "complete": _complete,
        "reconcile": _reconcile,
        "retention": _retention,
        "hold": _hold,
        "succeed": _succeed,
        "erase": _erase,
    }


@click.group(cls=_Audit)
def audit() -> None:
    """The log: verify it, read an entry, get a receipt."""


audit.add_command(fork_evidence)
audit.add_command(check_evidence_)


@audit.command()
@with_config
@with_json
@click.option("--url", default=None, help="A copy: a published folder, a file, postgresql://…")
@click.option("--log", "origin", default=None, help="One log by name; all of them when left out.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An older signed checkpoint; finds a past that was rewritten with the log's own key.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A trust policy; its quorum must have cosigned.",
)
def verify(
    config: Path,
    url: str | None,
    origin: str | None,
    checkpoint: Path | None,
    policy: Path | None,
    *,
    as_json: bool,
) -> None:
    """Compute every hash of the logs anew and name what does not fit.

    \b
    Examples:
      cuvar audit verify --config .demo/cuvar.toml
      cuvar audit verify --config .demo/cuvar.toml --url copy.sqlite --json
      cuvar audit verify --log demo.cuvar.invalid/BA/2026h2 --config .demo/cuvar.toml
    Exit code 1 when entries or hashes do not fit, 3 when witnesses are missing, 4 when
    sealed details are, 7 when entries are lost as a log's successor declares.
    """
    settings = load_settings(config)
    place = url or log_place(settings)
    kept = dict([kept_checkpoint(checkpoint.read_bytes())] if checkpoint else [])
    rules = None if policy is None else policy.read_bytes()
    names = [name for name in origins(place) if origin in (None, name)]
    for name in ({origin} if origin else set()) | kept.keys():
        if name not in names:
            raise DetailError(f"{place} holds no log {name}; `cuvar audit logs` lists them")
    jobs = [
        Job(place, vkey_of(settings, name), name, tuple(kept[n] for n in kept if n == name), rules)
        for name in names
    ]
    reports = verify_logs(jobs, progress)
    if as_json:
        click.echo(json.dumps({"logs": [as_document(report) for report in reports]}))
    else:
        click.echo("\n".join(line for report in reports for line in as_lines(report)))
    if worst(reports):
        raise click.exceptions.Exit(worst(reports))


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
      cuvar audit show demo.cuvar.invalid/BA/2026h2/1 --config .demo/cuvar.toml \\
        --key .demo/dpo/BA.key
    """
    found = asyncio.run(read_entry(log_place(load_settings(config)), entry))
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
    click.echo(asyncio.run(read_receipt(log_place(load_settings(config)), entry)), nl=False)


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


for _command in (logs, publishing, vkey):
    audit.add_command(_command)
