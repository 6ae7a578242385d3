# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy check`: load, lint, run the examples, prove the invariants."""

import json
import time
from pathlib import Path

import click

from gateway.commands.options import with_json
from gateway.commands.policy.folder import FOLDER, read_rules, tell, with_rules
from policies.examples import Example, read_examples
from policies.soundness import Soundness, examine
from policies.vocabulary import Vocabulary


@click.command()
@click.argument("folder", type=FOLDER, required=False)
@with_rules
@click.option("--unsigned", is_flag=True, help="A draft: say nothing of signatures.")
@click.option(
    "--examples",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Further examples, with the columns of examples.csv.",
)
@click.option("--notes", is_flag=True, help="Show notes too, not only their number.")
@with_json
def check(
    folder: Path | None,
    rules: Path | None,
    examples: Path | None,
    *,
    unsigned: bool,
    notes: bool,
    as_json: bool,
) -> None:
    r"""Check a rule folder as a whole; every fault with file and line.

    Lines that never match, never allow, repeat or shadow one another are faults; every worked
    example must come out as written; every invariant must hold over the whole decision space.
    Without a folder, the packaged example region is checked.

    \b
    Examples:
      cuvar policy check
      cuvar policy check my-rules --unsigned --examples mine.csv
    Exit code 1 when something must be mended, 2 when the folder can't be loaded.
    """
    began = time.perf_counter()
    if folder is not None and rules is not None:
        raise click.UsageError("name the folder once: FOLDER or --rules DIR")
    snapshot = read_rules(folder or rules)
    more = _more(examples, snapshot.vocabulary)
    tell("examples, invariants, lines")
    report = examine(snapshot, more)
    seconds = time.perf_counter() - began
    signatures = "not asked for" if unsigned else "not checked: no keys"
    if as_json:
        from gateway.policy.documents import of_soundness

        told = {**of_soundness(report), "signatures": signatures, "seconds": round(seconds, 3)}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _show(report, notes=notes)
        click.echo(f"signatures {signatures}")
        click.echo(f"{'sound' if report.sound else 'NOT SOUND'} in {seconds:.1f} s")
    if not report.sound:
        raise click.exceptions.Exit(1)


def _more(path: Path | None, words: Vocabulary) -> tuple[Example, ...]:
    return () if path is None else read_examples(path.name, path.read_bytes(), words)


def _show(report: Soundness, *, notes: bool) -> None:
    for finding in report.findings:
        if finding.fault or notes:
            click.echo(str(finding))
    for failure in report.failures:
        click.echo(str(failure))
    for counter in report.counterexamples:
        click.echo(str(counter))
    faults = len(report.faults)
    click.echo(
        f"{report.lines} lines, {faults} faults and {len(report.findings) - faults} notes"
        f"{'' if notes else ' (--notes shows them)'}"
    )
    click.echo(f"{report.examples} examples, {len(report.failures)} come out otherwise")
    click.echo(f"{report.invariants} invariants, {len(report.counterexamples)} do not hold")
    click.echo(f"digest {report.digest}")
