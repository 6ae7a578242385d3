# SPDX-License-Identifier: EUPL-1.2
"""A draft against a real log, as the gateway wrote it."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from audit import Asked, Owner, encode_envelope, parse_envelope, read_private_key
from audit.asked import Unasked, question_part
from audit.sealing import Unsealer
from audit.store import LOG_BITS
from gateway.cli import cuvar
from gateway.policy.history import INCOMPLETE, NOT_PARTY, OTHER_SIDE, History, Stretch, past_of
from gateway.policy.replaying import Reach, replay_document, replay_lines, replay_log
from policies import Truth, load_rules
from policies.loader import build, example_rules
from policies.replay import RECORD_FACTS, Effect
from tests.audit.making import envelope, vectors
from tests.gateway import house as houses
from tests.gateway.house import REASON, today
from tests.gateway.small import CANARY_NAME

HIT = {
    "dataset": "registrations",
    "owners": ["RS", "HR"],
    "categories": ["record"],
    "view": "hit",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": REASON,
    "subject": {"surnames": CANARY_NAME, "forenames": "Amir", "date_of_birth": "1985-04-03"},
}
LINE = (
    "RS-X99,border_officer,BA-BP,RS,registrations,record,hit,find,border_check,"
    "{guards},deny,-,CIR-20,unverified,-\n"
)


@pytest.fixture(scope="module")
def base():
    return load_rules(example_rules(), on=today())


def draft(base, guards="-"):
    files = dict(base.book.files)
    files["RS/rules.csv"] += LINE.format(guards=guards).encode()
    return build(files, on=today())


@pytest.fixture
async def asked(house_folder):
    """A log with three questions of two owners each, one bad question, one stranger."""
    async with houses.running(house_folder) as house:
        token = house.token("BA-BP", "border_officer")
        await house.attest("presence", org="BA-BP")
        for _ in range(3):
            await house.ask("find", HIT, token=token)
        await house.ask("find", {"nonsense": 1}, token=token)
        await house.ask("find", HIT, token="not-a-token")
        yield house


def log_of(house):
    return f"sqlite:///{house.folder}/log.sqlite"


async def replayed(house, base, guards="-", reach=None, key=None):
    opener = None if key is None else Unsealer(read_private_key(house.folder / f"dpo/{key}.key"))
    rules = (base, draft(base, guards))
    return await asyncio.to_thread(replay_log, log_of(house), rules, reach or Reach(), opener)


async def test_the_log_of_the_gateway_is_decided_again_and_the_rest_is_counted(asked, base):
    report = await replayed(asked, base)
    assert report.replayed.accesses == 6
    assert report.replayed.by_owner == {"HR": 3, "RS": 3}
    (found,) = report.replayed.changes
    assert (found.effect, found.count, found.owner) == (Effect.REFUSED, 3, "RS")
    assert report.entries == 6 + sum(report.skipped.values())
    assert report.skipped[Unasked.NONE] >= 2
    assert report.skipped[OTHER_SIDE] == 6  # each question stands in BA's log too, and counts once
    assert report.replayed.elsewhere == 0


async def test_each_entry_decided_again_gives_what_it_says(asked, base):
    stored = [entry for country in asked.sizes() for entry in await asked.stored(country)]
    for entry in stored:
        past = past_of(entry.envelope)
        if past is None:
            continue
        said = json.loads(entry.envelope)
        known = dict.fromkeys(base.relevant_guards(past.question, past.owner), None)
        facts = {name: dict(past.facts).get(name) for name in known}
        stated = {name: truth or Truth.FALSE for name, truth in facts.items()}
        decision = base.decide(past.question, {past.owner: stated})[past.owner]
        assert decision.allowed is (said["decision"] != "deny")
        assert set(said["rules"]) == set(decision.rules)


async def test_it_is_told_in_plain_sentences(asked, base):
    lines = list(replay_lines(await replayed(asked, base)))
    assert lines[0] == "The draft changes 3 of 6 past accesses."
    assert "cuvar policy diff" in lines[1]
    assert lines[2].startswith(
        "RS: 3 of 3 past accesses would have been refused: 3 by BA-BP for border_check (RS-X99;"
    )
    assert "Facts about records count at their best" in lines[-1]


async def test_the_facts_of_the_records_count_only_with_a_key(asked, base):
    shut = await replayed(asked, base, "no_best_interest")
    assert (shut.opened, shut.replayed.changes) == (False, ())
    opened = await replayed(asked, base, "no_best_interest", key="RS")
    (found,) = opened.replayed.changes
    assert (found.effect, found.count, found.rules) == (Effect.REFUSED, 3, (RECORD_FACTS,))
    assert opened.sealed == 3  # what HR and BA alone may open


async def test_a_detail_that_is_not_the_entry_s_own_is_not_believed(asked, base):
    with closing(sqlite3.connect(asked.folder / "log.sqlite")) as con:
        con.execute("UPDATE log_detail SET salt = zeroblob(32)")
        con.commit()
    opened = await replayed(asked, base, "no_best_interest", key="RS")
    assert (opened.sealed, opened.replayed.changes) == (6, ())


async def test_a_country_sees_only_what_it_is_a_party_of(asked, base):
    mine = await replayed(asked, base, reach=Reach(party="HR"))
    assert mine.replayed.by_owner == {"HR": 3}
    assert mine.entries == asked.log("HR").size
    foreign = await replayed(asked, base, reach=Reach(party="INT"))
    assert (foreign.replayed.accesses, foreign.skipped[NOT_PARTY]) == (0, 12)
    assert (await replayed(asked, base, reach=Reach(party="BA"))).replayed.accesses == 6
    assert (await replayed(asked, base, reach=Reach(party="AL"))).replayed.accesses == 0


async def test_days_and_numbers_bound_what_is_read(asked, base):
    late = Reach(first=today() + timedelta(days=1))
    assert (await replayed(asked, base, reach=late)).entries == 0
    early = Reach(last=today() - timedelta(days=1))
    assert (await replayed(asked, base, reach=early)).entries == 0
    now = Reach(first=today() - timedelta(days=1), last=today() + timedelta(days=1))
    whole = await replayed(asked, base, reach=now)
    assert whole.replayed.accesses == 6
    logs = len(asked.sizes())
    assert (await replayed(asked, base, reach=Reach(newest=2 * logs))).entries == 2 * logs
    assert (await replayed(asked, base, reach=Reach(newest=2, party="RS"))).entries == 2


async def test_a_damaged_entry_and_an_old_one_are_said_and_not_dropped(asked, base):
    log = asked.log("BA")
    old = vectors("envelope.json")["valid"][0]["text"].encode()
    bare = encode_envelope(envelope(asked=None))
    half = parse_envelope(
        next(
            e.envelope
            for e in await asked.stored("RS")
            if not isinstance(question_part(e.envelope), Unasked)
        )
    )
    incomplete = encode_envelope(replace(half, requester=None, owner=Owner("BA", "persons")))
    with closing(sqlite3.connect(asked.folder / "log.sqlite")) as con:
        for place, data in enumerate((old, bare, b"\xff{}", incomplete, "no bytes", b'{"asked":{')):
            con.execute(
                "INSERT INTO log_entry SELECT (log << ?) + ?, CAST(? AS BLOB) FROM log_head"
                " WHERE origin = ?",
                (LOG_BITS, log.size + place, data, log.origin),
            )
        con.commit()
    report = await replayed(asked, base)
    assert report.replayed.accesses == 6
    assert report.skipped[Unasked.OLD] == 1
    assert report.skipped[INCOMPLETE] == 1
    assert report.skipped[Unasked.DAMAGED] == 3


async def test_entries_of_other_rules_are_counted_apart(asked, base):
    report = await asyncio.to_thread(
        replay_log, log_of(asked), (draft(base), draft(base, "abroad")), Reach()
    )
    assert report.replayed.elsewhere == 6


def test_equal_questions_have_equal_parts_and_others_have_not():
    one = Asked("find", "hit", ("record",), named=True, sure=("presence",))
    first = question_part(encode_envelope(envelope(asked=one)))
    assert first == question_part(encode_envelope(envelope(asked=one, count=9, rules=())))
    for other in (
        envelope(asked=one, purpose="identification"),
        envelope(asked=one, basis="CIR-21"),
        envelope(asked=one, policy="b" * 64),
        envelope(asked=Asked("find", "hit", ("record",), named=False, sure=("presence",))),
    ):
        assert question_part(encode_envelope(other)) != first


def test_groups_are_let_go_before_memory_runs_out(monkeypatch):
    class Copy:
        def envelopes(self, start, stop):
            return [
                (n, encode_envelope(envelope(asked=Asked("find", "hit", (f"c{n}",), named=True))))
                for n in range(start, stop)
            ]

    monkeypatch.setattr("gateway.policy.history._GROUPS", 10)
    monkeypatch.setattr("gateway.policy.history._CHUNK", 8)
    pasts = list(History("a" * 64).pasts(Stretch(Copy(), "x/BA/2026h2", 0, 100)))
    assert sum(past.count for past in pasts) == 100


async def test_the_command_says_it_and_prints_json(asked, tmp_path):
    folder = tmp_path / "rules"
    shutil.copytree(example_rules(), folder)
    with (folder / "RS/rules.csv").open("a", encoding="utf-8") as file:
        file.write(LINE.format(guards="-"))
    config = str(asked.folder / "cuvar.toml")
    command = ["policy", "replay", "--rules", str(folder), "--config", config]
    said = await asyncio.to_thread(CliRunner().invoke, cuvar, command)
    assert said.exit_code == 0, said.output
    assert "RS: 3 of 3 past accesses would have been refused" in said.output
    more = ["--json", "--from", str(today()), "--to", str(today())]
    document = json.loads(
        (await asyncio.to_thread(CliRunner().invoke, cuvar, command + more)).output
    )
    assert (document["refused"], document["accesses"]) == (3, 6)
    assert document["changes"][0]["org"] == "BA-BP"
    assert CANARY_NAME not in json.dumps(document)


async def test_the_document_repeats_the_sentences(asked, base):
    report = await replayed(asked, base)
    assert replay_document(report)["told"] == list(replay_lines(report))
