# SPDX-License-Identifier: EUPL-1.2
"""Two custodians of two organisations, and nobody alone, whatever he hands in."""

import base64
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from anonymise.errors import CeremonyError, KeyringError, KeysetExistsError
from anonymise.keyring.ceremony import (
    Act,
    Approval,
    Statement,
    read_statement,
    require_approved,
    require_custodians,
)
from anonymise.keyring.custodian import (
    approve,
    create_custodian,
    read_approval,
    read_custodians,
    write_approval,
)

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
KEYSET = "ab" * 32
NUMBER = "0123456789abcdef" * 2
ROTATE = Statement(
    act=Act.ROTATE,
    number=NUMBER,
    countries=("BA",),
    version=2,
    since="2027q1",
    keyset=KEYSET,
    until=NOW + timedelta(days=7),
    reason="godišnja zamjena",
)
NAMES = ("BA-DPA/ana", "BA-AS/boris", "BA-AS/vera")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("custodians")
    for name in (*NAMES, "BA-OP/mallory"):
        stem = name.replace("/", "-")
        create_custodian(name, folder / f"{stem}.key", folder / f"{stem}.pub")
    return folder


@pytest.fixture(scope="module")
def custodians(keys):
    return read_custodians(keys / f"{name.replace('/', '-')}.pub" for name in NAMES)


def by(keys, *names, content=None):
    content = content or ROTATE.encode()
    return [approve(content, keys / f"{name.replace('/', '-')}.key") for name in names]


def check(approvals, custodians, *, content=None, keyset=KEYSET, now=NOW):
    return require_approved(
        content or ROTATE.encode(), approvals, custodians, keyset=keyset, now=now
    )


def test_two_custodians_of_two_organisations_suffice(keys, custodians):
    assert check(by(keys, "BA-DPA/ana", "BA-AS/boris"), custodians) == (
        "BA-AS/boris",
        "BA-DPA/ana",
    )
    assert len(check(by(keys, *NAMES), custodians)) == 3


@pytest.mark.parametrize(
    "names",
    [(), ("BA-DPA/ana",), ("BA-DPA/ana", "BA-DPA/ana"), ("BA-AS/boris", "BA-AS/vera")],
)
def test_one_alone_or_two_of_one_organisation_do_not(keys, custodians, names):
    with pytest.raises(CeremonyError, match="two custodians of two organisations"):
        check(by(keys, *names), custodians)


def test_somebody_who_is_no_custodian_counts_for_nothing(keys, custodians):
    with pytest.raises(CeremonyError, match="BA-OP/mallory is not this custodian"):
        check(by(keys, "BA-DPA/ana", "BA-OP/mallory"), custodians)


def test_nobody_approves_in_anothers_name(keys, custodians):
    [ana, mallory] = by(keys, "BA-DPA/ana", "BA-OP/mallory")
    forged = Approval("BA-AS/boris", mallory.signature)
    borrowed = Approval("BA-AS/boris", ana.signature)
    for given in (forged, borrowed, Approval("BA-AS/boris", ""), Approval("BA-AS/boris", "!")):
        with pytest.raises(CeremonyError, match="not this custodian's"):
            check([ana, given], custodians)


@pytest.mark.parametrize(
    "change",
    [
        {"act": Act.DESTROY, "since": None},
        {"countries": ("RS",)},
        {"version": 3},
        {"since": "2026q4"},
        {"until": NOW + timedelta(days=6)},
        {"number": "fedcba9876543210" * 2},
        {"reason": "another"},
    ],
)
def test_approvals_do_not_pass_to_another_statement(keys, custodians, change):
    approvals = by(keys, "BA-DPA/ana", "BA-AS/boris")
    with pytest.raises(CeremonyError, match="not this custodian's"):
        check(approvals, custodians, content=replace(ROTATE, **change).encode())


def test_approvals_lapse(keys, custodians):
    approvals = by(keys, "BA-DPA/ana", "BA-AS/boris")
    assert check(approvals, custodians, now=ROTATE.until - timedelta(seconds=1))
    with pytest.raises(CeremonyError, match="lapsed"):
        check(approvals, custodians, now=ROTATE.until)


def test_nothing_is_approved_for_longer_than_a_week(keys, custodians):
    content = replace(ROTATE, until=NOW + timedelta(days=8)).encode()
    approvals = by(keys, "BA-DPA/ana", "BA-AS/boris", content=content)
    with pytest.raises(CeremonyError, match="over 7 days"):
        check(approvals, custodians, content=content)


def test_approvals_are_good_for_one_state_of_the_keyset_only(keys, custodians):
    with pytest.raises(CeremonyError, match="prepare the ceremony again"):
        check(by(keys, "BA-DPA/ana", "BA-AS/boris"), custodians, keyset="cd" * 32)


def test_without_custodians_nothing_is_approved(keys):
    with pytest.raises(CeremonyError, match="at least two custodians"):
        check(by(keys, "BA-DPA/ana", "BA-AS/boris"), {})


def test_custodians_are_two_at_least_of_two_organisations_each_with_a_key(custodians):
    require_custodians(custodians)
    ana, boris, vera = (custodians[name] for name in NAMES)
    for wrong in (
        {},
        {"BA-DPA/ana": ana},
        {"BA-AS/boris": boris, "BA-AS/vera": vera},
        {"BA-DPA/ana": ana, "BA-AS/boris": ana},
        {"BA-DPA/ana": ana, "boris": boris},
    ):
        with pytest.raises(CeremonyError):
            require_custodians(wrong)


