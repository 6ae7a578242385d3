# SPDX-License-Identifier: EUPL-1.2
"""`cuvar index key …`: the nations' key, which the gateway never holds."""

import json
from pathlib import Path

import click

from anonymise.linkage.keyfile import check_value, create_nations_key, read_nations_key
from gateway.commands.index.passphrase import passphrase_of, with_passphrase
from gateway.commands.options import with_json

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def key() -> None:
    """The nations' key: the same with every nation, with nobody else, in no gateway."""


@key.command()
@click.option("--out", type=_FILE, required=True, help="The key file; nothing may stand there.")
@with_passphrase
@with_json
def create(out: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Draw a nations' key and seal it under a passphrase.

    One nation does it; the others get file and passphrase on two separate ways, and compare the
    check value. It serves every epoch; each epoch's own key is derived from it.

    \b
    Example:
      cuvar index key create --out nations.key
    """
    told = create_nations_key(out, passphrase_of(passphrase_file, confirm=True))
    click.echo(json.dumps({"check": told}) if as_json else f"check value {told}")


@key.command()
@click.argument("file", type=_FILE)
@with_passphrase
@with_json
def check(file: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Show the check value of a nations' key, by which nations tell that theirs is the same.

    \b
    Example:
      cuvar index key check nations.key
    """
    told = check_value(read_nations_key(file, passphrase_of(passphrase_file)))
    click.echo(json.dumps({"check": told}) if as_json else f"check value {told}")
