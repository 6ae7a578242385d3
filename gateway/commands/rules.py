# SPDX-License-Identifier: EUPL-1.2
"""`cuvar rules …`: check a rule folder; start the folder of a new country."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from gateway.commands.options import with_json
from gateway.errors import GatewayError
from policies import load_rules

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_NAME: Final = re.compile(r"[^\W\d_][\w .'-]{1,60}")


class NewCountryError(GatewayError):
    """The folder of a new country can't be started."""


@click.group()
def rules() -> None:
    """The rule folder: check it, start a new country."""


@rules.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@with_json
def check(folder: Path, *, as_json: bool) -> None:
    r"""Load FOLDER as the gateway would; every problem with file and line.

    \b
    Example:
      cuvar rules check my-rules
    """
    snapshot = load_rules(folder, on=datetime.now(UTC).date())
    told = {"digest": snapshot.digest, "countries": sorted(snapshot.vocabulary.countries)}
    click.echo(json.dumps(told) if as_json else f"sound; digest {snapshot.digest}")


@rules.command("new-country")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("country")
@click.option("--name", required=True, help="The country's name in the vocabulary.")
@click.option("--like", required=True, help="The country whose lines are taken as a start.")
@click.option("--member", is_flag=True, help="It is a member state of the Union.")
def new_country(folder: Path, country: str, name: str, like: str, *, member: bool) -> None:
    r"""Start the rules of COUNTRY in FOLDER, a copy of a rule set.

    Writes the country and its usual authorities into the vocabulary, and its own folder with the
    lines of --like, every id, owner and organisation changed. Then read and cut them.

    \b
    Example:
      cuvar rules new-country my-rules XK --name Kosovo --like ME
    """
    start_country(folder, country, name, like, member=member)
    load_rules(folder, on=datetime.now(UTC).date())
    click.echo(f"{folder / country}: lines taken from {like}, all unverified; read them, cut them")


def start_country(folder: Path, country: str, name: str, like: str, *, member: bool) -> None:
    """Write the folder and vocabulary rows of a new country; all or nothing but a crash.

    Raises:
        NewCountryError: an argument can't be used, or the country is there already.
    """
    if not _COUNTRY.fullmatch(country) or not _NAME.fullmatch(name):
        raise NewCountryError("a country has two capital letters and a plain name")
    source, target = folder / like, folder / country
    if not source.is_dir():
        raise NewCountryError(f"{folder} has no folder {like} to start from")
    if target.exists():
        raise NewCountryError(f"{target} is there already")
    own = re.compile(rf"\b{like}(?=-|,|\b)")
    written = {
        target / file.name: own.sub(country, file.read_text(encoding="utf-8"))
        for file in sorted(source.glob("*.csv"))
    }
    countries = folder / "vocabulary/countries.csv"
    organisations = folder / "vocabulary/organisations.csv"
    row = f"{country},{'yes' if member else 'no'},{name}\n"
    written[countries] = countries.read_text(encoding="utf-8") + row
    lines = organisations.read_text(encoding="utf-8").splitlines(keepends=True)
    taken = [_authority(line, like, country) for line in lines if line.startswith(f"{like}-")]
    written[organisations] = "".join([*lines, *taken])
    target.mkdir()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")


def _authority(line: str, like: str, country: str) -> str:
    """An organisation's row for the new country; its name is to be filled in by the country."""
    ident, kind, _, stations, _ = line.rstrip("\n").split(",", 4)
    return f"{ident.replace(like, country, 1)},{kind},{country},{stations},{kind} to be named\n"
