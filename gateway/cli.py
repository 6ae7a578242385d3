# SPDX-License-Identifier: EUPL-1.2
"""The command `cuvar`: one entry for operators, officers' trials and checks.

Every error of the four rooms ends here as one message that names the next step, on standard
error, with exit code 2; a check that found something exits 1.
"""

import sys

import click

from anonymise import AnonymiseError
from audit import AuditError
from gateway.commands.audit import audit
from gateway.commands.doctor import doctor
from gateway.commands.facts import attest
from gateway.commands.init import init
from gateway.commands.keys import keys
from gateway.commands.policy import policy
from gateway.commands.rules import rules
from gateway.commands.serve import serve
from gateway.commands.token import token
from gateway.demo.command import demo
from gateway.errors import GatewayError
from gateway.region.command import region
from policies import PolicyError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cuvar")
def cuvar() -> None:
    """A lawful gateway in front of national migrant registers.

    Start with `cuvar demo`; then `cuvar serve --config FILE`.
    """


for _command in (demo, serve, doctor, init, rules, policy, keys, audit, attest, token, region):
    cuvar.add_command(_command)


def main() -> None:
    """Run the command line."""
    try:
        cuvar.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except (GatewayError, PolicyError, AuditError, AnonymiseError) as error:
        click.echo(f"cuvar: {error}", err=True)
        sys.exit(2)
