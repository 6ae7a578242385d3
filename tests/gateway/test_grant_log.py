# SPDX-License-Identifier: EUPL-1.2
"""Whoever writes the state database neither exchanges a number's person nor frees a spent grant."""

import asyncio
import hashlib
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, select, update

from anonymise import epoch_of
from gateway.commands.doctor import StepError, _case_numbers
from gateway.commands.init import create_missing
from gateway.facts import Scope
from gateway.settings import load_settings
from gateway.state import CASE_NUMBER, CASE_NUMBER_TAG, USED_TOKEN, CaseNumberError
from gateway.state import METADATA as STATE
from gateway.store import Store
from tests.gateway import house as houses
from tests.gateway.house import today
from tests.gateway.small import CANARY_NAME, OTHER, PERSON, SURROGATES
from tests.gateway.test_pseudonym_domains import AID, aided, number_in, parts_of, question
from tests.gateway.test_reversal import granted, number, refused, reversal

__all__ = ["number"]
UNFIT = b"case_number.without_fitting_tag"


async def state(house, work):
    return await parts_of(house).case_numbers._store.run(work)


async def rewritten(house, number, other, tags):
    """The state database with the pseudonyms of two numbers exchanged; with `tags` these too."""

    def exchange(connection):
        columns = {CASE_NUMBER: "pseudonym"} | ({CASE_NUMBER_TAG: "tag"} if tags else {})
        for table, name in columns.items():
            rows = dict(connection.execute(select(table.c.case_no, table.c[name])).all())
            parked = ((number, bytes(len(rows[number]))), (other, rows[number]))
            for case_no, value in (*parked, (number, rows[other])):
                row = update(table).where(table.c.case_no == case_no)
                connection.execute(row.values({name: value}))

    await state(house, exchange)


def nobody(answer):
    [part] = answer.json()["owners"]
    told = answer.status_code == 200 and part["results"][0]["rows"] == []
    return told and CANARY_NAME not in answer.text


async def doctor(house):
    return await _case_numbers(load_settings(house.folder / "cuvar.toml"))


@pytest.mark.parametrize("tags", [False, True])
async def test_a_number_beside_which_another_pseudonym_was_written_leads_to_nobody(
    house, number, tags
):
    other = await number_in(house, epoch_of(today()), OTHER)
    await granted(house, other)
    assert await doctor(house)
    await rewritten(house, number, other, tags)
    assert nobody(await reversal(house, other))
    assert UNFIT in house.output.getvalue()
    with pytest.raises(StepError, match="2 case numbers have no tag that fits"):
        await doctor(house)
    await rewritten(house, number, other, tags)
    assert (await reversal(house, other)).json()["owners"][0]["results"][0]["rows"]


async def test_a_number_whose_tag_is_gone_leads_to_nobody_and_is_not_issued_over(house):
    token, epoch = await aided(house, PERSON), epoch_of(today())
    before = await number_in(house, epoch)
    await state(house, lambda connection: connection.execute(delete(CASE_NUMBER_TAG)) and None)
    numbers, domain = parts_of(house).case_numbers, parts_of(house).keyring.domain(*AID, epoch)
    assert await numbers.resolve(domain, before) is None
    numbers._cache.clear()
    part = (await house.ask("list", question(), token=token)).json()["owners"][0]
    assert (part["status"], part["reason"]) == ("unavailable", CaseNumberError.__name__)
    assert UNFIT in house.output.getvalue()
    assert len(await state(house, lambda con: con.execute(select(CASE_NUMBER)).all())) == 1


async def test_a_number_moved_into_another_domain_leads_to_nobody(house):
    epoch = epoch_of(today())
    theirs = await number_in(house, epoch, domain=("BA", "IOM", AID[2]))
    ring, numbers = parts_of(house).keyring, parts_of(house).case_numbers
    label = "|".join((*AID, epoch))

    def move(connection):
        for table in (CASE_NUMBER, CASE_NUMBER_TAG):
            connection.execute(update(table).values(domain=label))

    await state(house, move)
    assert await numbers.resolve(ring.domain(*AID, epoch), theirs) is None


async def test_a_number_written_by_hand_leads_to_nobody(house):
    epoch = epoch_of(today())
    ring, numbers = parts_of(house).keyring, parts_of(house).case_numbers
    domain = ring.domain(*AID, epoch)
    pseudonym = ring.domain_cipher(domain).pseudonym(bytes.fromhex(SURROGATES[PERSON]))
    place = {"domain": "|".join((*AID, epoch)), "case_no": "BA-0000-0000-00-00"}

    def write(connection):
        connection.execute(insert(CASE_NUMBER).values(pseudonym=pseudonym, **place))
        connection.execute(insert(CASE_NUMBER_TAG).values(tag=bytes(32), **place))

    await state(house, write)
    assert await numbers.resolve(domain, place["case_no"]) is None


async def spent(house):
    """The entries of spent grants in the house log."""
    return [e for e in await house.entries("GATEWAY") if e["kind"] == "grant-spent"]


