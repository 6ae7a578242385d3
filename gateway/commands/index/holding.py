# SPDX-License-Identifier: EUPL-1.2
"""`cuvar index load|status|rotate|erase`: the gateway's half. None of it takes the nations' key."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import click

from anonymise.errors import LinkageError
from gateway.commands.index.build import Counted, register_of
from gateway.commands.options import with_config, with_json
from gateway.keyset import open_keyring
from gateway.linkage.loading import Parts, load_file
from gateway.linkage.peppers import Peppers
from gateway.linkage.recording import IndexRecorder
from gateway.linkage.tables import LINKAGE
from gateway.linkage.upkeep import (
    Standing,
    erase_gone,
    finish,
    forget_country,
    standing,
)
from gateway.linkage.upkeep import erase as erase_persons
from gateway.linkage.upkeep import rotate as open_epoch
from gateway.opening import utc_now
from gateway.settings import Settings, load_settings
from gateway.store import Store

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_SURROGATE: Final = 16
_Value = TypeVar("_Value")


@click.command()
@click.argument("file", type=_FILE)
@with_config
@with_json
def load(file: Path, config: Path, *, as_json: bool) -> None:
    """Load a nation's FILE in place of what its country had in that epoch.

    The old index answers until the new one is whole and its entry stands in the country's log. Cut
    off at any moment, either the old one answers or the new one.

    \b
    Example:
      cuvar index load BA-2027q1.index --config cuvar.toml
    """
    progress = Counted("rows written")
    result = _run(config, lambda parts: load_file(parts, file, utc_now(), progress))
    header = result.header
    if as_json:
        told = {"country": header.country, "epoch": header.epoch, "sha256": header.sha256}
        click.echo(json.dumps(told | {"rows": result.rows, "crowded": result.crowded}))
        return
    click.echo(f"{header.country} {header.epoch}: {result.rows:,} rows serve")
    if result.crowded:
        click.echo(f"{result.crowded:,} keys that too many share are left out", err=True)


@click.command()
@with_config
@with_json
def status(config: Path, *, as_json: bool) -> None:
    """Show each country's index in each open epoch: grammar, blinding, age.

    \b
    Example:
      cuvar index status --config cuvar.toml
    """
    lines = _run(config, standing)
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines]))
        return
    now = utc_now()
    for line in lines:
        click.echo(_said(line, now))
    if not lines:
        click.echo("no epoch is open; open one with `cuvar index rotate`", err=True)


@click.command()
@with_config
@click.option("--epoch", help="Quarter to open, 2027q1; the one after the newest if left out.")
@click.option("--finish", "finishing", is_flag=True, help="Destroy the oldest epoch instead.")
@click.option("--without", multiple=True, help="With --finish: a country that need not resend.")
@with_json
def rotate(
    config: Path, epoch: str | None, without: tuple[str, ...], *, finishing: bool, as_json: bool
) -> None:
    """Open the next epoch, or destroy the oldest once every country has sent the newer one.

    The old epoch is answered until it is finished; then its pepper and its rows are destroyed.
    Every log has an entry of both.

    \b
    Examples:
      cuvar index rotate --config cuvar.toml
      cuvar index rotate --finish --config cuvar.toml
    """
    progress = Counted("rows destroyed")
    if finishing:
        done = _run(config, lambda parts: finish(parts, without, progress))
    else:
        done = _run(config, lambda parts: open_epoch(parts, epoch, utc_now()))
    act = "destroyed" if finishing else "open"
    click.echo(json.dumps({"epoch": done, "state": act}) if as_json else f"{done} is {act}")


@click.command()
@click.argument("country")
@with_config
@click.option("--surrogate", multiple=True, help="A person's surrogate, 32 hex digits; repeatable.")
@click.option("--gone", is_flag=True, help="Whom the register holds no more, or past retention.")
@click.option("--all", "everybody", is_flag=True, help="The country's whole index.")
@with_json
def erase(
    country: str,
    config: Path,
    surrogate: tuple[str, ...],
    *,
    gone: bool,
    everybody: bool,
    as_json: bool,
) -> None:
    """Take persons of COUNTRY out of its index, in every epoch; an entry comes first.

    \b
    Examples:
      cuvar index erase BA --gone --config cuvar.toml
      cuvar index erase BA --surrogate 4fec885605fe8890107d20dd9792d027
    """
    if sum((bool(surrogate), gone, everybody)) != 1:
        raise LinkageError("name --surrogate, --gone or --all")
    progress = Counted("read or erased")
    if everybody:
        _run(config, lambda parts: forget_country(parts, country, progress))
        click.echo(json.dumps({"country": country}) if as_json else f"{country} is out")
        return
    if gone:
        count = _run(config, lambda parts: _gone(parts, country, progress))
    else:
        persons = [_parsed(text) for text in surrogate]
        count = _run(config, lambda parts: erase_persons(parts, country, persons))
    told = {"country": country, "persons": count}
    click.echo(json.dumps(told) if as_json else f"{country}: {count} persons are out")


async def _gone(parts: Parts, country: str, progress: Counted) -> int:
    source = register_of(parts.recorder.settings, country, utc_now().date())
    try:
        return await erase_gone(parts, source, utc_now(), progress)
    finally:
        await source.close()


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncIterator[Parts]:
    """What the gateway's half needs, closed at the end.

    Raises:
        StoreError: the tables are not there; `cuvar init` makes them.
        AnonymiseError, GatewayError: the keyset can't be opened.
    """
    store = Store(settings.state.url.get_secret_value(), name="linkage index")
    try:
        await store.open(LINKAGE)
        keyring = open_keyring(settings)
        try:
            yield Parts(
                store,
                keyring,
                Peppers(store, keyring),
                IndexRecorder(settings, utc_now),
                frozenset(settings.registers),
            )
        finally:
            keyring.close()
    finally:
        await store.close()


def _run(config: Path, work: Callable[[Parts], Awaitable[_Value]]) -> _Value:
    async def run() -> _Value:
        async with open_parts(load_settings(config)) as parts:
            return await work(parts)

    return asyncio.run(run())


def _said(line: Standing, now: datetime) -> str:
    loaded = line.load
    if loaded is None:
        return f"{line.country} {line.epoch}: nothing loaded"
    age = (now - datetime.fromisoformat(loaded.made)).days
    return (
        f"{line.country} {line.epoch}: built {loaded.made} ({age} days), loaded {loaded.loaded}, "
        f"grammar {loaded.grammar}, {loaded.blinding}, {loaded.digest[:16]}"
    )


def _parsed(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != _SURROGATE:
        raise LinkageError("a surrogate has 32 hex digits; take it from the register")
    return value
