# SPDX-License-Identifier: EUPL-1.2
"""`cuvar linkage …`: what a nation's side does about persons who may be registered elsewhere."""

from typing import ClassVar

import click

from gateway.commands.lazy import LazyGroup, Loaders


def _blind() -> click.Command:
    from gateway.commands.linkage.blind import blind

    return blind


def _evaluate() -> click.Command:
    from gateway.commands.linkage.evaluate import evaluate

    return evaluate


class _Linkage(LazyGroup):
    loaders: ClassVar[Loaders] = {"blind": _blind, "evaluate": _evaluate}


@click.group(cls=_Linkage)
def linkage() -> None:
    """Whether somebody was registered elsewhere: the asker's side, and how good the answers are."""
