# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review …`: what a data-protection officer does with a copy of her country's log."""

from typing import ClassVar

import click

from gateway.commands.lazy import LazyGroup, Loaders


def _index() -> click.Command:
    from gateway.commands.review.index import index

    return index


def _find() -> click.Command:
    from gateway.commands.review.find import find

    return find


def _saved() -> click.Command:
    from gateway.commands.review.saved import saved

    return saved


def _report() -> click.Command:
    from gateway.commands.review.report import report

    return report


def _disclosures() -> click.Command:
    from gateway.commands.review.disclosures import disclosures

    return disclosures


def _export() -> click.Command:
    from gateway.commands.review.export import export

    return export


def _looks() -> click.Command:
    from gateway.commands.review.looks import looks

    return looks


def _alerts() -> click.Command:
    from gateway.commands.review.alerts import alerts

    return alerts


class _Review(LazyGroup):
    loaders: ClassVar[Loaders] = {
        "index": _index,
        "find": _find,
        "saved": _saved,
        "report": _report,
        "disclosures": _disclosures,
        "export": _export,
        "looks": _looks,
        "alerts": _alerts,
    }


@click.group(cls=_Review)
def review() -> None:
    """A copy of the log, on the officer's own machine: search it, report, export."""
