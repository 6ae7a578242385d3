# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy explain`: why one question is answered or not, from stated facts or a log entry."""

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click
import orjson

from gateway.commands.options import with_config, with_json
from gateway.commands.publishing import log_place
from gateway.errors import GatewayError
from gateway.logfile import read_entry
from gateway.opening import open_rules
from gateway.policy.explaining import (
    explain_document,
    explain_lines,
    first_basis,
    home_of,
    stated_facts,
)
from gateway.policy.history import past_of
from gateway.settings import load_settings
from policies import Question, Snapshot, Truth, load_rules

_FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
_DAY: Final = click.DateTime(["%Y-%m-%d"])
_NEEDED: Final = ("org", "role", "action", "dataset", "owner", "view", "purpose")


class ExplainError(GatewayError):
    """There is no question to explain."""


@click.command()
@with_config
@with_json
@click.option("--entry", help="Explain the question of a log entry, named LOG/INDEX.")
@click.option("--org", help="The asker's organisation, for example BA-BP.")
@click.option("--country", help="Where it speaks from; needed for UNHCR, IOM and the like.")
@click.option("--role", help="The role in which is asked.")
@click.option("--action", help="find, read, list, count, consult, trace or reidentify.")
@click.option("--dataset", help="persons, registrations, asylum, …")
@click.option("--owner", help="Whose data.")
@click.option("--categories", default="", help="Comma-separated; all of the dataset when left out.")
@click.option("--view", help="full, pseudonym, generalised, hit or count.")
@click.option("--purpose", help="Why, from the closed list.")
@click.option("--basis", help="The legal basis; the first of the purpose when left out.")
@click.option("--sure", default="", help="Facts that are true, comma-separated.")
@click.option("--maybe", default="", help="Facts that are only possible, comma-separated.")
@click.option("--unnamed", is_flag=True, help="Nobody is named; otherwise exactly one person is.")
@click.option("--rules", type=_FOLDER, help="Another rule folder than that of the settings.")
@click.option("--as-of", type=_DAY, help="The day that counts; today when left out.")
def explain(
    config: Path,
    entry: str | None,
    rules: Path | None,
    as_of: datetime | None,
    *,
    as_json: bool,
    **asked: str | bool | None,
) -> None:
    """Say whether a question is allowed, each condition in order, and what is nearest.

    Facts about the question that are not stated are false; facts about a record are as if nothing
    stood against the asker. No record is looked at,
    and no count of uses: a line or permission that is spent shows as if it were not.

    \b
    Examples:
      cuvar policy explain --org HR-AS --role asylum_officer --action find --owner BA \\
        --dataset registrations --categories record --view hit --purpose asylum_procedure \\
        --sure case_number
      cuvar policy explain --entry demo.cuvar.invalid/BA/2026h2/1 --config .demo/cuvar.toml
    """
    on = datetime.now(UTC).date() if as_of is None else as_of.date()
    snapshot = _rules(config, rules, on)
    before: dict[str, object] = {}
    if entry is None:
        question, sure, maybe = _stated(snapshot, asked)
    else:
        question, sure, maybe, before = _of_entry(config, entry)
    owner = question.owners[0]
    facts = stated_facts(snapshot.vocabulary, sure, maybe)
    found = snapshot.explain(question, owner, facts)
    if as_json:
        document = explain_document(snapshot, found)
        click.echo(json.dumps({**before, **document}, ensure_ascii=False))
        return
    lines = [*_entry_lines(entry, before, snapshot), *explain_lines(snapshot, found)]
    click.echo("\n".join(lines))


def _rules(config: Path, rules: Path | None, on: date) -> Snapshot:
    if rules is not None:
        return load_rules(rules, on=on)
    return open_rules(load_settings(config), on)


def _stated(
    rules: Snapshot, asked: dict[str, str | bool | None]
) -> tuple[Question, tuple[str, ...], tuple[str, ...]]:
    missing = [f"--{name}" for name in _NEEDED if not asked[name]]
    if missing:
        raise ExplainError(f"state {', '.join(missing)} too, or name a log entry with --entry")
    told = {name: str(value or "") for name, value in asked.items()}
    words = rules.vocabulary
    question = Question(
        role=told["role"],
        org=told["org"],
        country=told["country"] or home_of(words, told["org"]),
        action=told["action"],
        dataset=told["dataset"],
        owners=(told["owner"],),
        categories=_items(told["categories"]),
        view=told["view"],
        purpose=told["purpose"],
        basis=told["basis"] or first_basis(words, told["purpose"]),
        named=not asked["unnamed"],
    )
    return question, _items(told["sure"]), _items(told["maybe"])


def _items(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _of_entry(
    config: Path, address: str
) -> tuple[Question, tuple[str, ...], tuple[str, ...], dict[str, object]]:
    """The question and facts of an entry, and what the entry says of its decision.

    Raises:
        ExplainError: it holds no question that can be decided again.
    """
    stored = asyncio.run(read_entry(log_place(load_settings(config)), address))
    past = past_of(stored.envelope)
    if past is None:
        raise ExplainError(
            f"entry {address} holds no question that can be decided again: it is older than that,"
            " or no question of it reached the rules; see `cuvar audit show`"
        )
    said = orjson.loads(stored.envelope)
    sure = tuple(sorted(name for name, truth in past.facts if truth is Truth.TRUE))
    maybe = tuple(sorted(name for name, truth in past.facts if truth is not Truth.TRUE))
    kept = {name: said[name] for name in ("t", "decision", "rules", "policy")}
    return (
        past.question,
        sure,
        maybe,
        {"entry": {"index": stored.index, "log": said["log"], **kept}},
    )


def _entry_lines(address: str | None, before: dict[str, object], rules: Snapshot) -> list[str]:
    entry = before.get("entry")
    if not isinstance(entry, dict):
        return []
    same = entry["policy"] == rules.digest
    told = (
        f"Entry {address} of {entry['t']} says {entry['decision']} by {', '.join(entry['rules'])}"
    )
    under = "the same rules" if same else "other rules; facts not looked up then count as false"
    return [f"{told}, under {under}.", "Decided again:"]
