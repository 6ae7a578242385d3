# SPDX-License-Identifier: EUPL-1.2
"""What a hostile ministry or operator puts into a rule folder, and what the gateway makes of it."""

import asyncio
import io
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from gateway.cli import cuvar
from gateway.opening import open_gateway
from gateway.ruleset.errors import NoRulesError
from gateway.settings import load_settings
from policies import RulesRefusedError
from policies.loader import read_folder
from tests.gateway import signing

UNSOUND = (
    "BA-N3,investigator,states,BA,persons,direct_identifier,full,consult,law_enforcement,"
    "case_number,allow,-,EUR-20,unverified,nobody looks after it\n"
)


def spoil(rules):
    with (rules / "BA/rules.csv").open("a", encoding="utf-8") as file:
        file.write(UNSOUND)


async def test_a_signed_set_that_breaks_an_invariant_is_not_taken(signed_house, rules, rule_keys):
    keeper = signed_house.runtime.keeper
    before, sizes = keeper.digest, signed_house.sizes()
    spoil(rules)
    signing.sign(rules, rule_keys, "BA", version=2)
    await keeper.look()
    assert keeper.digest == before
    assert signed_house.sizes() == sizes
    told = (await signed_house.client.get("/readyz")).text
    assert "rules" in told
    assert "invariants.csv" in told


def test_a_ministry_cannot_sign_what_breaks_an_invariant(rules, rule_keys):
    spoil(rules)
    done = CliRunner().invoke(
        cuvar,
        [
            *("policy", "sign", str(rules), "--part", "BA", "--key", str(rule_keys / "BA.key")),
            *("--version", "2", "--from", "2026-01-01"),
        ],
    )
    assert isinstance(done.exception, RulesRefusedError)
    assert "T08" in str(done.exception)
    assert "cuvar policy check" in str(done.exception)


@pytest.mark.parametrize("kind", ["a pipe", "an endless device", "a link to a folder"])
def test_what_is_no_plain_file_is_refused_at_once(rules, kind):
    """Read like a file, a pipe would wait for ever and a device would never end."""
    place = rules / "zz"
    if kind == "a pipe":
        os.mkfifo(place)
    elif kind == "an endless device":
        place.symlink_to("/dev/zero")
    else:
        place.symlink_to(rules / "BA")
    found = []

    def read():
        try:
            read_folder(rules)
        except RulesRefusedError as error:
            found.extend(error.problems)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert [(p.file, p.message) for p in found] == [("zz", "is no plain file; take it out")]


async def test_a_pipe_in_the_folder_shows_in_health_and_heals(signed_house, rules):
    keeper = signed_house.runtime.keeper
    before = keeper.digest
    os.mkfifo(rules / "zz")
    await keeper.look()
    assert keeper.digest == before
    assert keeper.standing().troubles
    (rules / "zz").unlink()
    await keeper.look()
    assert not keeper.standing().troubles


async def test_a_look_that_does_not_end_shows_and_yesterdays_rules_stop(signed_folder):
    """A network disk that hangs must not let terms live on that ended yesterday."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0) + timedelta(days=1)
    now, morrow = [noon], (noon + timedelta(days=1)).replace(hour=0)
    runtime = await open_gateway(
        load_settings(signed_folder / "cuvar.toml"), io.BytesIO(), lambda: now[0]
    )
    keeper = runtime.keeper
    release = threading.Event()
    look = keeper._folders.look

    def hanging(day):
        release.wait(20)
        return look(day)

    keeper._folders.look = hanging
    task = asyncio.create_task(keeper.look())
    await asyncio.sleep(0.05)
    assert not keeper.standing().troubles
    now[0] += timedelta(minutes=2)
    assert "does not end" in keeper.standing().troubles[-1].reason
    assert keeper.rules()
    now[0] = morrow + timedelta(seconds=30)
    assert keeper.rules()
    now[0] = morrow + timedelta(minutes=2)
    with pytest.raises(NoRulesError):
        keeper.rules()
    release.set()
    await task
    await keeper.look()
    assert keeper.rules().snapshot.book.on == morrow.date()
    assert not keeper.standing().troubles
    await runtime.closing.aclose()


async def test_an_older_version_is_refused_though_its_row_of_the_state_is_gone(
    signed_house, signed_folder, rules, rule_keys, signed_template
):
    keeper = signed_house.runtime.keeper
    signing.sign(rules, rule_keys, "BA", version=2)
    await keeper.look()
    newer = keeper.digest
    shutil.rmtree(rules / "BA")
    shutil.copytree(signed_template / "BA", rules / "BA")
    with closing(sqlite3.connect(signed_folder / "state.sqlite")) as state:
        state.execute("DELETE FROM rule_version WHERE part = 'BA'")
        state.commit()
    await keeper.look()
    assert keeper.digest == newer
    assert "older than 2" in keeper.standing().troubles[0].reason
