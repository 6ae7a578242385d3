# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy keygen`: the key pair of a rule signer."""

import json
from pathlib import Path

import click

from gateway.commands.options import with_json
from gateway.ruleset import create_key_pair


@click.command()
@click.argument("signer")
@click.option("--private", type=click.Path(path_type=Path), required=True)
@click.option("--public", type=click.Path(path_type=Path), required=True)
@with_json
def keygen(signer: str, private: Path, public: Path, *, as_json: bool) -> None:
    """Make the key with which SIGNER (BA, INT/UNHCR) signs its rules.

    \b
    Example:
      cuvar policy keygen BA --private rules-BA.key --public rules-BA.pub
    Only the public half leaves the ministry; every gateway pins it in [policies.keys].
    """
    mark = create_key_pair(signer, private, public)
    if as_json:
        told = {"signer": signer, "private": str(private), "public": str(public)}
        click.echo(json.dumps({**told, "fingerprint": mark}))
    else:
        click.echo(f"pin {public} for {signer} in every gateway; keep {private} in the ministry")
        click.echo(f"the key is {mark}: every signature by it says so")