async def test_a_grant_stays_spent_when_the_state_database_forgets_it(house, number):
    await granted(house, number)
    assert CANARY_NAME in (await reversal(house, number)).text
    await state(house, lambda connection: connection.execute(delete(USED_TOKEN)) and None)
    assert refused(await reversal(house, number))
    first, again = await spent(house)
    assert first["correlation"] == again["correlation"]
    await granted(house, number)
    assert CANARY_NAME in (await reversal(house, number)).text


async def test_the_entry_of_a_spent_grant_names_neither_number_nor_attestation(house, number):
    await granted(house, number)
    await reversal(house, number)
    [entry] = await spent(house)
    assert number not in json.dumps(entry)
    assert (entry["requester"], entry["owner"], entry["detail"]) == (None, None, None)
    assert entry["op"] == "administer"
    scope = Scope(org="BA-GU", person=number)
    [grant] = house.runtime.facts.matching("reid_granted", scope, datetime.now(UTC))
    plain = hashlib.sha256(grant.key.encode()).hexdigest()
    assert entry["correlation"].removeprefix("grant-") not in plain


async def test_a_grant_stays_spent_without_the_state_databases_word_after_a_restart(house_folder):
    async with houses.running(house_folder) as house:
        await house.attest("case_number", org="BA-GU")
        await house.attest("named_guardian", org="BA-GU", person=PERSON)
        number = await number_in(house, epoch_of(today()))
        await granted(house, number)
        assert CANARY_NAME in (await reversal(house, number)).text
        await state(house, lambda connection: connection.execute(delete(USED_TOKEN)) and None)
    async with houses.running(house_folder) as house:
        assert refused(await reversal(house, number))


async def test_no_grant_is_spent_on_a_log_whose_entries_were_edited(house_folder):
    async with houses.running(house_folder) as house:
        await house.attest("case_number", org="BA-GU")
        await house.attest("named_guardian", org="BA-GU", person=PERSON)
        number = await number_in(house, epoch_of(today()))
        await granted(house, number)
        assert CANARY_NAME in (await reversal(house, number)).text
        await state(house, lambda connection: connection.execute(delete(USED_TOKEN)) and None)
    async with houses.running(house_folder) as house:
        # Edited once the gateway runs: at its start it looks at the newest entries itself.
        url = load_settings(house_folder / "cuvar.toml").log.url.get_secret_value()
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as log, log:
            changed = log.execute(
                "UPDATE log_entry SET envelope = CAST(replace(CAST(envelope AS TEXT),"
                " 'grant-spent', 'grant-spend') AS BLOB)"
                " WHERE instr(CAST(envelope AS TEXT), 'grant-spent') > 0"
            ).rowcount
        assert changed == 1
        answer = await reversal(house, number)
        assert CANARY_NAME not in answer.text
        assert answer.status_code == 503


async def test_a_second_gateway_with_a_state_database_of_its_own_spends_no_grant_again(
    house, number
):
    await granted(house, number)
    config = house.folder / "cuvar.toml"
    for file in house.folder.glob("state.sqlite*"):
        shutil.copy(file, file.with_name(file.name.replace("state", "other")))
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("state.sqlite", "other.sqlite"), encoding="utf-8")
    async with houses.running(house.folder) as other:
        assert CANARY_NAME in (await reversal(other, number)).text
        assert refused(await reversal(house, number))
        assert await state(house, lambda con: con.execute(select(USED_TOKEN)).all())


SPENDING = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from gateway.grant_log import GrantLog
from gateway.opening import open_journal, utc_now
from gateway.settings import load_settings
from gateway.state import METADATA, UsedTokens
from gateway.store import Store
from gateway.subjects import SpentGrants

async def main():
    store = await Store(sys.argv[1], name="state").open(METADATA)
    journal = await open_journal(load_settings(Path(sys.argv[2])))
    spent = SpentGrants(UsedTokens(store), GrantLog(journal, bytes(32), utc_now))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    until = datetime.now(UTC) + timedelta(hours=1)
    won = [await spent.spend(f"grant-{n}", until) for n in range(20)]
    print(sum(won), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await journal.close()
    await store.close()

asyncio.run(main())
"""


async def started(url, config):
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    one = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SPENDING, url, str(config), **pipes
    )
    assert await one.stdout.readline() == b"ready\n"
    return one


async def told(one):
    one.stdin.write(b"go\n")
    return int(await one.stdout.readline())


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_two_processes_spend_each_grant_once_between_them(
    database, shared, house_folder, request
):
    """With one state database, and with one each: then the log's order decides."""
    config = house_folder / "cuvar.toml"
    urls = [f"sqlite:///{house_folder}/one.sqlite", f"sqlite:///{house_folder}/two.sqlite"]
    if database == "postgres":
        server = request.getfixturevalue("durable_postgres")
        urls = [server.url(server.new_database("spent")) for _ in urls]
        log = server.url(server.new_database("log"), driver="")
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("sqlite:///log.sqlite", log), encoding="utf-8")
        await asyncio.to_thread(create_missing, load_settings(config))
    for url in urls:
        await asyncio.to_thread(Store.create, url, STATE, name="state")
    racing = [await started(urls[0 if shared else n], config) for n in range(2)]
    assert sum(await asyncio.gather(*map(told, racing))) == 20
    await asyncio.gather(*(one.communicate(b"done\n") for one in racing))
