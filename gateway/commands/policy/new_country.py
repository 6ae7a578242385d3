# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy new-country`: the folder of a new country, with nothing allowed in it yet."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from gateway.commands.options import with_json
from gateway.commands.policy.folder import FOLDER
from gateway.errors import GatewayError
from policies.examples import HEADER as EXAMPLE_HEADER
from policies.line import COLUMNS
from policies.loader import load_rules

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_NAME: Final = re.compile(r"[^\W\d_][\w .'-]{1,60}")
_COUNTRIES: Final = "vocabulary/countries.csv"
_ORGANISATIONS: Final = "vocabulary/organisations.csv"
_TITLES: Final = "org,title,role"
# A rule file without a line is refused, because it may have lost them: nothing is said in words.
NOTHING: Final = "{0}-N1,anyone,*,{0},*,*,*,*,*,-,deny,-,GDP-01,unverified,nothing is allowed yet"
NOBODY: Final = "{0}-QN1,anyone,own,*,*,*,*,*,*,-,deny,-,GDP-01,unverified,nobody asks abroad yet"
_TITLE: Final = "{0}-BP,border officer,border_officer"
_REFUSED: Final = (
    (
        "{0}-E01,{0}-BP,{0},border_officer,read,persons,{0},direct_identifier,full,border_check,"
        "presence,-,refused"
    ),
    (
        "{0}-E02,{0}-AS,{0},asylum_officer,read,asylum,{0},asylum,full,asylum_procedure,"
        "case_number,-,refused"
    ),
)
FIRST_LINE: Final = (
    "{0}-O01,border_officer,own,{0},persons,direct_identifier + biographic + document,full,"
    "find + read,border_check,presence,allow,log_reason,INT-06 + EUR-02,unverified,-"
)
FIRST_EXAMPLES: Final = (
    (
        "{0}-E01,{0}-BP,{0},border_officer,read,persons,{0},direct_identifier,full,border_check,"
        "presence,-,full"
    ),
    (
        "{0}-E03,{0}-BP,{0},border_officer,read,persons,{0},direct_identifier,full,border_check,"
        "-,presence,refused"
    ),
)


class NewCountryError(GatewayError):
    """The folder of a new country can't be started."""


@click.command("new-country")
@click.argument("folder", type=FOLDER)
@click.argument("country")
@click.option("--name", required=True, help="The country's name in the vocabulary.")
@click.option("--like", help="Another country, whose lines are taken as a start.")
@click.option("--member", is_flag=True, help="It is a member state of the Union.")
@with_json
def new_country(
    folder: Path, country: str, name: str, like: str | None, *, member: bool, as_json: bool
) -> None:
    r"""Start the rules of COUNTRY in FOLDER, a copy of a rule set.

    Writes the country and its usual authorities into the vocabulary, and its own folder, in which
    nothing is allowed; then shows how a first line is written. With --like, the lines of another
    country are taken instead, every id, owner and organisation changed: read them, cut them.

    \b
    Examples:
      cuvar policy new-country my-rules XK --name Kosovo
      cuvar policy new-country my-rules XK --name Kosovo --like ME
    """
    written = start_country(folder, country, name, like, member=member)
    snapshot = load_rules(folder, on=datetime.now(UTC).date())
    if as_json:
        told = {"country": country, "like": like, "files": written, "digest": snapshot.digest}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif like is not None:
        click.echo(
            f"{folder / country}: lines taken from {like}, all unverified; read them, cut them"
        )
    else:
        click.echo(_steps(folder, country))


def _steps(folder: Path, country: str) -> str:
    """How a first line comes into force, with one that can be copied."""
    examples = "\n".join(f"       {row.format(country)}" for row in FIRST_EXAMPLES)
    return f"""{folder / country}: nothing is allowed; {country}-N1 and {country}-QN1 say so.

A first line, for example: a border officer reads the identity of a person who is present.
  1. Say what must come out. In {country}/examples.csv, in place of {country}-E01:
{examples}
  2. Write the narrowest line that does it. In {country}/rules.csv, in place of {country}-N1:
       {FIRST_LINE.format(country)}
  3. Check:                cuvar policy check {folder} --unsigned
  4. See what it changes:  cuvar policy diff OLD {folder}
  5. Read it in words:     cuvar policy render --rules {folder} --country {country}
What has no line stays refused. docs/policies/README.md says how to go on."""


def start_country(
    folder: Path, country: str, name: str, like: str | None, *, member: bool
) -> list[str]:
    """Write the folder and vocabulary rows of a new country; the names of the files written.

    Raises:
        NewCountryError: an argument can't be used, or the country is there already.
    """
    if not _COUNTRY.fullmatch(country) or not _NAME.fullmatch(name):
        raise NewCountryError("a country has two capital letters and a plain name")
    target = folder / country
    if target.exists():
        raise NewCountryError(f"{target} is there already")
    if like is not None and not (folder / like).is_dir():
        raise NewCountryError(f"{folder} has no folder {like} to start from")
    row = f"{country},{'yes' if member else 'no'},{name}\n"
    written = {f"{country}/{n}": text for n, text in _files(folder, country, like).items()}
    written[_COUNTRIES] = _read(folder, _COUNTRIES) + row
    written[_ORGANISATIONS] = _with_authorities(_read(folder, _ORGANISATIONS), country, like)
    target.mkdir()
    for path, text in written.items():
        (folder / path).write_text(text, encoding="utf-8")
    return sorted(written)


def _files(folder: Path, country: str, like: str | None) -> dict[str, str]:
    if like is not None:
        own = re.compile(rf"\b{like}(?=-|,|\b)")
        return {
            file.name: own.sub(country, file.read_text(encoding="utf-8"))
            for file in sorted((folder / like).glob("*.csv"))
        }
    tables = {
        "rules.csv": (",".join(COLUMNS), NOTHING),
        "asking.csv": (",".join(COLUMNS), NOBODY),
        "roles.csv": (_TITLES, _TITLE),
        "examples.csv": (",".join(EXAMPLE_HEADER), *_REFUSED),
    }
    return {name: "".join(f"{r.format(country)}\n" for r in rows) for name, rows in tables.items()}


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NewCountryError(f"{folder} has no readable {name}; copy a whole rule set") from error


def _with_authorities(text: str, country: str, like: str | None) -> str:
    """The organisations and those of the new country: one of each kind that the other one has."""
    lines = text.splitlines(keepends=True)
    pattern = like or next((i for i, _, c, *_ in map(_cells, lines[1:]) if i == f"{c}-BP"), "")
    other = pattern.removesuffix("-BP")
    taken = [_authority(line, other, country) for line in lines if line.startswith(f"{other}-")]
    if not taken:
        raise NewCountryError("no country of the vocabulary has authorities to take as a pattern")
    return "".join([*lines, *taken])


def _cells(line: str) -> list[str]:
    return line.rstrip("\n").split(",", 4)


def _authority(line: str, other: str, country: str) -> str:
    """An organisation's row for the new country; its name is to be filled in by the country."""
    ident, kind, _, stations, _ = _cells(line)
    return f"{ident.replace(other, country, 1)},{kind},{country},{stations},{kind} to be named\n"