@pytest.mark.parametrize(
    "statement",
    [
        ROTATE,
        replace(
            ROTATE,
            act=Act.CREATE,
            countries=("BA", "RS"),
            version=1,
            since="0000q1",
            custodians={"BA-DPA/ana": "AA=="},
            reason="",
        ),
        replace(ROTATE, act=Act.DESTROY, version=1, since=None, reason="x" * 500),
        replace(
            ROTATE,
            act=Act.APPOINT,
            countries=(),
            version=None,
            since=None,
            custodians={"BA-DPA/ana": "AA=="},
        ),
        replace(ROTATE, act=Act.CONFIRM, countries=(), version=None, since=None),
    ],
)
def test_a_statement_is_read_as_it_was_written(statement):
    assert read_statement(statement.encode()) == statement
    assert statement.sentence()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(more=1),
        lambda m: m.pop("reason"),
        lambda m: m.update(act="steal"),
        lambda m: m.update(format="cuvar-ceremony-1"),
        lambda m: m.update(countries=[]),
        lambda m: m.update(countries=["BA", "RS"]),
        lambda m: m.update(countries=["ba"]),
        lambda m: m.update(version=None),
        lambda m: m.update(version=True),
        lambda m: m.update(since=None),
        lambda m: m.update(since="soon"),
        lambda m: m.update(keyset="ab"),
        lambda m: m.pop("number"),
        lambda m: m.update(number="ab"),
        lambda m: m.update(number=7),
        lambda m: m.update(until="2026-11-24"),
        lambda m: m.update(reason="x" * 501),
        lambda m: m.update(reason="two\nlines"),
        lambda m: m.update(reason="\x1b[2Jnothing to see"),
        lambda m: m.update(act="destroy"),
        lambda m: m.update(act="appoint"),
        lambda m: m.update(act="confirm"),
        lambda m: m.update(custodians=[]),
    ],
)
def test_a_statement_that_would_not_be_written_is_not_read(change):
    members = json.loads(ROTATE.encode())
    change(members)
    content = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with pytest.raises(CeremonyError):
        read_statement(content.encode() + b"\n")


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"\xff", b"[" * 5_000, b" " * 70_000])
def test_what_is_no_statement_is_refused(content):
    with pytest.raises(CeremonyError):
        read_statement(content)
    with pytest.raises(CeremonyError):
        read_statement(ROTATE.encode() + content + b"\n")


def test_a_custodians_key_is_private_made_once_and_refused_when_others_can_read_it(tmp_path):
    private, public = tmp_path / "a.key", tmp_path / "a.pub"
    create_custodian("BA-DPA/ana", private, public)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    with pytest.raises(KeysetExistsError):
        create_custodian("BA-DPA/ana", private, tmp_path / "other.pub")
    public.chmod(0o600)
    with pytest.raises(CeremonyError, match="private key"):
        approve(ROTATE.encode(), public)
    private.chmod(0o644)
    with pytest.raises(KeyringError, match="chmod 600"):
        approve(ROTATE.encode(), private)


def test_a_key_pair_is_made_whole_or_not_at_all(tmp_path):
    (tmp_path / "a.pub").write_text("here already")
    with pytest.raises(CeremonyError, match="can't be written"):
        create_custodian("BA-DPA/ana", tmp_path / "a.key", tmp_path / "a.pub")
    assert not (tmp_path / "a.key").exists()
    with pytest.raises(CeremonyError, match="BA-DPA/ana"):
        create_custodian("ana", tmp_path / "b.key", tmp_path / "b.pub")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"cuvar-custodian-public-1 BA-DPA/ana " + base64.b64encode(bytes(31)) + b"\n",
        b"cuvar-custodian-public-1 ana " + base64.b64encode(bytes(32)) + b"\n",
        b"cuvar-custodian-public-2 BA-DPA/ana " + base64.b64encode(bytes(32)) + b"\n",
        b"cuvar-custodian-public-1 BA-DPA/ana " + base64.b64encode(bytes(32)),
        b"cuvar-custodian-public-1  BA-DPA/ana " + base64.b64encode(bytes(32)) + b"\n",
        b"\xff\xfe",
    ],
)
def test_a_malformed_public_key_is_refused(tmp_path, content):
    path = tmp_path / "a.pub"
    path.write_bytes(content)
    with pytest.raises(CeremonyError, match=r"a\.pub is no public key"):
        read_custodians([path])


def test_a_custodian_named_twice_or_missing_is_refused(keys):
    with pytest.raises(CeremonyError, match="twice"):
        read_custodians([keys / "BA-DPA-ana.pub"] * 2)
    with pytest.raises(CeremonyError, match="can't be read"):
        read_custodians([keys / "nobody.pub"])
    assert read_custodians([]) == {}


def test_an_approval_is_read_as_it_was_written_and_not_otherwise(keys):
    [given] = by(keys, "BA-DPA/ana")
    content = write_approval(given)
    assert read_approval(content) == given
    for wrong in (content[:-1], content + b" ", b"{}", b"", b"\xff", content.replace(b":", b": ")):
        with pytest.raises(CeremonyError, match="damaged"):
            read_approval(wrong)
