# SPDX-License-Identifier: EUPL-1.2
"""The story's last question: the flag over eight countries, and the explained record behind it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gateway.demo.build import DemoError
from gateway.demo.client import DemoClient
from gateway.demo.linkage import ASKER, OWNER, Traveller, blind
from gateway.demo.people import ASYLUM, CASE, REASON

_OK: Final = 200
_AWAY: Final = ("AL", "AT", "BA", "GR", "ME", "MK", "RS", "SI")
_BASE: Final = {
    "purpose": "asylum_procedure",
    "basis": "EUR-01",
    "case_no": CASE,
    "reason": REASON,
}
_CONFIRMATION: Final = {
    "by": "demo-expert",
    "verdict": "same_person",
    "reason": "Demonstration: photograph and account of the journey were compared",
}


def ministers_question(
    client: DemoClient, folder: Path, someone: Traveller, say: Callable[[str], None]
) -> str:
    """Ask whether somebody was registered elsewhere, then for the record; gives the flag's grade.

    Raises:
        DemoError: a step did not come out as it must.
    """
    say(f"\n5. The {ASYLUM.title} has registered {_plain(someone.here)}.")
    say("   Was this person registered elsewhere? Only blind keys leave Croatia; per country:")
    made = blind(folder, someone.here)
    flag = {
        **_BASE,
        "dataset": "registrations",
        "owners": list(_AWAY),
        "categories": ["record"],
        "view": "hit",
        "blinded": made["blinded"],
    }
    document = _asked(client, "find", flag)
    parts = {part["owner"]: part for part in document["owners"]}
    say("   " + ", ".join(f"{owner} {part['flag']}" for owner, part in parts.items()))
    rows = [row for result in parts[OWNER]["results"] for row in result["rows"]]
    if not rows:
        raise DemoError(f"{OWNER} holds this person and was not flagged; see gateway.log")
    _consult(client, made, rows[0]["token"], say)
    return str(rows[0]["strength"])


def _consult(
    client: DemoClient,
    made: Mapping[str, Any],
    token: str,
    say: Callable[[str], None],
) -> None:
    consult = {
        **_BASE,
        "dataset": "persons",
        "owners": [OWNER],
        "categories": ["direct_identifier", "biographic"],
        "view": "full",
        "token": token,
        "subject": made["subject"],
        "salt": made["salt"],
    }
    part = _asked(client, "consult", consult)["owners"][0]
    say(f"   With the token and a reason, {OWNER} compares and says: {part['match']['grade']}:")
    for feature in part["match"]["features"]:
        say(f"     {feature['words']}")
    if "confirm" in part["match"]:
        say("   Nothing is told before somebody at the asker confirms it; he does:")
        part = _asked(client, "consult", {**consult, "confirmation": _CONFIRMATION})["owners"][0]
    rows = [row for result in part["results"] for row in result["rows"]]
    if not rows:
        raise DemoError(f"{OWNER} told nothing of a person whom it holds; see gateway.log")
    names = ("direct_identifier.forenames", "direct_identifier.surnames")
    told = " ".join(_text(rows[0].get(name)) for name in names)
    born = rows[0].get("biographic.date_of_birth")
    say(f"   {OWNER} has: {told}, born {born}")
    say(f"   {part['match']['decides']}")


def _asked(client: DemoClient, action: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = client.ask(ASYLUM, action, question)
    if answer.status != _OK:
        raise DemoError(f"{ASKER} was refused with status {answer.status}; see gateway.log")
    return answer.document


def _plain(subject: Mapping[str, str]) -> str:
    names = f"{subject.get('given_names', '')} {subject.get('surnames', '')}".strip()
    return f"{names}, born {subject.get('date_of_birth', 'unknown')}"


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value or "")
