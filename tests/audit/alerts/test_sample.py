# SPDX-License-Identifier: EUPL-1.2
import hashlib
from dataclasses import replace
from datetime import timedelta
from math import sqrt

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit.alerts import ONE_IN, Seed
from audit.alerts.context import Officer
from tests.audit.alerts.making import LOG, NOON, SEED, access, person, scanned

LEAVES = [hashlib.sha256(str(n).encode()).digest() for n in range(40_000)]


def seed(byte):
    return Seed(X25519PrivateKey.from_private_bytes(bytes([byte]) * 32))


def drawn(by):
    return {n for n, leaf in enumerate(LEAVES) if by.draws(leaf)}


@pytest.mark.parametrize("byte", [1, 2, 3])
def test_one_in_a_hundred_is_drawn_within_what_chance_allows(byte):
    expected = len(LEAVES) / ONE_IN
    allowed = 5 * sqrt(expected * (1 - 1 / ONE_IN))
    assert abs(len(drawn(seed(byte))) - expected) < allowed


def test_the_same_key_draws_the_same_and_another_key_others():
    assert drawn(seed(1)) == drawn(seed(1))
    both = drawn(seed(1)) & drawn(seed(2))
    assert len(both) < len(drawn(seed(1))) / 10


def test_names_and_draws_do_not_show_the_key():
    assert "redacted" in repr(SEED)
    assert seed(1).name("a", "b") != seed(1).name("ab")
    assert seed(1).name("a", "b") == seed(1).name("a", "b") != seed(2).name("a", "b")


def test_the_sample_is_of_accesses_that_no_rule_flagged():
    asked = [access(n, NOON - timedelta(hours=n)) for n in range(3000)]
    quiet = scanned(asked)
    entries = {alert.entries[0] for alert in quiet.sample}
    assert entries == {a.index for a in asked if SEED.draws(a.leaf)}
    assert entries
    assert {alert.rule for alert in quiet.sample} == {"sample"}
    users = (Officer("officer-9", "unit-a", person("BA", "p-1")),)
    flagged = [replace(a, persons=frozenset({"p-1"})) if a.index in entries else a for a in asked]
    assert not scanned(flagged, officers=users).sample


def test_alerts_keep_their_id_and_come_in_one_order():
    users = (Officer("officer-9", "unit-a", person("BA", "p-1")),)
    asked = [access(n, persons={"p-1"}) for n in range(5)]
    found = scanned(asked, officers=users)
    assert found == scanned(asked, officers=users)
    more = scanned([*asked, access(9, persons={"p-1"})], officers=users)
    assert {a.id for a in found.alerts} < {a.id for a in more.alerts}
    assert all(alert.log == LOG for alert in found.alerts)
