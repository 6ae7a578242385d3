# SPDX-License-Identifier: EUPL-1.2
"""One value, one grant, one time: whatever else is tried turns nothing back."""

import asyncio
import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from anonymise import PseudonymError
from anonymise.errors import (
    AnonymiseError,
    PermissionExpiredError,
    PermissionSpentError,
    ReidentificationError,
    RootDestroyedError,
)
from anonymise.reidentify import Permission, reidentify
from tests.anonymise.backends import BOTH, backend

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PERSON = b"0123456789abcdef"


class Ledger:
    """Spent grants in memory, as one process would have them."""

    def __init__(self):
        self.spent = {}

    async def spend(self, grant, until):
        if grant in self.spent:
            return False
        self.spent[grant] = until
        return True


@pytest.fixture(params=BOTH)
def keyring(request, tmp_path):
    made = backend(request.param, tmp_path).create(["BA"])
    yield made
    made.close()


@pytest.fixture
def permission(keyring):
    domain = keyring.domain("BA", "UNHCR", "humanitarian_assistance", "2026q4")
    return Permission(
        grant="grant-1",
        domain=domain,
        pseudonym=keyring.domain_cipher(domain).pseudonym(PERSON),
        granted_by=("BA-DPA", "UNHCR"),
        valid_from=NOW,
        valid_to=NOW + timedelta(hours=1),
    )


def run(keyring, permission, ledger, now=NOW):
    return asyncio.run(reidentify(keyring, permission, ledger, now=now))


def test_a_granted_value_is_turned_back_once(keyring, permission):
    ledger = Ledger()
    assert run(keyring, permission, ledger) == PERSON
    with pytest.raises(PermissionSpentError):
        run(keyring, permission, ledger)
    assert ledger.spent == {"grant-1": permission.valid_to}


def test_one_grant_is_not_good_for_a_second_value(keyring, permission):
    ledger = Ledger()
    run(keyring, permission, ledger)
    other = keyring.domain_cipher(permission.domain).pseudonym(b"another person's")
    with pytest.raises(PermissionSpentError):
        run(keyring, replace(permission, pseudonym=other), ledger)


@pytest.mark.parametrize("apart", [timedelta(seconds=-1), timedelta(hours=1)])
def test_a_grant_counts_from_its_first_moment_and_not_at_its_last(keyring, permission, apart):
    ledger = Ledger()
    with pytest.raises(PermissionExpiredError):
        run(keyring, permission, ledger, NOW + apart)
    assert ledger.spent == {}
    assert run(keyring, permission, ledger, permission.valid_to - timedelta(seconds=1)) == PERSON


@pytest.mark.parametrize("change", [{"grant": ""}, {"granted_by": ()}, {"granted_by": ("BA", "")}])
def test_what_nobody_granted_is_refused(keyring, permission, change):
    ledger = Ledger()
    with pytest.raises(ReidentificationError, match="nobody granted"):
        run(keyring, replace(permission, **change), ledger)
    assert ledger.spent == {}


def test_a_ledger_that_fails_lets_nothing_out(keyring, permission):
    class Failing:
        async def spend(self, _grant, _until):
            raise OSError("no ledger")

    with pytest.raises(OSError, match="no ledger"):
        run(keyring, permission, Failing())


@pytest.mark.parametrize("value", [b"", b"x" * 15, b"x" * 32, [b"x" * 16] * 2])
def test_no_value_but_one_passes_and_a_failed_try_spends_nothing(keyring, permission, value):
    ledger = Ledger()
    with pytest.raises(PseudonymError):
        run(keyring, replace(permission, pseudonym=value), ledger)
    assert ledger.spent == {}


def test_nothing_is_turned_back_once_the_root_is_destroyed(keyring, permission):
    keyring.rotate("BA", "2027q1")
    keyring.destroy("BA", 1, "2027q2")
    ledger = Ledger()
    with pytest.raises(RootDestroyedError):
        run(keyring, permission, ledger)
    assert ledger.spent == {}


def test_a_permission_shows_no_value_and_the_call_has_no_bulk_form(permission):
    assert permission.pseudonym.hex() not in repr(permission)
    assert repr(permission.pseudonym) not in repr(permission)
    assert list(inspect.signature(reidentify).parameters) == [
        "keyring",
        "permission",
        "spent",
        "now",
    ]
    assert issubclass(ReidentificationError, AnonymiseError)
