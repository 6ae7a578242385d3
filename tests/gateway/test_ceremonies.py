# SPDX-License-Identifier: EUPL-1.2
"""Key ceremonies as operator and custodians hold them, over both backends; what the log keeps."""

import asyncio
import base64
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from anonymise import Keyring, KeyringError
from anonymise.domain import epoch_after, epoch_of
from anonymise.errors import CeremonyError
from anonymise.keyring.ceremony import Act, signed_bytes
from anonymise.keyring.custodian import approve, read_approval
from anonymise.keyring.file_vault import FileVault
from audit import open_sealed, read_private_key
from audit.errors import AuditError
from gateway.ceremonies import Asked, hold, prepare
from gateway.cli import cuvar
from gateway.commands.doctor import StepError, _keyset
from gateway.commands.init import create_missing
from gateway.keyset import create_keyring, open_keyring
from gateway.opening import open_journal, utc_now
from gateway.settings import load_settings
from tests.anonymise.backends import CHEAP
from tests.gateway.house import copy
from tests.servers import softhsm

PASSPHRASE = "only for the tests"
NAMES = ("BA-DPA/ana", "BA-AS/boris", "RS-DPA/vera")
PUBLIC = [f"{name.replace('/', '-')}.pub" for name in NAMES]


@pytest.fixture(params=["file", "token"])
def folder(request, house_template, tmp_path, monkeypatch):
    """A gateway at rest with a fresh keyset, where commands are given."""
    folder = copy(house_template, tmp_path / "house")
    (folder / "keyset.json").unlink()
    settings = folder / "cuvar.toml"
    if request.param == "file":
        FileVault.create(folder / "keyset.json", PASSPHRASE, ["BA", "RS"], work=CHEAP)
    else:
        token = f'token = {{ module = "{softhsm.module()}", label = "{softhsm.fresh_token()}" }}'
        text = settings.read_text(encoding="utf-8").replace('keyset = "keyset.json"', token)
        settings.write_text(text.replace(PASSPHRASE, softhsm.PIN), encoding="utf-8")
        create_keyring(load_settings(settings), ["BA", "RS"]).close()
    monkeypatch.chdir(folder)
    for name in (*NAMES, "BA-OP/mallory"):
        call(folder, "custodian", name)
    return folder


