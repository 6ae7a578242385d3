# SPDX-License-Identifier: EUPL-1.2
"""What the commands that carry out an order share: who ordered it, and which entries are meant."""

from collections.abc import Mapping

import click

from audit.ranges import indices_of
from gateway.erasing import require_body
from gateway.retaining import Orderer
from gateway.settings import Settings


def with_order(command: click.decorators.FC) -> click.decorators.FC:
    """The options that say who ordered it."""
    for option in (
        click.option("--file-no", required=True, help="The order's file number; it is sealed."),
        click.option("--ordered-by", required=True, help="Who ordered it; it is sealed."),
        click.option("--org", required=True, help="The body that ordered it, such as BA-SA."),
    ):
        command = option(command)
    return command


def orderer_of(settings: Settings, by: Mapping[str, str], country: str) -> Orderer:
    """Who ordered it, by those options: a body of the log's own country.

    Raises:
        AuditError: it is another's, or none that orders.
    """
    orderer = Orderer(by["org"], by["ordered_by"], by["file_no"])
    return require_body(settings, orderer, country)


def numbers(entries: str) -> tuple[int, ...]:
    """Entries by numbers and ranges: 12,17-40.

    Raises:
        AuditError: they are none.
    """
    return tuple(sorted(set(indices_of(tuple(entries.split(","))))))
