# SPDX-License-Identifier: EUPL-1.2
"""Which set is in force when, what is remembered of it, and that the running loop looks."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from gateway.commands.init import create_missing
from gateway.opening import open_rules
from gateway.ruleset import RuleMemory, RuleSetError
from gateway.ruleset.folders import RuleFolders
from gateway.ruleset.keys import read_pinned
from gateway.ruleset.sealing import check_set
from gateway.settings import load_settings
from gateway.state import METADATA
from gateway.store import Store, StoreError
from policies.loader import read_folder
from tests.gateway import house as houses
from tests.gateway import signing
from tests.gateway.ruleset.test_running import reword

JUNE, JULY = date(2026, 6, 30), date(2026, 7, 1)


@pytest.fixture
def pinned(rule_keys):
    return read_pinned({s: rule_keys / f"{s}.pub" for s in signing.SIGNERS})


@pytest.fixture
def staged(rules, rule_keys):
    """A second whole set beside the first; BA's part is newer and begins in July."""
    path = shutil.copytree(rules, rules.with_name("staged"))
    reword(path)
    signing.sign(path, rule_keys, "BA", version=2, start=JULY)
    return path


def digest(folders, day):
    return folders.chosen(day).snapshot.digest


def test_the_newest_set_that_is_valid_on_the_day_is_chosen(rules, staged, pinned):
    both = RuleFolders((rules, staged), pinned)
    old, new = digest(RuleFolders((rules,), pinned), JULY), digest(both, JULY)
    assert digest(both, JUNE) == old != new
    assert digest(RuleFolders((staged, rules), pinned), JULY) == new
    with pytest.raises(RuleSetError, match="no rule set is valid on 2025-12-31"):
        both.chosen(date(2025, 12, 31))


def test_replay_gets_the_set_of_its_day(signed_folder, rules, staged):
    settings = signed_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    listed = text.replace(f'rules = ["{rules}"]', f'rules = ["{rules}", "{staged}"]')
    settings.write_text(listed, encoding="utf-8")
    loaded = load_settings(settings)
    before, after = open_rules(loaded, JUNE), open_rules(loaded, JULY)
    assert before.digest != after.digest
    assert (before.book.on, after.book.on) == (JUNE, JULY)


def test_sets_that_no_order_holds_are_refused(rules, staged, rule_keys, pinned):
    signing.sign(rules, rule_keys, "HR", version=2)
    with pytest.raises(RuleSetError, match="neither is newer in every part"):
        RuleFolders((rules, staged), pinned).chosen(JULY)


def test_two_sets_of_one_version_and_other_content_are_refused(rules, staged, rule_keys, pinned):
    (staged / "BA/manifest").unlink()
    signing.sign(staged, rule_keys, "BA", version=1)
    with pytest.raises(RuleSetError, match="neither is newer in every part"):
        RuleFolders((rules, staged), pinned).chosen(JULY)


def test_a_broken_staged_set_does_not_stop_the_one_for_today(rules, staged, pinned):
    (staged / "BA/signature").unlink()
    folders = RuleFolders((rules, staged), pinned)
    found = folders.look(JULY)
    assert found.chosen.snapshot.digest == digest(RuleFolders((rules,), pinned), JULY)
    assert [(t.folder, t.file) for t in found.troubles] == [("staged", "BA/signature")]


def test_a_file_that_cannot_be_a_rule_file_is_told_without_its_name(rules, pinned):
    (rules / "BA/Amra Hodžić.csv").write_text("x\n", encoding="utf-8")
    (trouble,) = RuleFolders((rules,), pinned).look(JULY).troubles
    assert "Amra" not in str(trouble.shown())
    assert trouble.file == "a file"


def test_what_the_loader_says_about_a_cell_is_not_shown(rules):
    path = rules / "BA/rules.csv"
    path.write_bytes(path.read_bytes().replace(b"asylum_officer", b"secret_word", 1))
    (trouble, *_) = RuleFolders((rules,), None).look(JULY).troubles
    assert (trouble.file, trouble.line > 0) == ("BA/rules.csv", True)
    assert "secret_word" not in str(trouble.shown())


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/memory.sqlite"
    server = request.getfixturevalue("postgres")
    return server.url(server.new_database("memory"))


def test_what_was_taken_is_remembered_and_an_older_one_refused(state_url, rules, rule_keys, pinned):
    Store.create(state_url, METADATA, name="state")
    first = check_set(read_folder(rules), pinned)
    signing.sign(rules, rule_keys, "BA", version=2)
    second = check_set(read_folder(rules), pinned)

    async def walk():
        store = await Store(state_url, name="state").open(METADATA)
        memory, other = RuleMemory(store, "log.one"), RuleMemory(store, "log.two")
        assert await memory.last_digest() is None
        await memory.take(first, "11" * 32)
        await memory.take(second, "22" * 32)
        assert await memory.last_digest() == "22" * 32
        assert await other.last_digest() is None
        with pytest.raises(RuleSetError, match=r"BA/manifest:3: version 1 is older than 2"):
            await other.take(first, "11" * 32)
        assert (await memory.taken())["BA"] == (2, second[part_place(second, "BA")].digest)
        await store.close()

    asyncio.run(walk())


def part_place(parts, name):
    return [part.part for part in parts].index(name)


def test_init_adds_the_table_that_an_older_state_database_lacks(house_folder):
    with closing(sqlite3.connect(house_folder / "state.sqlite")) as connection:
        connection.execute("DROP TABLE rule_version")
        connection.execute("INSERT INTO used_token VALUES ('d', '2030-01-01')")
        connection.commit()
    settings = load_settings(house_folder / "cuvar.toml")
    url = settings.state.url.get_secret_value()

    async def opened():
        store = Store(url, name="state")
        try:
            await store.open(METADATA)
        finally:
            await store.close()

    with pytest.raises(StoreError, match="no table rule_version"):
        asyncio.run(opened())
    assert "state database: created" in create_missing(settings)
    asyncio.run(opened())
    with closing(sqlite3.connect(house_folder / "state.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM used_token").fetchone() == (1,)
    assert "state database: was there, untouched" in create_missing(settings)


async def test_a_running_gateway_finds_a_new_version_by_itself(signed_folder, rules, rule_keys):
    settings = signed_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("reload_s = 3600.0", "reload_s = 0.05"), encoding="utf-8")
    async with houses.running(signed_folder) as house:
        before = house.runtime.rules().snapshot.digest
        reword(rules)
        signing.sign(rules, rule_keys, "BA", version=2)
        async with asyncio.timeout(60):
            while house.runtime.rules().snapshot.digest == before:  # noqa: ASYNC110  no signal
                await asyncio.sleep(0.05)
        last = [e for e in await house.entries() if e["kind"] == "policy-change"][-1]
        assert last["policy"] == house.runtime.rules().snapshot.digest


def test_a_body_that_the_vocabulary_names_but_nobody_pins_is_refused(rules, rule_keys, pinned):
    path = rules / "vocabulary/organisations.csv"
    path.write_text(path.read_text("utf-8") + "NEWBODY,un_agency,INT,no,New body\n", "utf-8")
    signing.sign(rules, rule_keys, "common", version=2)
    for part in signing.SIGNERS:
        signing.sign(rules, rule_keys, part, version=2)
    with pytest.raises(RuleSetError, match=r"INT/NEWBODY/asking\.csv: is missing"):
        RuleFolders((rules,), pinned).chosen(JULY)