def call(folder, *arguments, code=0):
    config = () if arguments[0] in {"custodian", "approve"} else ("--config", folder / "cuvar.toml")
    done = CliRunner().invoke(cuvar, ["keys", *map(str, arguments), *map(str, config)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output if code == 0 else str(done.exception)


def call_told(folder, *arguments):
    """What a command prints that then ends with exit status 1."""
    config = ("--config", str(folder / "cuvar.toml"))
    done = CliRunner().invoke(cuvar, ["keys", *arguments, *config])
    assert done.exit_code == 1, (done.output, done.exception)
    return done.stdout


def refused(folder, *arguments):
    """What a command that is refused says; the real entry turns it into exit status 2."""
    return call(folder, *arguments, code=1)


def name_custodians(folder, files):
    settings = folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    named = ", ".join(f'"{file}"' for file in files)
    before, _, rest = text.partition("custodians = ")
    text = before + rest.partition("\n")[2] if rest else text
    settings.write_text(text.replace("[keys]\n", f"[keys]\ncustodians = [{named}]\n"), "utf-8")


def appointed(folder):
    """The keyset with its three custodians."""
    name_custodians(folder, PUBLIC)
    call(folder, "appoint", "--request", "appoint.ceremony")
    held(folder, "appoint.ceremony")


def approved(request, *names):
    for name in names:
        call(None, "approve", request, "--key", f"{name.replace('/', '-')}.key", "--yes")


def held(folder, request, names=NAMES[:2]):
    approved(request, *names)
    return call(folder, "perform", request)


def states(folder, country="BA"):
    return [
        (root["version"], root["state"])
        for root in json.loads(call(folder, "status", "--json"))["roots"]
        if root["country"] == country
    ]


def entries(folder, country="BA"):
    """Envelope and what the country's officer reads, of every key change in its log."""

    async def read():
        journal = await open_journal(load_settings(folder / "cuvar.toml"))
        try:
            log = journal.log(journal.current(country))
            return await log.read(0, log.size)
        finally:
            await journal.close()

    reader = read_private_key(
        folder / ("dpo/BA.key" if country == "GATEWAY" else f"dpo/{country}.key")
    )
    found = []
    for stored in asyncio.run(read()):
        envelope = json.loads(stored.envelope)
        if envelope["kind"] == "key-change":
            found.append((envelope, json.loads(open_sealed(stored.sealed, reader))))
    return found


def test_a_trials_keyset_is_rotated_at_once_and_both_entries_say_so(folder):
    said = call(folder, "rotate", "BA", "--reason", "trial")
    assert "done; entries" in said
    assert states(folder) == [(1, "retired"), (2, "active")]
    assert states(folder, "RS") == [(1, "active")]
    for log in ("BA", "GATEWAY"):
        (begun, _), (done, told) = entries(folder, log)
        assert (begun["status"], done["status"]) == ("pending", "done")
        assert done["rules"] == ["key ceremony rotate"]
        assert begun["correlation"] == done["correlation"]
        assert begun["policy"] is None
        assert done["policy"] == told["after"]["keyset"]
        assert json.loads(told["ceremony"])["reason"] == "trial"
        assert told["after"]["keyset"] == json.loads(call(folder, "status", "--json"))["digest"]
    assert entries(folder, "RS") == []


def test_two_custodians_rotate_and_the_officer_can_check_their_signatures(folder):
    appointed(folder)
    assert "two custodians approve it" in call(folder, "rotate", "BA", "--request", "r.ceremony")
    assert states(folder) == [(1, "active")]
    said = held(folder, "r.ceremony")
    assert "approved by BA-AS/boris, BA-DPA/ana" in said
    assert states(folder) == [(1, "retired"), (2, "active")]
    _, told = entries(folder)[-1]
    keys = {
        line.split()[1]: line.split()[2]
        for line in ((folder / file).read_text() for file in PUBLIC)
    }
    for approval in told["approvals"]:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(keys[approval["custodian"]]))
        key.verify(base64.b64decode(approval["signature"]), signed_bytes(told["ceremony"].encode()))
    assert len(told["approvals"]) == 2


@pytest.mark.parametrize("names", [(), ("BA-DPA/ana",), ("BA-DPA/ana", "BA-OP/mallory")])
def test_an_operator_alone_performs_nothing_and_leaves_no_entry(folder, names):
    appointed(folder)
    before = len(entries(folder)), len(entries(folder, "GATEWAY"))
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    approved("r.ceremony", *names)
    assert "custodian" in refused(folder, "perform", "r.ceremony")
    assert states(folder) == [(1, "active")]
    assert (len(entries(folder)), len(entries(folder, "GATEWAY"))) == before


def test_custodians_that_the_operator_writes_into_the_settings_count_for_nothing(folder):
    appointed(folder)
    call(folder, "custodian", "BA-CP/accomplice")
    name_custodians(folder, ["BA-OP-mallory.pub", "BA-CP-accomplice.pub"])
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    approved("r.ceremony", "BA-OP/mallory", "BA-CP/accomplice")
    assert "not this custodian's" in refused(folder, "perform", "r.ceremony")
    call(folder, "appoint", "--request", "a.ceremony")
    approved("a.ceremony", "BA-OP/mallory", "BA-CP/accomplice")
    assert "not this custodian's" in refused(folder, "perform", "a.ceremony")


def test_a_ceremony_is_performed_once(folder):
    appointed(folder)
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    held(folder, "r.ceremony")
    assert "not as it was" in refused(folder, "perform", "r.ceremony")
    assert states(folder) == [(1, "retired"), (2, "active")]


def test_what_is_about_the_whole_keyset_stands_in_the_log_of_every_country_in_it(folder):
    appointed(folder)
    call(folder, "confirm", "--request", "c.ceremony")
    held(folder, "c.ceremony")
    for log in ("BA", "RS", "GATEWAY"):
        found = [(said["rules"], said["status"]) for said, _ in entries(folder, log)]
        assert found == [
            (["key ceremony appoint"], "pending"),
            (["key ceremony appoint"], "done"),
            (["key ceremony confirm"], "pending"),
            (["key ceremony confirm"], "done"),
        ]
        assert set(entries(folder, log)[1][1]["after"]["checks"]) == {"BA/1", "RS/1"}


def test_a_root_that_was_changed_outside_a_ceremony_is_told_until_it_is_confirmed(folder):
    appointed(folder)
    own_code = open_keyring(load_settings(folder / "cuvar.toml"))
    own_code.rotate("BA", epoch_after(epoch_of(utc_now().date())))
    own_code.close()
    told = json.loads(call_told(folder, "status", "--json"))
    assert told["named_by"] is None
    with pytest.raises(StepError, match="keys confirm"):
        asyncio.run(_keyset(load_registers(folder, {})))
    call(folder, "confirm", "--request", "c.ceremony")
    held(folder, "c.ceremony")
    assert json.loads(call(folder, "status", "--json"))["named_by"]
    assert asyncio.run(_keyset(load_registers(folder, {})))


def test_a_country_is_added_by_two_custodians(folder):
    appointed(folder)
    call(folder, "create", "XK", "--reason", "joins")
    held(folder, "create-XK.ceremony")
    assert states(folder, "XK") == [(1, "active")]
    # It keeps no log here, so the house log alone has the entries.
    assert json.loads(entries(folder, "GATEWAY")[-1][1]["ceremony"])["countries"] == ["XK"]


def test_a_root_that_still_serves_is_not_even_prepared_for_destruction(folder):
    call(folder, "rotate", "BA")
    assert "still serves" in refused(folder, "destroy", "BA", "1")
    assert "no root key 7" in refused(folder, "destroy", "BA", "7")


def test_a_retired_root_is_destroyed_by_two_custodians_once_its_quarters_are_over(folder):
    appointed(folder)
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    held(folder, "r.ceremony")
    settings = load_settings(folder / "cuvar.toml")
    later = datetime.now(UTC) + timedelta(days=366)
    statement, must_be_approved = prepare(
        settings, Asked(Act.DESTROY, ("BA",), 1, reason="retention is over"), later
    )
    assert must_be_approved
    (folder / "d.ceremony").write_bytes(statement.encode())
    approved("d.ceremony", *NAMES[:2])
    before = len(entries(folder))
    # Today the root serves still, whoever approved.
    today = replace(statement, until=utc_now() + timedelta(days=1)).encode()
    (folder / "t.ceremony").write_bytes(today)
    approved("t.ceremony", *NAMES[:2])
    assert "still serves" in refused(folder, "perform", "t.ceremony")
    assert "over 7 days" in refused(folder, "perform", "d.ceremony")
    assert states(folder) == [(1, "retired"), (2, "active")]
    assert len(entries(folder)) == before
    approvals = [read_approval(path.read_bytes()) for path in folder.glob("d.ceremony.*")]
    asyncio.run(hold(settings, statement.encode(), approvals, lambda: later))
    assert states(folder) == [(1, "destroyed"), (2, "active")]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 7},
        {"act": Act.CREATE, "version": 1, "since": "0000q1", "countries": ("XK", "MK")},
        {"act": Act.CREATE, "version": 1, "since": "2020q1", "countries": ("XK",)},
        {"act": Act.CREATE, "version": 1, "since": "0000q1", "countries": ("BA",)},
        {"since": "2020q1"},
        {"act": Act.DESTROY, "version": 1, "since": None},
        {"act": Act.APPOINT, "countries": (), "version": None, "since": None},
        {
            "act": Act.CONFIRM,
            "countries": (),
            "version": None,
            "since": None,
            "custodians": {"BA-DPA/ana": "AA=="},
        },
    ],
)
def test_a_statement_that_says_something_else_than_would_be_done_is_refused(folder, change):
    settings = load_settings(folder / "cuvar.toml")
    statement, _ = prepare(settings, Asked(Act.ROTATE, ("BA",)), utc_now())
    with pytest.raises(KeyringError):
        asyncio.run(hold(settings, replace(statement, **change).encode(), (), utc_now))
    assert states(folder) == [(1, "active")]


