# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy diff`: what a change of rules changes, in sentences."""

import json
from pathlib import Path

import click

from gateway.commands.options import with_json
from gateway.commands.policy.folder import FOLDER, read_rules, tell
from policies.difference import Difference, difference
from policies.sentences import groups, sentence
from policies.vocabulary import Vocabulary


@click.command()
@click.argument("before", type=FOLDER)
@click.argument("after", type=FOLDER)
@with_json
def diff(before: Path, after: Path, *, as_json: bool) -> None:
    r"""Who newly sees, no longer sees or sees otherwise what of whose data.

    Compares what the two folders mean, over the whole decision space, and not their text. With
    --json, every single access that changes.

    \b
    Example:
      cuvar policy diff policies/rules my-rules
    """
    old, new = read_rules(before), read_rules(after)
    tell("comparing the whole decision space")
    found = difference(old, new)
    if as_json:
        from gateway.policy.documents import of_difference

        told = of_difference(found, new.vocabulary)
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _show(found, new.vocabulary)


def _show(found: Difference, words: Vocabulary) -> None:
    for group in groups(found, words):
        click.echo(sentence(group, words))
    for field in found.fields:
        click.echo(str(field))
    if found.changes or found.fields:
        click.echo(f"{len(found.changes)} accesses and {len(found.fields)} field treatments change")
    else:
        click.echo("nobody sees anything otherwise")
    if found.files:
        click.echo(f"files that differ: {', '.join(found.files)}")
