# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy sign`: one signer puts its name to one part of a rule folder."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.commands.options import with_json
from gateway.ruleset.keys import read_private
from gateway.ruleset.signing import PartSigned, sign_part, write_part
from policies import load_rules
from policies.manifest import COMMON, MOST_VERSION
from policies.proof import require_sound


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--part", required=True, help="common, a country (BA) or a body (INT/UNHCR).")
@click.option("--key", type=click.Path(path_type=Path), required=True, help="Private key file.")
@click.option("--as", "signer", default=None, help="Who signs; needed for --part common.")
@click.option(
    "--version",
    type=click.IntRange(1, MOST_VERSION),
    default=None,
    help="Write the manifest anew under this version; without it the one there is signed.",
)
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First day, with it.")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Last day; none if left out.")
@with_json
def sign(folder: Path, part: str, key: Path, *, as_json: bool, **how: Any) -> None:
    """Sign one part of the rule set in FOLDER; a folder that does not load is refused.

    The common part is written once and signed by every country, then each signs its own.

    \b
    Examples:
      cuvar policy sign rules --part common --as BA --key BA.key --version 4 --from 2027-01-01
      cuvar policy sign rules --part common --as HR --key HR.key
      cuvar policy sign rules --part BA --key BA.key --version 7 --from 2027-01-01
    """
    signed = _signed(folder, part, key, **how)
    if not as_json:
        click.echo(signed.sentence())
        click.echo(f"written: {folder / signed.file}")
        click.echo("whether that is the key pinned for the signer, `cuvar policy verify` tells")
        return
    manifest = signed.manifest
    told = {
        "part": part,
        "signer": signed.signer,
        "version": manifest.version,
        "from": manifest.start.isoformat(),
        "to": None if manifest.end is None else manifest.end.isoformat(),
        "files": [file.name for file in manifest.files],
        "common": manifest.common,
        "manifest": signed.digest,
        "file": signed.file,
        "key": signed.key,
    }
    click.echo(json.dumps(told))


def _signed(  # noqa: PLR0917  one option each
    folder: Path,
    part: str,
    key: Path,
    signer: str | None,
    version: int | None,
    start: datetime | None,
    end: datetime | None,
) -> PartSigned:
    if part == COMMON and signer is None:
        raise click.UsageError("every country signs common: say which one with --as")
    if (version is None) != (start is None) or (end is not None and version is None):
        raise click.UsageError("--version and --from go together, and --to goes with them")
    private = read_private(key)
    day = datetime.now(UTC).date() if start is None else start.date()
    require_sound(load_rules(folder, on=day))
    if version is not None:
        last = None if end is None else end.date()
        write_part(folder, part, version=version, start=day, end=last)
    return sign_part(folder, part, signer or part, private)