def test_a_vault_that_fails_within_a_ceremony_leaves_an_entry_of_it(folder, monkeypatch):
    settings = load_settings(folder / "cuvar.toml")
    statement, _ = prepare(settings, Asked(Act.ROTATE, ("BA",)), utc_now())

    def failing(*_more):
        raise KeyringError("the disk is full")

    monkeypatch.setattr(Keyring, "rotate", failing)
    with pytest.raises(KeyringError, match="disk is full"):
        asyncio.run(hold(settings, statement.encode(), (), utc_now))
    assert [envelope["status"] for envelope, _ in entries(folder)] == ["pending", "error"]


@pytest.mark.parametrize("since", ["2020q1", "2026q0"])
def test_a_rotation_into_the_past_is_not_prepared(folder, since):
    assert "quarter" in refused(folder, "rotate", "BA", "--from", since)


def test_a_rotation_is_prepared_for_half_a_year_ahead_at_most(folder):
    next_but_one = epoch_after(epoch_after(epoch_of(utc_now().date())))
    for far in ("9999q4", epoch_after(next_but_one)):
        assert f"from {next_but_one} on" in refused(folder, "rotate", "BA", "--from", far)
    call(folder, "rotate", "BA", "--from", next_but_one)


def test_after_a_leak_the_current_quarter_is_rotated(folder):
    now = epoch_of(datetime.now(UTC).date())
    call(folder, "rotate", "BA", "--from", now)
    keyring = open_keyring(load_settings(folder / "cuvar.toml"))
    versions = [d.version for d in keyring.domains("BA", "UNHCR", "tracing", now)]
    assert versions == [2, 1]
    assert keyring.domain("BA", "UNHCR", "tracing", epoch_after(now)).version == 2


