# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review looks`: which readings are recorded here and not in the log yet; hand them in."""

import json
from dataclasses import asdict

import click

from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, with_desk


@click.command()
@with_desk
@with_json
def looks(desk: Desk, *, as_json: bool) -> None:
    """Show the readings that wait, and hand them in if the gateway is given.

    \b
    Example:
      cuvar review looks --log copy.sqlite --key dpo-BA.key --gateway https://gateway.example \\
        --token-file token.txt
    """
    waiting = desk.looks.pending()
    if as_json:
        click.echo(json.dumps([asdict(look) for look in waiting]))
    else:
        for look in waiting:
            click.echo(f"{look.at}  {look.command}: {look.log}, {look.first} to {look.last}")
    desk.hand_in()
