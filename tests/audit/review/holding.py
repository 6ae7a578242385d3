# SPDX-License-Identifier: EUPL-1.2
"""A small log of a country in memory, read as a copy is, with details that name people."""

import dataclasses
import json
from datetime import timedelta

from audit import Kind, Status, Verdict, parse_envelope
from audit.envelope import format_time, stamp
from audit.review.following import Frontier
from audit.review.searchkey import SearchKey
from audit.sealing import Unsealer
from audit.store import Head
from tests.audit.making import DPO_BA, NOON, ORIGIN, new_sealer, plain, sealed

KEY = SearchKey(DPO_BA)
UNSEALER = Unsealer(DPO_BA)


@dataclasses.dataclass(frozen=True)
class Stored:
    index: int
    envelope: object
    blob: object = dataclasses.field(default=None, repr=False)
    salt: object = None
    header: object = None


class Held:
    """Rows in memory, as a copy gives them."""

    def __init__(self, pending=()):
        self.held = []
        self.grow(pending)

    def grow(self, pending):
        for told in pending:
            index = len(self.held)
            when = format_time(NOON + timedelta(minutes=index))
            parts = () if told.sealed is None else dataclasses.astuple(told.sealed)
            blob, salt, _, window = parts or (None,) * 4
            self.held.append(Stored(index, stamp(told.envelope, when), blob, salt, window))

    def head(self):
        known = Frontier()
        for row in self.held:
            known.push(row.envelope)
        return Head(ORIGIN, known.size, known.root, "")

    def rows(self, start, stop):
        return self.held[start:stop]

    def envelopes(self, start, stop):
        return [(row.index, row.envelope) for row in self.held[start:stop]]

    def change(self, index, **parts):
        self.held[index] = dataclasses.replace(self.held[index], **parts)

    def erase(self, index):
        self.change(index, blob=None, salt=None, header=None)

    def envelope(self, index):
        return parse_envelope(self.held[index].envelope)


def detail(number, **changed):
    """The detail of the access with this number: three officers, ten persons, a case each."""
    told = {
        "v": 2,
        "officer": f"officer-{number % 3}",
        "unit": f"unit-{number % 2}",
        "case_no": f"CASE/{number}",
        "reason": "free text that nobody may search",
        "query": {"reference": {"kind": "person", "ref": f"asked-{number}"}},
        "persons": [f"PERSON-{number % 10}"],
    }
    return {**told, **changed}


def accesses(count, start=0):
    """Accesses, each fourth refused, each fifth of the police."""
    sealer = new_sealer()
    for number in range(start, start + count):
        refused = number % 4 == 3
        yield sealed(
            sealer,
            json.dumps(detail(number)).encode(),
            kind=Kind.DENIAL if refused else Kind.ACCESS,
            decision=Verdict.DENY if refused else Verdict.ALLOW,
            status=Status.DENIED if refused else Status.HIT,
            purpose="law_enforcement" if number % 5 == 0 else "border_check",
            rules=(f"BA-A0{number % 3}",),
        )


def erasure(*about):
    return plain(kind=Kind.ERASURE, about=about, status=Status.DONE)
