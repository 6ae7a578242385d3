# SPDX-License-Identifier: EUPL-1.2
"""The story: one question asked three ways, and what the log can prove afterwards."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from audit import open_sealed, parse_envelope, read_private_key
from gateway.demo.build import DemoError
from gateway.demo.client import Answered, DemoClient
from gateway.demo.linkage import Traveller
from gateway.demo.ministers import ministers_question
from gateway.demo.people import BORDER, CASE, CASEWORKER, OPERATOR, REASON, DemoPerson
from gateway.demo.proofs import LOG, Proofs
from gateway.demo.subject import Subject
from gateway.demo.tamper import LoggedEntry, read_entries

Say = Callable[[str], None]
_SHOWN: Final = 10
_OK: Final = 200
_REFUSED: Final = 403


class Story:
    """Tells the story against a running gateway."""

    def __init__(
        self, client: DemoClient, proofs: Proofs, witnesses: Mapping[str, str], say: Say
    ) -> None:
        """`witnesses` are their addresses by authority; `say` prints one line."""
        self._client = client
        self._proofs = proofs
        self._witnesses = witnesses
        self._say = say

    def tell(self, subject: Subject, someone: Traveller) -> None:
        """Everything, in order.

        Args:
            subject: whom Bosnia is asked about.
            someone: whom Croatia and Serbia hold, each in its own spelling.

        Raises:
            DemoError: a step did not come out as it must.
            AuditError: a proof does not hold.
        """
        self._say(
            f"\nThe question: what does Bosnia's register hold about {subject.forenames} "
            f"{subject.surnames}, born {subject.born}? (Nobody here exists.)"
        )
        answers = [
            self._ask(1, BORDER, "find", _border(subject), _OK),
            self._ask(2, CASEWORKER, "list", _caseworker(), _OK),
            self._ask(3, OPERATOR, "list", _operator(), _REFUSED),
        ]
        self._elsewhere(subject)
        ministers_question(self._client, self._proofs.folder, someone, self._say)
        self._entries(answers)
        asked, helped = (answer.entries[0] for answer in answers[:2])
        kept = self._proofs.receipt(asked)
        self._proofs.published(helped)
        self._proofs.operator(kept, asked, self._witnesses)

    def _ask(
        self, number: int, person: DemoPerson, action: str, question: Mapping[str, Any], want: int
    ) -> Answered:
        answer = self._client.ask(person, action, question)
        self._say(f"\n{number}. The {person.title} asks ({question['purpose']}):")
        if answer.status != want:
            raise DemoError(f"expected status {want} and got {answer.status}; see gateway.log")
        if answer.status == _REFUSED:
            for owner in answer.document["owners"]:
                rules = sorted({rule for cell in owner["withheld"] for rule in cell["rules"]})
                self._say(f"   refused by {owner['owner']} under {', '.join(rules)}")
            return answer
        self._rows(answer.document["owners"][0])
        return answer

    def _rows(self, part: Mapping[str, Any]) -> None:
        rows = 0
        for result in part["results"]:
            for row in result["rows"][:1]:
                rows += 1
                self._say(f"   view {result['view']}: {', '.join(result['categories'])}")
                shown = [(k, v) for k, v in row.items() if v not in (None, [], "")]
                for key, value in shown[:_SHOWN]:
                    self._say(f"     {key}: {_plain(value)}")
                if len(shown) > _SHOWN:
                    self._say(f"     … and {len(shown) - _SHOWN} fields more")
        if not rows:
            raise DemoError("the answer holds no row; the region or its facts are wrong")
        for cell in part["withheld"]:
            self._say(f"   withheld: {cell['category']} ({', '.join(cell['rules'])})")

    def _elsewhere(self, subject: Subject) -> None:
        question = {
            **_border(subject),
            "dataset": "registrations",
            "owners": ["RS", "ME", "AL", "MK", "HR"],
            "categories": ["record"],
            "view": "hit",
        }
        answer = self._client.ask(BORDER, "find", question)
        self._say("\n4. The border officer asks on: registered elsewhere? Only a flag comes back:")
        for part in answer.document.get("owners", ()):
            self._say(f"   {part['owner']}: {_hits(part)}")

    def _entries(self, answers: list[Answered]) -> None:
        self._say("\nThe log entry behind each answer (no person in it), and what the")
        self._say("data-protection officer of Bosnia reads in its sealed part:")
        addresses = [answer.entries[0] for answer in answers]
        key = read_private_key(self._proofs.folder / "dpo/BA.key")
        for entry in read_entries(self._proofs.folder / LOG, addresses):
            self._say(f"   {_summary(entry)}")
            if entry.sealed is not None:
                detail = json.loads(open_sealed(entry.sealed, key))
                told = {name: detail[name] for name in ("officer", "unit", "case_no", "reason")}
                self._say(f"     sealed: {_plain(told)}")


def _border(subject: Subject) -> dict[str, Any]:
    return {
        "dataset": "persons",
        "owners": ["BA"],
        "categories": ["direct_identifier", "biographic", "document", "security"],
        "view": "full",
        "purpose": "border_check",
        "basis": "CIR-20",
        "case_no": CASE,
        "reason": REASON,
        "subject": {
            "surnames": subject.surnames,
            "forenames": subject.forenames,
            "date_of_birth": subject.born.isoformat(),
        },
    }


def _caseworker() -> dict[str, Any]:
    return {
        "dataset": "persons",
        "owners": ["BA"],
        "categories": ["direct_identifier", "biographic"],
        "view": "full",
        "purpose": "humanitarian_assistance",
        "basis": "HUM-03",
        "case_no": CASE,
    }


def _operator() -> dict[str, Any]:
    return {
        **_caseworker(),
        "purpose": "operations",
        "basis": "GDP-14",
    }


def _hits(part: Mapping[str, Any]) -> str:
    if part["status"] != "answered":
        return f"{part['status']} ({', '.join(r for c in part['withheld'] for r in c['rules'])})"
    rows = [row for result in part["results"] for row in result["rows"]]
    told = (
        f"{row['strength']} match, {row.get('person_category') or 'category not told'}, "
        f"{row.get('month') or 'month not told'}"
        for row in rows
    )
    return "; ".join(told) or "nothing that you may know of"


def _summary(entry: LoggedEntry) -> str:
    envelope = parse_envelope(entry.envelope)
    asker = envelope.requester
    who = "nobody known" if asker is None else f"{asker.org} as {asker.role}"
    return (
        f"{entry.address}: {who} for {envelope.purpose}: {envelope.decision}, "
        f"view {envelope.view or 'none'}, {envelope.count} rows, rules {', '.join(envelope.rules)}"
    )


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value)
    return str(value)
