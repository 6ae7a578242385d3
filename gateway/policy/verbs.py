# SPDX-License-Identifier: EUPL-1.2
"""The policy verbs as functions: a rule set in force, a draft and a body in, a document out.

Nothing here knows HTTP or who asks; `gateway.policy.routes` decides that, runs these in a thread
and leaves the entry. A verb that works for long calls `tick`, which ends it when its time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event as Flag
from types import MappingProxyType
from typing import Any, Final

from gateway.policy.calls import (
    CheckCall,
    DiffCall,
    Draft,
    ExplainCall,
    MatrixCall,
    RenderCall,
    ReplayCall,
    VerifyCall,
)
from gateway.policy.documents import of_difference, of_matrix, of_rendering, of_soundness
from gateway.policy.explaining import explain_document, first_basis, home_of, stated_facts
from gateway.policy.replaying import Reach, replay_document, replay_log
from gateway.ruleset import Standing
from policies import PolicyError, Question, Snapshot
from policies.difference import difference
from policies.loader import build
from policies.matrix import matrix
from policies.render import render as rendered
from policies.soundness import examine

Document = dict[str, object]
PATH: Final = "/v1/policy"
NEWEST: Final = 100_000
"""Entries that a replay over HTTP looks at; the command looks at all."""
_PROBLEMS: Final = 200
_ACCESSES: Final = 1_000


class StoppedError(Exception):
    """A verb was still at work when its time was over; nobody hears of it."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a verb works on.

    Attributes:
        rules: in force; `draft` is the same set where nothing was laid over it.
        log: address of the log; `party` is the country whose entries may be looked at, None for
            all.
        signatures: how the set in force is signed, in the words of `signatures_of`.
        stop: set when nobody waits for the answer any more.
    """

    rules: Snapshot
    draft: Snapshot
    log: str
    party: str | None
    signatures: Document
    stop: Flag

    def tick(self, _done: int = 0, _size: int = 0) -> None:
        """To be called now and then by whatever takes long; ends it when nobody waits."""
        if self.stop.is_set():
            raise StoppedError


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: how its body is read, what the API says of it, what it does.

    `names` are the members that may name something which does not exist.
    """

    call: type[Draft]
    summary: str
    run: Callable[[Work, Any], Document]
    names: tuple[str, ...] = ()


def laid_over(rules: Snapshot, files: Mapping[str, str | None]) -> Snapshot:
    """The rules in force with some files replaced, added or taken away.

    Raises:
        RulesRefusedError: the result is no sound rule set; it names each place.
    """
    if not files:
        return rules
    found = dict(rules.book.files)
    for name, text in files.items():
        if text is None:
            found.pop(name, None)
        else:
            found[name] = text.encode()
    return build(found, on=rules.book.on, conf=rules.book.conf)


def problems_of(error: PolicyError) -> list[Document]:
    """What is wrong with a draft, place by place."""
    if not error.problems:
        return [{"file": "", "line": 0, "message": str(error)}]
    return [
        {"file": one.file, "line": one.line, "message": one.message}
        for one in error.problems[:_PROBLEMS]
    ]


def check(work: Work, _call: Draft) -> Document:
    """Lines, worked examples and invariants of the draft."""
    return of_soundness(examine(work.draft, tick=work.tick))


def diff(work: Work, _call: Draft) -> Document:
    """What the draft grants otherwise than the rules in force; the first thousand accesses."""
    document = of_difference(difference(work.rules, work.draft, work.tick), work.draft.vocabulary)
    accesses = document["accesses"]
    return {
        **document,
        "accesses": accesses[:_ACCESSES],
        "accesses_left_off": max(len(accesses) - _ACCESSES, 0),
    }


def show_matrix(work: Work, call: MatrixCall) -> Document:
    """Roles by categories, the strongest view in each cell.

    Raises:
        PolicyError: there is no such owner or purpose.
    """
    return of_matrix(matrix(work.draft, call.owner, call.purpose))


def render(work: Work, call: RenderCall) -> Document:
    """Each line in words, in the country's language and in English.

    Raises:
        PolicyError: there is no such country or language.
    """
    return of_rendering(rendered(work.draft, call.country, call.language))


def explain(work: Work, call: ExplainCall) -> Document:
    """One question under the draft.

    Raises:
        UnknownGuardError: a stated fact is none.
    """
    words = work.draft.vocabulary
    question = Question(
        role=call.role,
        org=call.org,
        country=call.country or home_of(words, call.org),
        action=call.action,
        dataset=call.dataset,
        owners=(call.owner,),
        categories=tuple(call.categories),
        view=call.view,
        purpose=call.purpose,
        basis=call.basis or first_basis(words, call.purpose),
        named=call.named,
    )
    facts = stated_facts(words, call.sure, call.maybe)
    return explain_document(work.draft, work.draft.explain(question, call.owner, facts))


def replay(work: Work, call: ReplayCall) -> Document:
    """Past accesses under the draft; the facts of records stay sealed and count at their best."""
    reach = Reach(first=call.first, last=call.last, newest=NEWEST, party=work.party)
    report = replay_log(work.log, (work.rules, work.draft), reach, on_progress=work.tick)
    return replay_document(report)


def verify(work: Work, _call: Draft) -> Document:
    """Whose signatures are on what is in force; a draft has none, and is not looked at.

    Signing is a command on the signer's own machine: no private key ever comes here.
    """
    return work.signatures


def signatures_of(found: Standing) -> Document:
    """Whether a set is in force and signed, the version of each part, and what was refused."""
    return {
        "in_force": found.in_force,
        "signed": found.signed,
        "versions": dict(sorted(found.versions.items())),
        "troubles": [trouble.shown() for trouble in found.troubles],
    }


VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "check": Verb(CheckCall, "Whether a draft is sound: lines, examples, invariants", check),
        "diff": Verb(DiffCall, "Who would newly see, or no longer see, what of whose data", diff),
        "explain": Verb(
            ExplainCall,
            "Why one question would be answered, or what stops it",
            explain,
            names=("sure", "maybe"),
        ),
        "matrix": Verb(
            MatrixCall,
            "Which role sees which category of an owner for a purpose, in which view",
            show_matrix,
            names=("owner", "purpose"),
        ),
        "replay": Verb(
            ReplayCall, "Which past accesses a draft would have answered otherwise", replay
        ),
        "render": Verb(
            RenderCall,
            "Each line of a country, or of the floor, as a sentence",
            render,
            names=("country", "language"),
        ),
        "verify": Verb(VerifyCall, "Whose signatures are on the rules in force", verify),
    }
)


def standing(rules: Snapshot, signatures: Document) -> Document:
    """What is in force: the digest, the day, and how much of each country's file is verified."""
    return {
        "digest": rules.digest,
        "on": rules.book.on.isoformat(),
        "signed": signatures["signed"],
        "versions": signatures["versions"],
        "countries": [
            {
                "country": country,
                "lines": len(lines),
                "unverified": sum(line.status == "unverified" for line in lines),
            }
            for country, lines in sorted(rules.book.owners.items())
        ],
    }
