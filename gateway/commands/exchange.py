# SPDX-License-Identifier: EUPL-1.2
"""`cuvar exchange write` and `read`: an answer as a record for another system, and one from it.

Neither reads a register or the log: what is written was released by an answer that has its entry.
"""

import json
from pathlib import Path

import click

from gateway.exchange import ExchangeError, gather, read_eurodac, read_umf
from gateway.exchange.mapping import from_eurodac, from_umf, to_eurodac, to_umf

_FORM = click.option(
    "--form", type=click.Choice(["eurodac", "umf"]), required=True, help="Which of the two shapes."
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_REASONS = click.Choice(["armed", "violent", "terrorist_offence", "listed_offence"])


@click.group()
def exchange() -> None:
    """Records in the shapes that Eurodac and UMF systems take."""


@exchange.command()
@_FORM
@click.option("--persons", type=_FILE, help="Body of an answer on persons.")
@click.option("--registrations", type=_FILE, help="Body of an answer on registrations.")
@click.option("--asylum", type=_FILE, help="Body of an answer on asylum.")
@click.option(
    "--security-reason", "reasons", type=_REASONS, multiple=True, help="Why the flag was set."
)
def write(
    form: str,
    persons: Path | None,
    registrations: Path | None,
    asylum: Path | None,
    reasons: tuple[str, ...],
) -> None:
    """Make a record of one person from answers of the gateway, to standard output.

    What the answers have and the form has no place for is named on standard error.

    \b
    Examples:
      cuvar exchange write --form eurodac --persons p.json --registrations r.json > record.json
      cuvar exchange write --form umf --persons p.json > message.json
    """
    given = {"persons": persons, "registrations": registrations, "asylum": asylum}
    answers = {name: path.read_bytes() for name, path in given.items() if path is not None}
    if not answers:
        raise click.UsageError("name at least one answer: --persons, --registrations or --asylum")
    person = gather(answers)
    if form == "umf" and reasons:
        raise click.UsageError("the UMF-aligned message has no security flag")
    made = to_umf(person) if form == "umf" else to_eurodac(person, reasons)
    click.echo(made.body.decode())
    for field in made.left_out:
        click.echo(f"left out, the form has no place for it: {field}", err=True)


@exchange.command()
@_FORM
@click.argument("file", type=_FILE)
def read(form: str, file: Path) -> None:
    """Check a record from another system and print its fields as ours, in JSON.

    A member that is not of the closed list, a flag without a reason and a reference number of
    another category are refused.

    \b
    Example:
      cuvar exchange read --form eurodac record.json
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ExchangeError(f"{file.name} can't be read: {error.strerror}") from None
    fields = from_umf(read_umf(data)) if form == "umf" else from_eurodac(read_eurodac(data))
    click.echo(json.dumps(fields, ensure_ascii=False))
