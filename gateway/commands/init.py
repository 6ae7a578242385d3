# SPDX-License-Identifier: EUPL-1.2
"""`cuvar init`: create, once and explicitly, what a gateway keeps.

The logs, their signing keys, the keyset, the state database and (for trials) an empty fact
register. Nothing that exists is touched: a second run creates only what is missing.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import MetaData

from audit import Journal, Link
from audit.copies import origins
from audit.shards import parse_origin
from audit.verify import verify_log
from gateway.commands.options import with_config
from gateway.errors import GatewayError
from gateway.facts.attestation import METADATA as FACTS
from gateway.keyset import create_keyring, has_keyset
from gateway.linkage.tables import LINKAGE
from gateway.logkeys import create_missing_keys, key_file, log_countries, read_log_keys
from gateway.settings import Settings, load_settings
from gateway.state import METADATA as STATE
from gateway.store import Store, StoreError


class PredecessorError(GatewayError):
    """The log that the new ones are to succeed is none that can be succeeded."""


@click.command()
@with_config
@click.option("--after", help="The one log of an older gateway, which the new logs succeed.")
@click.option("--vkey", help="That log's verifier key, with --after.")
def init(config: Path, after: str | None, vkey: str | None) -> None:
    """Create the logs, their keys, the keyset and the gateway's own databases.

    \b
    Examples:
      cuvar init --config /etc/cuvar/cuvar.toml
      cuvar init --after old-log.sqlite --vkey audit.example/x+a871fc95+AZsf… --config cuvar.toml

    Registers are never created or changed. Each data-protection officer makes his own key with
    `cuvar audit keygen` and hands over the public half only.
    """
    if (after is None) is not (vkey is None):
        raise PredecessorError("--after and --vkey go together: name the old log and its key")
    link = None if after is None or vkey is None else predecessor(after, vkey)
    for line in create_missing(load_settings(config), link):
        click.echo(line)


def predecessor(place: str, vkey: str) -> Link:
    """The last state of a log that stays as it is.

    Raises:
        PredecessorError: it is not whole.
        AuditError: it can't be read, or the key is none.
    """
    report = verify_log(place, vkey=vkey)
    if not report.ok:
        raise PredecessorError(
            f"{place} is not whole: {report.findings[0].what}; see `cuvar audit verify --url`"
        )
    return Link(report.origin, report.size, report.root.hex())


def create_missing(settings: Settings, after: Link | None = None) -> list[str]:
    """Create what is not there; one line for each part. The logs succeed `after`, if given.

    Raises:
        GatewayError: a database can't be written.
        AuditError: the log or its key can't be written.
        AnonymiseError: the keyset can't be written.
    """
    log = settings.log.url.get_secret_value()
    countries = sorted(settings.registers)
    steps: tuple[tuple[str, bool, Callable[[], object]], ...] = (
        (
            "signing keys",
            all(key_file(settings, country).exists() for country in log_countries(settings)),
            lambda: create_missing_keys(settings),
        ),
        (
            "logs",
            _exists(log) and not _without_log(settings),
            lambda: _create_logs(settings, after),
        ),
        (
            "keyset",
            has_keyset(settings) or _by_ceremony(settings),
            lambda: create_keyring(settings, countries).close(),
        ),
        (
            "state database",
            _complete(settings.state.url.get_secret_value(), STATE, "state"),
            lambda: Store.create(settings.state.url.get_secret_value(), STATE, name="state"),
        ),
        (
            "linkage index",
            _complete(settings.state.url.get_secret_value(), LINKAGE, "state"),
            lambda: Store.create(settings.state.url.get_secret_value(), LINKAGE, name="state"),
        ),
        (
            "fact register",
            _exists(settings.facts.url.get_secret_value()),
            lambda: Store.create(settings.facts.url.get_secret_value(), FACTS, name="facts"),
        ),
    )
    told = []
    for name, present, create in steps:
        if not present:
            create()
        told.append(f"{name}: {'was there, untouched' if present else 'created'}")
    if _by_ceremony(settings) and not has_keyset(settings):
        place = [name for name, _, _ in steps].index("keyset")
        told[place] = "keyset: two custodians make it with `cuvar keys create`"
    return told


def _by_ceremony(settings: Settings) -> bool:
    """Whether the first root keys are made by two people, and not by whoever sets this up."""
    return settings.gateway.mode == "production" or bool(settings.keys.custodians)


def _without_log(settings: Settings) -> set[str]:
    """The countries that should keep a log in the store that is there, and never did."""
    there = origins(settings.log.url.get_secret_value())
    return set(log_countries(settings)) - {parse_origin(origin).country for origin in there}


def _create_logs(settings: Settings, after: Link | None) -> None:
    url, keys = settings.log.url.get_secret_value(), read_log_keys(settings)
    if _exists(url):
        asyncio.run(Journal.add_countries(url, keys=keys))
    else:
        Journal.create(url, keys=keys, now=datetime.now(UTC), after=after)


def _complete(url: str, tables: MetaData, name: str) -> bool:
    """Whether every table is there: an older version's database gets only what it lacks."""
    if not _exists(url):
        return False

    async def look() -> bool:
        store = Store(url, name=name)
        try:
            await store.open(tables)
        except StoreError:
            return False
        finally:
            await store.close()
        return True

    return asyncio.run(look())


def _exists(url: str) -> bool:
    """Whether a SQLite file is there; other databases tell by refusing to create a second time."""
    scheme, _, path = url.partition(":///")
    return scheme.startswith("sqlite") and Path(path).exists()
