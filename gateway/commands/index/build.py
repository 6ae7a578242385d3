# SPDX-License-Identifier: EUPL-1.2
"""`cuvar index build`: a nation's half of the index, made where its register is."""

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

import click

from anonymise.domain import epoch_of
from anonymise.errors import LinkageError
from anonymise.linkage.keyfile import read_nations_key
from gateway.commands.index.passphrase import passphrase_of, with_passphrase
from gateway.commands.options import with_config, with_json
from gateway.keyholder.client import KeyHolderClient
from gateway.linkage.building import Built, KeyHolder, NationsKey, Order
from gateway.linkage.building import build as build_file
from gateway.opening import open_rules, utc_now
from gateway.registers import known_fields
from gateway.settings import Settings, load_settings
from gateway.sources import Limits, Source, open_source

_FILE = click.Path(path_type=Path, dir_okay=False)
_PATIENCE_S: Final = 60.0


@click.command()
@click.argument("country")
@with_config
@click.option("--out", type=_FILE, required=True, help="The file to send to the gateway.")
@click.option("--epoch", help="Quarter of the index, such as 2027q1; the current one if left out.")
@click.option("--nations-key", type=_FILE, help="Blind with this key.")
@click.option("--keyholder", help="Blind through the key holder at this address instead.")
@click.option("--client", type=_FILE, help="With --keyholder: the file that admits this nation.")
@with_passphrase
@with_json
def build(  # noqa: PLR0917  one option each
    country: str,
    config: Path,
    out: Path,
    epoch: str | None,
    nations_key: Path | None,
    keyholder: str | None,
    client: Path | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Read COUNTRY's register through its mapping and write blind keys for the gateway.

    The file holds no name and no date. Run it where the register is; the pepper is not needed, and
    the nations' key never goes to the gateway. Expired records are left out.

    \b
    Examples:
      cuvar index build BA --nations-key nations.key --out BA-2027q1.index --config cuvar.toml
      cuvar index build BA --keyholder https://k.example --client BA.client --out BA.index
    """
    now = utc_now()
    quarter = epoch or epoch_of(now.date())
    if keyholder is not None and client is not None and nations_key is None:
        blinding: NationsKey | KeyHolder = KeyHolder(
            KeyHolderClient.of(keyholder, client, patient=True).blinder(quarter)
        )
    elif nations_key is not None and keyholder is None and client is None:
        blinding = NationsKey(read_nations_key(nations_key, passphrase_of(passphrase_file)))
    else:
        raise LinkageError("name --nations-key, or --keyholder and --client")
    built = asyncio.run(_built(config, country, Order(quarter, out, now), blinding))
    header = built.header
    if as_json:
        told = asdict(header) | {
            "without_keys": built.without_keys,
            "without_surrogate": built.without_surrogate,
        }
        click.echo(json.dumps(told))
        return
    click.echo(f"{out.name}: {header.persons:,} persons, {header.keys:,} keys, {header.sha256}")
    if built.without_keys:
        click.echo(f"{built.without_keys:,} persons lack date and number: not linked", err=True)
    if built.without_surrogate:
        click.echo(f"{built.without_surrogate:,} persons have no surrogate: not linked", err=True)


async def _built(
    config: Path, country: str, order: Order, blinding: NationsKey | KeyHolder
) -> Built:
    source = register_of(load_settings(config), country, order.now.date())
    try:
        return await build_file(source, order, blinding, Counted("persons read"))
    finally:
        await source.close()


def register_of(settings: Settings, country: str, today: date) -> Source:
    """A country's register, with the patience that reading all of it takes.

    Raises:
        LinkageError: the settings have none.
        MappingError: its mapping is refused.
    """
    register = settings.registers.get(country)
    if register is None:
        raise LinkageError(f"the settings have no register of {country}; see [registers]")
    fields = known_fields(open_rules(settings, today))
    limits = Limits(timeout_s=_PATIENCE_S, concurrency=2)
    url = register.url.get_secret_value()
    return open_source(country, url, register.mapping, limits, fields=fields)


class Counted:
    """Tells on a terminal how many; `_done` is its own."""

    def __init__(self, what: str) -> None:
        self._what, self._done = what, 0

    def __call__(self, more: int) -> None:
        """So many more."""
        self._done += more
        if sys.stderr.isatty():
            click.echo(f"\r{self._done:,} {self._what}", nl=False, err=True)
