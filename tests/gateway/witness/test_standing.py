# SPDX-License-Identifier: EUPL-1.2
from datetime import UTC, datetime, timedelta

import pytest

from gateway.witness.contradiction import Contradiction
from gateway.witness.standing import Limits, Standing, Witnessed, WitnessState
from tests.audit.witnessing import LOG, Tree

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIMITS = Limits(alarm_s=900, block_s=86_400, countries={"BA": 3_600})


def log(age=None, states=(), contradiction=None):
    oldest = None if age is None else NOW - timedelta(seconds=age)
    named = {str(number): state for number, state in enumerate(states)}
    return Witnessed("audit.example/BA/2026h2", 9, 5, None, oldest, named, contradiction)


@pytest.mark.parametrize(
    ("age", "country", "told"),
    [
        (None, "BA", Standing.FINE),
        (-5, "BA", Standing.FINE),
        (899.9, "BA", Standing.FINE),
        (900, "BA", Standing.ALARM),
        (3599, "BA", Standing.ALARM),
        (3600, "BA", Standing.BLOCK),
        (3600, "HR", Standing.ALARM),
        (86_400, "HR", Standing.BLOCK),
    ],
)
def test_age_alarms_first_and_blocks_after_the_limit_of_the_country(age, country, told):
    assert log(age).standing(NOW, LIMITS, country) is told


def test_a_country_whose_limit_is_below_the_alarm_blocks_all_the_same():
    limits = Limits(alarm_s=900, block_s=86_400, countries={"BA": 60})
    assert log(61).standing(NOW, limits, "BA") is Standing.BLOCK


def test_a_claim_alarms_and_a_proof_blocks_though_nothing_is_unwitnessed():
    assert log(states=[WitnessState.DISPUTED]).standing(NOW, LIMITS, "BA") is Standing.ALARM
    for state in (WitnessState.WAITING, WitnessState.UNREACHABLE, WitnessState.REFUSED):
        assert log(states=[state]).standing(NOW, LIMITS, "BA") is Standing.FINE
    proof = Contradiction("o", Tree().checkpoint(9), b"", "https://w.example")
    assert log(contradiction=proof).standing(NOW, LIMITS, "BA") is Standing.BLOCK
    assert "successor" in str(proof)
    assert LOG.name not in str(log())