def test_approvals_that_lapsed_perform_nothing(folder):
    appointed(folder)
    call(folder, "rotate", "BA", "--request", "r.ceremony")
    settings = load_settings(folder / "cuvar.toml")
    content = (folder / "r.ceremony").read_bytes()
    with pytest.raises(CeremonyError, match="lapsed"):
        asyncio.run(hold(settings, content, (), lambda: utc_now() + timedelta(days=8)))
    assert states(folder) == [(1, "active")]


def test_without_the_log_nothing_is_done_to_a_root(folder):
    (folder / "log.sqlite").rename(folder / "gone.sqlite")
    settings = load_settings(folder / "cuvar.toml")
    statement, _ = prepare(settings, Asked(Act.ROTATE, ("BA",)), utc_now())
    with pytest.raises(AuditError):
        asyncio.run(hold(settings, statement.encode(), (), utc_now))
    told = call_told(folder, "status", "--json")
    assert "the log can't say" in json.loads(told)["unnamed"]
    (folder / "gone.sqlite").rename(folder / "log.sqlite")
    assert states(folder) == [(1, "active")]


def in_production(folder):
    """The settings as production has them, but for what has nothing to do with keys."""
    settings = load_settings(folder / "cuvar.toml")
    gateway = settings.gateway.model_copy(update={"mode": "production"})
    return settings.model_copy(update={"gateway": gateway})


