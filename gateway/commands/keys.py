# SPDX-License-Identifier: EUPL-1.2
"""`cuvar keys add`: a root key for one more country in the keyset."""

from pathlib import Path

import click

from anonymise import Keyring
from gateway.commands.options import with_config
from gateway.keyset import passphrase
from gateway.settings import load_settings


@click.group()
def keys() -> None:
    """The keyset behind pseudonyms."""


@keys.command()
@click.argument("country")
@with_config
def add(country: str, config: Path) -> None:
    """Add a root key for COUNTRY; the keyset before is kept beside the new one.

    \b
    Example:
      cuvar keys add XK --config my/cuvar.toml
    Restart every gateway that shares the keyset: open cursors and hit tokens end with it.
    """
    settings = load_settings(config)
    kept = Keyring.add(settings.keys.keyset, passphrase(settings), country)
    click.echo(f"root key of {country} added; the keyset before stands in {kept.name}")
