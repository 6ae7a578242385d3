# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy verify`: who signed which part of a rule folder, and whether it holds."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import click

from gateway.commands.options import with_json
from gateway.ruleset.keys import PinnedKeys, key_files, read_pinned
from gateway.ruleset.sealing import PartFinding, examine_set
from gateway.settings import load_settings
from policies import Problem, load_rules
from policies.loader import read_folder
from policies.proof import require_sound


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of public keys: BA.pub, INT/UNHCR.pub.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Or the settings file of a gateway that pins them.",
)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day; today if absent.")
@with_json
def verify(
    folder: Path, keys: Path | None, config: Path | None, on: datetime | None, *, as_json: bool
) -> None:
    """Hold every part of the rule set in FOLDER against its signers' public keys.

    \b
    Examples:
      cuvar policy verify rules --keys keys
      cuvar policy verify rules --config cuvar.toml --on 2027-01-01 --json
    Exit code 1 when a part is not signed as it must be, or not valid on the day.
    """
    pinned = _pinned(keys, config)
    day = datetime.now(UTC).date() if on is None else on.date()
    findings = examine_set(read_folder(folder), pinned)
    # What the folder says is only read once every signature holds.
    if not any(finding.problems for finding in findings):
        require_sound(load_rules(folder, on=day))
    told = [_document(finding, day) for finding in findings]
    whole = all(part["ok"] for part in told)
    if as_json:
        click.echo(json.dumps({"ok": whole, "parts": told}))
    else:
        for part in told:
            click.echo(_line(part))
        for problem in (p for finding in findings for p in finding.problems):
            click.echo(f"    {problem}")
        click.echo("the set is signed and valid" if whole else "THE SET IS NOT TO BE TAKEN")
    if not whole:
        raise click.exceptions.Exit(1)


def _pinned(keys: Path | None, config: Path | None) -> PinnedKeys:
    if (keys is None) == (config is None):
        raise click.UsageError("name --keys or --config, one of them")
    if keys is not None:
        return read_pinned(key_files(keys))
    settings = load_settings(config or Path())
    if not settings.policies.keys:
        raise click.UsageError("these settings pin no key: they run in development mode")
    return read_pinned(settings.policies.keys)


def _document(finding: PartFinding, day: date) -> dict[str, object]:
    signed = finding.signed
    manifest = None if signed is None else signed.manifest
    valid = manifest is not None and manifest.valid(day)
    return {
        "part": finding.part,
        "signers": list(finding.signers),
        "ok": valid and not finding.problems,
        "signed": signed is not None,
        "valid": valid,
        "version": None if manifest is None else manifest.version,
        "from": None if manifest is None else manifest.start.isoformat(),
        "to": None if manifest is None or manifest.end is None else manifest.end.isoformat(),
        "manifest": None if signed is None else signed.digest,
        "problems": [_place(problem) for problem in finding.problems],
    }


def _place(problem: Problem) -> dict[str, object]:
    return {"file": problem.file, "line": problem.line, "message": problem.message}


def _line(part: dict[str, object]) -> str:
    mark = "✓" if part["ok"] else "✕"
    if not part["signed"]:
        return f"{mark} {part['part']}: not signed as it must be"
    end = f" to {part['to']}" if part["to"] else ""
    when = f"valid from {part['from']}{end}"
    note = "" if part["valid"] else ", NOT ON THIS DAY"
    signers = part["signers"]
    by = ", ".join(signers) if isinstance(signers, list) else ""
    return f"{mark} {part['part']}: version {part['version']}, {when}{note}; signed by {by}"