def test_production_makes_and_changes_no_root_without_custodians(folder):
    settings = in_production(folder)
    statement, must_be_approved = prepare(settings, Asked(Act.ROTATE, ("BA",)), utc_now())
    assert must_be_approved
    with pytest.raises(CeremonyError, match="at least two custodians"):
        asyncio.run(hold(settings, statement.encode(), (), utc_now))
    assert states(folder) == [(1, "active")]


def test_setting_up_production_leaves_the_first_roots_to_two_custodians(folder):
    settings = in_production(folder)
    if settings.keys.keyset is None:
        fresh = settings.keys.token.model_copy(update={"label": softhsm.fresh_token()})
        settings = settings.model_copy(
            update={"keys": settings.keys.model_copy(update={"token": fresh})}
        )
    else:
        settings.keys.keyset.unlink()
    custodians = tuple(folder / file for file in PUBLIC)
    settings = settings.model_copy(
        update={"keys": settings.keys.model_copy(update={"custodians": custodians})}
    )
    assert "two custodians make it" in "\n".join(create_missing(settings))
    statement, must_be_approved = prepare(settings, Asked(Act.CREATE), utc_now())
    assert must_be_approved
    assert set(statement.countries) == set(settings.registers)
    assert sorted(statement.custodians) == sorted(NAMES)
    with pytest.raises(CeremonyError, match="0 approved so far"):
        asyncio.run(hold(settings, statement.encode(), (), utc_now))
    assert "two custodians make it" in "\n".join(create_missing(settings))
    approvals = [
        approve(statement.encode(), folder / file.replace(".pub", ".key")) for file in PUBLIC[:2]
    ]
    asyncio.run(hold(settings, statement.encode(), approvals, utc_now))
    keyring = open_keyring(settings)
    assert keyring.countries == set(settings.registers)
    assert sorted(keyring.custodians) == sorted(NAMES)
    keyring.close()
    assert "keyset: was there, untouched" in create_missing(settings)


def test_the_doctor_wants_custodians_in_production(folder):
    production = in_production(folder).model_copy(update={"registers": {}})
    with pytest.raises(StepError, match="keys appoint"):
        asyncio.run(_keyset(production))
    assert "0 custodians" in asyncio.run(_keyset(load_registers(folder, {})))
    appointed(folder)
    assert "2 countries, 3 custodians" in asyncio.run(_keyset(production))


def load_registers(folder, registers):
    """The settings of the trial with these registers."""
    return load_settings(folder / "cuvar.toml").model_copy(update={"registers": registers})


def test_status_shows_roots_and_custodians_and_no_key(folder):
    appointed(folder)
    shown = call(folder, "status")
    assert "BA    1  from 0000q1  active" in shown
    assert "custodians: BA-AS/boris, BA-DPA/ana, RS-DPA/vera" in shown
    document = json.loads(call(folder, "status", "--json"))
    assert {root["country"] for root in document["roots"]} == {"BA", "RS"}
    assert len({root["check"] for root in document["roots"]}) == 2
    assert f"digest {document['digest']}" in shown
    for name, file in zip(NAMES, PUBLIC, strict=True):
        key = (folder / file).read_text(encoding="utf-8").split()[2]
        assert f"{name} with key {key}" in shown
    assert "named by entry" in shown
    assert document["named_by"] in shown


def test_a_custodian_reads_what_he_approves_and_may_decline(folder):
    appointed(folder)
    call(folder, "rotate", "BA", "--request", "r.ceremony", "--reason", "leak")
    done = CliRunner().invoke(
        cuvar, ["keys", "approve", "r.ceremony", "--key", "BA-DPA-ana.key"], input="n\n"
    )
    assert "root key 2 is made for BA" in done.output
    assert "leak" in done.output
    with suppress(FileNotFoundError):
        assert not list(folder.glob("r.ceremony.*"))
