# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy …`: rules read, signed and proved; one module a verb."""

import click

from gateway.commands.policy.keygen import keygen
from gateway.commands.policy.sign import sign
from gateway.commands.policy.verify import verify


@click.group()
def policy() -> None:
    """The rules: sign a part, verify a folder."""


for _verb in (keygen, sign, verify):
    policy.add_command(_verb)
