# SPDX-License-Identifier: EUPL-1.2
"""`cuvar release …`: make, prove, publish and trace extracts in which nobody stands alone."""

from typing import ClassVar

import click

from gateway.commands.lazy import LazyGroup, Loaders


def _create() -> click.Command:
    from gateway.commands.release.create import creating

    return creating


def _check() -> click.Command:
    from gateway.commands.release.check import checking

    return checking


def _publish() -> click.Command:
    from gateway.commands.release.publish import publishing

    return publishing


def _trace() -> click.Command:
    from gateway.commands.release.trace import tracing

    return tracing


class _Release(LazyGroup):
    loaders: ClassVar[Loaders] = {
        "create": _create,
        "check": _check,
        "publish": _publish,
        "trace": _trace,
    }


@click.group(cls=_Release)
def release() -> None:
    """Extracts of a table for partners: k-anonymous, l-diverse, attacked before they leave.

    docs/anonymisation/releases.md leads from a table to a published copy.
    """
