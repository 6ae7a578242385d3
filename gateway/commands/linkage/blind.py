# SPDX-License-Identifier: EUPL-1.2
"""`cuvar linkage blind`: a person into blind keys, at the nation that asks."""

import json
import sys
from pathlib import Path

import click

from anonymise.domain import epoch_of
from anonymise.errors import LinkageError
from anonymise.linkage.blinding import Blinder, HmacBlinder
from anonymise.linkage.keyfile import read_nations_key
from gateway.commands.index.passphrase import passphrase_of, with_passphrase
from gateway.linkage.asking import blinded_of, subject_of
from gateway.opening import utc_now

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--nations-key", type=_FILE, help="Blind with this key.")
@click.option("--keyholder", help="Blind through the key holder at this address instead.")
@click.option("--client", type=_FILE, help="With --keyholder: the file that admits this nation.")
@click.option("--epoch", help="Quarter of the index, such as 2027q1; the current one if left out.")
@with_passphrase
def blind(
    nations_key: Path | None,
    keyholder: str | None,
    client: Path | None,
    epoch: str | None,
    passphrase_file: Path | None,
) -> None:
    """Read one subject as JSON from standard input and write what the questions need.

    Run it where the nations' key is, never at the gateway. `blinded` goes into the flag; `subject`
    and `salt` are kept with the case and go into the consultation after a hit.

    \b
    Example:
      echo '{"surnames": "Hosseini", "given_names": "Reza", "date_of_birth": "1991-07-23"}' |
        cuvar linkage blind --nations-key nations.key
    """
    subject = subject_of(sys.stdin.buffer.read())
    quarter = epoch or epoch_of(utc_now().date())
    if keyholder is not None and client is not None and nations_key is None:
        from gateway.keyholder.client import KeyHolderClient

        blinding = "oprf"
        blinder: Blinder = KeyHolderClient.of(keyholder, client, patient=True).blinder(quarter)
    elif nations_key is not None and keyholder is None and client is None:
        blinding = "hmac"
        blinder = HmacBlinder(
            read_nations_key(nations_key, passphrase_of(passphrase_file)), quarter
        )
    else:
        raise LinkageError("name --nations-key, or --keyholder and --client")
    click.echo(json.dumps(blinded_of(subject, blinder, blinding), ensure_ascii=False))
