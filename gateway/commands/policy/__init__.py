# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy …`: what a ministry, a lawyer or a data-protection officer asks of the rules."""

from typing import ClassVar

import click

from gateway.commands.lazy import LazyGroup, Loaders


def _check() -> click.Command:
    from gateway.commands.policy.check import check

    return check


def _diff() -> click.Command:
    from gateway.commands.policy.diff import diff

    return diff


def _explain() -> click.Command:
    from gateway.commands.policy.explain import explain

    return explain


def _replay() -> click.Command:
    from gateway.commands.policy.replay import replay

    return replay


def _matrix() -> click.Command:
    from gateway.commands.policy.matrix import matrix

    return matrix


def _new_country() -> click.Command:
    from gateway.commands.policy.new_country import new_country

    return new_country


def _keygen() -> click.Command:
    from gateway.commands.policy.keygen import keygen

    return keygen


def _sign() -> click.Command:
    from gateway.commands.policy.sign import sign

    return sign


def _verify() -> click.Command:
    from gateway.commands.policy.verify import verify

    return verify


class _Policy(LazyGroup):
    loaders: ClassVar[Loaders] = {
        "check": _check,
        "explain": _explain,
        "diff": _diff,
        "replay": _replay,
        "matrix": _matrix,
        "new-country": _new_country,
        "keygen": _keygen,
        "sign": _sign,
        "verify": _verify,
    }


@click.group(cls=_Policy)
def policy() -> None:
    """The rules: check them, compare them, show what they say, start a country's own."""
