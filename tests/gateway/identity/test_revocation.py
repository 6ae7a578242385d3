# SPDX-License-Identifier: EUPL-1.2
"""The list of the suspended: each kind, the reload, and what an unreadable list means."""

from __future__ import annotations

import dataclasses
import os

import pytest

from gateway.identity import Fault, Principal, Revocations
from tests.gateway.identity.forge import NOW, Desk, refused

HEADER = "kind,value,issuer\n"
ASKER = Principal(
    officer="officer-1",
    org="HR-BP",
    country="HR",
    unit="ZG",
    roles=frozenset({"border_officer"}),
    issuer="https://issuer.hr.test",
    client_id="console",
    jti="token-1",
    acr=None,
    auth_time=None,
    postings=(),
    expires=NOW + 300,
    token_digest=b"",
    binding=None,
)
ENTRIES = {
    "officer": "officer,officer-1,https://issuer.hr.test",
    "unit": "unit,HR-BP/ZG,",
    "org": "org,HR-BP,",
    "issuer": "issuer,https://issuer.hr.test,",
    "client": "client,console,https://issuer.hr.test",
    "jti": "jti,token-1,https://issuer.hr.test",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "suspended.csv"


def listed(path, *lines):
    """Put a new list in place as an operator should: written aside, then renamed."""
    aside = path.with_suffix(".new")
    aside.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    aside.replace(path)


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_kind_of_entry_suspends(path, clock, kind):
    listed(path, "org,BA-BP,", ENTRIES[kind])
    assert Revocations(path, clock).status(ASKER) == "true"


@pytest.mark.parametrize("kind", ["client", "jti"])
def test_void_tokens_and_clients_are_told_apart(path, clock, kind):
    listed(path, ENTRIES[kind])
    assert Revocations(path, clock).token_status(ASKER) == "true"
    listed(path, ENTRIES["officer"], ENTRIES["org"], ENTRIES["unit"], ENTRIES["issuer"])
    assert Revocations(path, clock).token_status(ASKER) == "false"


@pytest.mark.parametrize(
    "line",
    [
        "officer,officer-2,https://issuer.hr.test",
        "officer,officer-1,https://issuer.ba.test",
        "jti,token-1,https://issuer.ba.test",
        "client,console,https://issuer.ba.test",
        "unit,HR-AS/ZG,",
        "unit,HR-BP/None,",
        "org,HR,",
    ],
)
def test_somebody_elses_entry_suspends_nobody(path, clock, line):
    listed(path, line)
    assert Revocations(path, clock).status(ASKER) == "false"


def test_an_asker_without_a_unit_may_be_of_any_suspended_unit_of_its_organisation(path, clock):
    listed(path, "unit,HR-BP/None,")
    asker = dataclasses.replace(ASKER, unit=None)
    assert Revocations(path, clock).status(asker) == "possible"
    elsewhere = dataclasses.replace(asker, org="HR-AS")
    assert Revocations(path, clock).status(elsewhere) == "false"


def test_without_a_list_nobody_is_on_it(clock):
    revocations = Revocations(None, clock)
    assert revocations.status(ASKER) == "false"
    assert revocations.readable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kind,value\n",
        HEADER + "org,HR-BP,",
        HEADER + "org,HR-BP\n",
        HEADER + "person,x,\n",
        HEADER + "org,,\n",
        HEADER + "org,HR-BP,https://issuer.hr.test\n",
        HEADER + "jti,token-1,\n",
        HEADER + 'org,"HR-BP,\n',
        HEADER + "\n",
        HEADER + "org,Ж,\n",
        "\ufeff" + HEADER,
    ],
)
def test_a_list_that_cannot_be_read_makes_everybody_possibly_suspended(path, clock, text):
    path.write_text(text)
    revocations = Revocations(path, clock)
    assert revocations.status(ASKER) == "possible"
    assert revocations.token_status(ASKER) == "possible"
    assert not revocations.readable()


def test_bytes_that_are_no_text_make_everybody_possibly_suspended(path, clock):
    path.write_bytes(b"kind,value,issuer\n\xff\n")
    assert Revocations(path, clock).status(ASKER) == "possible"


def test_a_missing_list_makes_everybody_possibly_suspended(path, clock):
    assert Revocations(path, clock).status(ASKER) == "possible"


def test_a_changed_list_counts_within_a_second(path, clock):
    listed(path)
    revocations = Revocations(path, clock)
    assert revocations.status(ASKER) == "false"
    before = revocations.generation()
    listed(path, ENTRIES["officer"])
    clock.now += 0.99
    assert revocations.status(ASKER) == "false"
    clock.now += 0.01
    assert revocations.status(ASKER) == "true"
    assert revocations.generation() > before


def test_a_list_lost_while_running_is_noticed_and_found_again(path, clock):
    listed(path)
    revocations = Revocations(path, clock)
    assert revocations.readable()
    path.unlink()
    clock.now += 1
    assert revocations.status(ASKER) == "possible"
    listed(path)
    clock.now += 1
    assert revocations.status(ASKER) == "false"


def test_an_edit_that_keeps_size_and_time_is_noticed(path, clock):
    listed(path, "org,HR-BP,")
    revocations = Revocations(path, clock)
    assert revocations.status(ASKER) == "true"
    stat = path.stat()
    listed(path, "org,HR-XX,")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    clock.now += 1
    assert revocations.status(ASKER) == "false"


def test_a_clock_set_back_does_not_stop_the_reloading(path, clock):
    listed(path)
    revocations = Revocations(path, clock)
    assert revocations.status(ASKER) == "false"
    listed(path, ENTRIES["org"])
    clock.now -= 3600
    assert revocations.status(ASKER) == "true"


def test_an_unchanged_list_keeps_its_number(path, clock):
    listed(path)
    revocations = Revocations(path, clock)
    first = revocations.generation()
    clock.now += 5
    assert revocations.generation() == first


@pytest.mark.parametrize("kind", ["jti", "client"])
async def test_the_verifier_refuses_a_void_token_that_it_has_cached(forger, path, clock, kind):
    listed(path)
    desk = Desk(forger.config(), clock=clock, revoked=path)
    token = forger.sign()
    assert await desk.bearer(token)
    listed(path, ENTRIES[kind])
    clock.now += 1
    error = await desk.refusal(token)
    assert (error.fault, error.status) == (Fault.REVOKED, 401)


async def test_a_suspended_officer_is_left_to_the_rules_but_has_no_standing(forger, path, clock):
    listed(path, ENTRIES["officer"])
    desk = Desk(forger.config(), clock=clock, revoked=path)
    principal = await desk.bearer(forger.sign())
    assert desk.verifier.status(principal) == "true"
    error = await refused(_standing(desk, principal))
    assert (error.fault, error.status) == (Fault.REVOKED, 401)


async def test_an_unreadable_list_leaves_nobody_in_standing(forger, path, clock):
    desk = Desk(forger.config(), clock=clock, revoked=path)
    principal = await desk.bearer(forger.sign())
    assert desk.verifier.status(principal) == "possible"
    error = await refused(_standing(desk, principal))
    assert (error.fault, error.status) == (Fault.REVOCATIONS_UNREADABLE, 503)
    assert "revocations_unreadable" in str(error)


async def test_an_asker_on_no_list_is_in_standing(forger, path, clock):
    listed(path)
    desk = Desk(forger.config(), clock=clock, revoked=path)
    principal = await desk.bearer(forger.sign())
    assert desk.verifier.require_standing(principal) is None


async def _standing(desk, principal):
    desk.verifier.require_standing(principal)
