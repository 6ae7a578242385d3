# SPDX-License-Identifier: EUPL-1.2
"""`cuvar index …`: the blind index, a nation's half (key, build) and the gateway's (the rest)."""

from typing import ClassVar

import click

from gateway.commands.lazy import LazyGroup, Loaders


def _key() -> click.Command:
    from gateway.commands.index.key import key

    return key


def _build() -> click.Command:
    from gateway.commands.index.build import build

    return build


def _load() -> click.Command:
    from gateway.commands.index.holding import load

    return load


def _status() -> click.Command:
    from gateway.commands.index.holding import status

    return status


def _rotate() -> click.Command:
    from gateway.commands.index.holding import rotate

    return rotate


def _erase() -> click.Command:
    from gateway.commands.index.holding import erase

    return erase


class _Index(LazyGroup):
    loaders: ClassVar[Loaders] = {
        "key": _key,
        "build": _build,
        "load": _load,
        "status": _status,
        "rotate": _rotate,
        "erase": _erase,
    }


@click.group(cls=_Index)
def index() -> None:
    """The blind index: who was registered where, without a name or a date in the gateway."""
