# SPDX-License-Identifier: EUPL-1.2
"""The national registers of the settings, as sources.

A register's database may be down at start (its answers are "unavailable" until it is back);
its mapping file may not be wrong, because then nobody knows what would be read.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from gateway.settings import Settings
from gateway.sources import Limits, Source, open_source
from policies import Snapshot


def open_registers(
    settings: Settings, snapshot: Snapshot, stack: AsyncExitStack
) -> dict[str, Source]:
    """Every register of the settings, closed with the stack.

    Raises:
        MappingError: a mapping file is refused, with file and lines.
    """
    fields = known_fields(snapshot)
    sources = {}
    for country in settings.registers:
        sources[country] = open_register(settings, country, fields)
        stack.push_async_callback(sources[country].close)
    return sources


def open_register(settings: Settings, country: str, fields: Mapping[str, frozenset[str]]) -> Source:
    """One country's register; its database may be down, its mapping may not be wrong.

    Raises:
        MappingError: the mapping file is refused, with file and lines.
    """
    register = settings.registers[country]
    limits = Limits(
        timeout_s=register.timeout_s,
        concurrency=register.concurrency,
        breaker_failures=register.breaker_failures,
        breaker_open_s=register.breaker_open_s,
    )
    url = register.url.get_secret_value()
    return open_source(country, url, register.mapping, limits, fields=fields)


def known_fields(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """The field ids of each dataset: all that a mapping may name."""
    return {
        name: frozenset(
            field.id
            for category in dataset.categories.values()
            for field in category.fields.values()
        )
        for name, dataset in snapshot.vocabulary.datasets.items()
    }
