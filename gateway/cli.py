# SPDX-License-Identifier: EUPL-1.2
"""The command `cuvar`: one entry for operators, officers' trials and checks.

Every error of the four rooms ends here as one message that names the next step, on standard
error, with exit code 2; a check that found something exits 1. A command's parts are imported when
it is called.
"""

import sys
from typing import ClassVar

import click

from gateway.commands.lazy import LazyGroup, Loaders


def _demo() -> click.Command:
    from gateway.demo.command import demo

    return demo


def _serve() -> click.Command:
    from gateway.commands.serve import serve

    return serve


def _doctor() -> click.Command:
    from gateway.commands.doctor import doctor

    return doctor


def _init() -> click.Command:
    from gateway.commands.init import init

    return init


def _policy() -> click.Command:
    from gateway.commands.policy import policy

    return policy


def _keys() -> click.Command:
    from gateway.commands.keys import keys

    return keys


def _audit() -> click.Command:
    from gateway.commands.audit import audit

    return audit


def _review() -> click.Command:
    from gateway.commands.review import review

    return review


def _backup() -> click.Command:
    from gateway.commands.backup import backup

    return backup


def _attest() -> click.Command:
    from gateway.commands.facts import attest

    return attest


def _token() -> click.Command:
    from gateway.commands.token import token

    return token


def _region() -> click.Command:
    from gateway.region.command import region

    return region


def _suspend() -> click.Command:
    from gateway.commands.suspend import suspend

    return suspend


def _unsuspend() -> click.Command:
    from gateway.commands.suspend import unsuspend

    return unsuspend


def _suspensions() -> click.Command:
    from gateway.commands.suspend import suspensions

    return suspensions


def _witness() -> click.Command:
    from gateway.commands.witness import witness

    return witness


def _release() -> click.Command:
    from gateway.commands.release import release

    return release


def _index() -> click.Command:
    from gateway.commands.index import index

    return index


def _keyholder() -> click.Command:
    from gateway.commands.keyholder import keyholder

    return keyholder


def _linkage() -> click.Command:
    from gateway.commands.linkage import linkage

    return linkage


def _exchange() -> click.Command:
    from gateway.commands.exchange import exchange

    return exchange


class _Cuvar(LazyGroup):
    loaders: ClassVar[Loaders] = {
        "demo": _demo,
        "serve": _serve,
        "doctor": _doctor,
        "init": _init,
        "policy": _policy,
        "keys": _keys,
        "audit": _audit,
        "backup": _backup,
        "review": _review,
        "release": _release,
        "exchange": _exchange,
        "attest": _attest,
        "token": _token,
        "region": _region,
        "suspend": _suspend,
        "unsuspend": _unsuspend,
        "suspensions": _suspensions,
        "witness": _witness,
        "index": _index,
        "keyholder": _keyholder,
        "linkage": _linkage,
    }


@click.group(
    cls=_Cuvar,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="cuvar")
def cuvar() -> None:
    """A lawful gateway in front of national migrant registers.

    Start with `cuvar demo`; then `cuvar serve --config FILE`.
    """


def main() -> None:
    """Run the command line."""
    try:
        # In this mode click hands back the code of `Exit` instead of raising it.
        code = cuvar.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if not _is_ours(error):
            raise
        click.echo(f"cuvar: {error}", err=True)
        sys.exit(2)
    if isinstance(code, int):
        sys.exit(code)


def _is_ours(error: Exception) -> bool:
    """Whether an error is of one of the four rooms, whose messages may be shown."""
    from anonymise import AnonymiseError
    from audit import AuditError
    from gateway.errors import GatewayError
    from policies import PolicyError

    return isinstance(error, GatewayError | PolicyError | AuditError | AnonymiseError)
