# SPDX-License-Identifier: EUPL-1.2
"""Three threads decide while a fourth swaps the rules: each answer is that of the rules it read.

A stock enforcer answers wrongly when it is reloaded under a deciding thread (role links are
cleared in place). Snapshots are replaced by one reference. Stock casbin is asked beforehand, alone.
"""

import os
import sys
import threading
import time
from dataclasses import dataclass

import pytest

from policies import Question
from policies.checks import refusal
from policies.facts import derived, known
from policies.loader import build
from policies.matcher import stock_enforcer
from policies.zones import asker_name
from tests.policies import making
from tests.policies.judging import dice
from tests.policies.making import TODAY
from tests.policies.seeds import tell

SECONDS = float(os.environ.get("CUVAR_SWAP_SECONDS", "12"))
QUESTIONS = 160
OWNER = "BA"


@dataclass
class InForce:
    """What a running gateway holds: one reference, replaced whole."""

    snapshot: object


def drafts(files, snapshot):
    """The shipped rules; without half of the owner's lines; and with one country shut out."""
    lines = files["BA/rules.csv"].split(b"\n")
    fewer = b"\n".join([lines[0], *lines[1:-1:2], b""])
    shut = b"BA-N90,anyone,states,BA,*,*,*,*,*,-,deny,-,GDP-02,unverified,nobody from abroad\n"
    wider = files["BA/rules.csv"] + shut
    return [
        snapshot,
        build({**files, "BA/rules.csv": fewer}, on=TODAY),
        build({**files, "BA/rules.csv": wider}, on=TODAY),
    ]


def questions(snapshot):
    """Questions aimed at the owner's allow lines, from all its askers, that pass every check."""
    words, throw = snapshot.vocabulary, dice("swap")
    names = {asker_name(org, place): (org, place) for org, place in making.askers(words)}
    lines = [line for line in snapshot.book.owners[OWNER] if line.eft == "allow"]
    found = {}
    while len(found) < QUESTIONS:
        line = throw.choice(lines)
        org, place = names[throw.choice(line.org)]
        purpose = throw.choice(line.purpose)
        question = Question(
            role=throw.choice(line.role),
            org=org.id,
            country=place,
            action=throw.choice(line.action),
            dataset=throw.choice(line.dataset),
            owners=(OWNER,),
            categories=(),
            view=throw.choice(sorted(words.views)),
            purpose=purpose,
            basis=words.purposes[purpose].bases[0],
            named=True,
        )
        if refusal(words, question, OWNER) is None:
            found[question] = None
    return list(found)


def stock_answers(snapshot, asked, stated):
    """By question and category, the strongest view that stock casbin allows in every rule set."""
    words, book = snapshot.vocabulary, snapshot.book
    groups = words.groups
    owner = stock_enforcer(book.conf, (*book.floor, *book.owners[OWNER]), groups)
    asking = {name: stock_enforcer(book.conf, some, groups) for name, some in book.asking.items()}
    answers = {}
    for question in asked:
        org = words.organisations[question.org]
        facts = known(words, stated, derived(words, question, OWNER))
        judges = [owner]
        if org.country == "INT" or question.country != OWNER:
            judges.append(asking[org.id if org.country == "INT" else org.country])
        for category in words.datasets[question.dataset].categories:
            views = [
                view
                for view in words.ladder(question.view)
                if (question.dataset, category, view, question.action) in words.cells
                and all(
                    judge.enforce(
                        question.role,
                        asker_name(org, question.country),
                        OWNER,
                        question.dataset,
                        category,
                        view,
                        question.action,
                        question.purpose,
                        facts.sure,
                        facts.maybe,
                    )
                    for judge in judges
                )
            ]
            answers[question, category] = views[0] if views else None
    return answers


class Deciding(threading.Thread):
    """Asks again and again, through the decisions that are remembered and past them."""

    def __init__(self, in_force, expected, stated, stop, order):
        super().__init__(daemon=True)
        self.in_force, self.expected, self.stop = in_force, expected, stop
        self.stated, self.order = stated, order
        self.decided, self.seen, self.wrong = 0, set(), []

    def run(self):
        try:
            while not self.stop.is_set():
                for question in self.order:
                    self.ask(question)
        except Exception as error:  # noqa: BLE001  # a thread that dies is a finding
            self.wrong.append(repr(error))

    def ask(self, question):
        snapshot = self.in_force.snapshot
        decision = snapshot.decide_record(question, OWNER, self.stated)
        facts = known(
            snapshot.vocabulary, self.stated, derived(snapshot.vocabulary, question, OWNER)
        )
        anew = snapshot.engine.decide(question, OWNER, facts)
        expected = self.expected[snapshot.digest]
        for found in (decision, anew):
            for category, cell in found.cells.items():
                if cell.view != expected[question, category]:
                    self.wrong.append((question, category, cell))
        self.decided += 1
        self.seen.add(snapshot.digest)


def swap_until(end, in_force, rules):
    """A fourth thread's work: another of the rule sets each time, often made anew from bytes."""
    swaps = 0
    while time.monotonic() < end:
        chosen = rules[swaps % len(rules)]
        if swaps % 50 == 0:
            chosen = build(dict(chosen.book.files), on=TODAY)
        in_force.snapshot = chosen
        swaps += 1
        time.sleep(0.001)
    return swaps


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 240)
def test_three_threads_never_get_a_wrong_answer_while_a_fourth_swaps(files, snapshot):
    rules = drafts(files, snapshot)
    asked, stated = questions(snapshot), making.at_best(snapshot.vocabulary)
    expected = {one.digest: stock_answers(one, asked, stated) for one in rules}
    tables = list(expected.values())
    assert len({tuple(table.values()) for table in tables}) == len(rules)
    in_force, stop = InForce(rules[0]), threading.Event()
    throw = dice("threads")
    threads = [
        Deciding(in_force, expected, stated, stop, throw.sample(asked, len(asked)))
        for _ in range(3)
    ]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads change places in the middle of decisions, not after many
    try:
        for thread in threads:
            thread.start()
        swaps = swap_until(time.monotonic() + SECONDS, in_force, rules)
    finally:
        stop.set()
        sys.setswitchinterval(usual)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
        assert not thread.wrong, thread.wrong[:3]
        assert thread.seen == set(expected)
    assert swaps > SECONDS
    tell(f"{sum(t.decided for t in threads)} decisions, {swaps} swaps, none wrong")
