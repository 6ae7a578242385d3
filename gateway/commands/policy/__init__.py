# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy …`: what the rules say, and what a change of them would do."""

import click

from gateway.commands.policy.explain import explain
from gateway.commands.policy.replay import replay


@click.group()
def policy() -> None:
    """The rules: check, explain, compare, replay, print and sign them."""


for _verb in (explain, replay):
    policy.add_command(_verb)
