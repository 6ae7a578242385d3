# SPDX-License-Identifier: EUPL-1.2
"""Metrics carry closed labels only, and a bounded number of series."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.metrics import Metrics
from gateway.signals import Outcome, Phase, SignalFields, SourceState, Words

CANARY = "Hadžiosmanović"
FIELDS = SignalFields(
    Words(
        routes=frozenset({"/v1/find"}),
        owners=frozenset({"BA", "RS"}),
        datasets=frozenset({"persons"}),
        actions=frozenset({"find"}),
    )
)


def lines(metrics):
    return [line for line in metrics.render().decode().splitlines() if not line.startswith("#")]


def test_requests_are_counted_and_timed_by_route_template():
    metrics = Metrics(FIELDS)
    metrics.request("/v1/find", "POST", 200, 0.02)
    metrics.request("/v1/find", "POST", 200, 0.02)
    assert 'cuvar_requests_total{method="POST",route="/v1/find",status="200"} 2.0' in lines(metrics)
    assert 'cuvar_request_seconds_count{route="/v1/find"} 2.0' in lines(metrics)


def test_whatever_is_no_member_is_counted_as_other():
    metrics = Metrics(FIELDS)
    metrics.request(f"/v1/find/{CANARY}", CANARY, 404, 0.001)
    metrics.request(None, "GET", 404, 0.001)
    metrics.answer(CANARY, CANARY, CANARY, Outcome.ANSWERED)
    metrics.source(CANARY, SourceState.DOWN)
    metrics.policy(CANARY)
    text = metrics.render().decode()
    assert CANARY not in text
    assert 'cuvar_requests_total{method="other",route="other",status="404"} 1.0' in text
    assert (
        'cuvar_answers_total{action="other",dataset="other",outcome="answered",owner="other"} 1.0'
        in text
    )
    assert "cuvar_policy_info{" not in text


def test_answers_are_counted_by_owner_and_outcome():
    metrics = Metrics(FIELDS)
    metrics.answer("find", "persons", "BA", Outcome.REFUSED)
    assert (
        'cuvar_answers_total{action="find",dataset="persons",outcome="refused",owner="BA"} 1.0'
        in lines(metrics)
    )


def test_a_register_is_in_one_state_at_a_time():
    metrics = Metrics(FIELDS)
    metrics.source("RS", SourceState.UP)
    metrics.source("RS", SourceState.TIMEOUT)
    ones = [line for line in lines(metrics) if "source_state" in line and line.endswith(" 1.0")]
    assert ones == ['cuvar_source_state{owner="RS",state="timeout"} 1.0']


def test_one_rule_set_is_in_force():
    metrics = Metrics(FIELDS)
    metrics.policy("a" * 64)
    metrics.policy("b" * 64)
    assert [line for line in lines(metrics) if "policy_info" in line] == [
        f'cuvar_policy_info{{digest="{"b" * 64}"}} 1.0'
    ]


def test_phases_gauges_and_faults_are_shown():
    metrics = Metrics(FIELDS)
    metrics.phase(Phase.DECIDE, 0.0001)
    metrics.log_queue.set(3)
    metrics.log_size.set(9)
    metrics.log_healthy.set(1)
    metrics.in_flight.set(2)
    metrics.dropped()
    metrics.limited()
    values = metrics.values()
    assert values["cuvar_log_queue_depth"] == 3
    assert values["cuvar_log_size"] == 9
    assert values["cuvar_log_healthy"] == 1
    assert values["cuvar_in_flight"] == 2
    assert values["cuvar_signals_dropped_total"] == 1
    assert values["cuvar_limited_total"] == 1
    assert 'cuvar_phase_seconds_count{phase="decide"} 1.0' in lines(metrics)


def test_two_gateways_in_one_process_do_not_share_a_registry():
    first, second = Metrics(FIELDS), Metrics(FIELDS)
    first.limited()
    assert second.values()["cuvar_limited_total"] == 0


@given(st.lists(st.tuples(st.text(), st.text(), st.sampled_from([200, 403, 404]))))
def test_no_flood_of_paths_and_methods_makes_new_series(requests):
    metrics = Metrics(FIELDS)
    for route, method, status in requests:
        metrics.request("/v1/" + route, method, status, 0.001)
    shown = [line for line in lines(metrics) if line.startswith("cuvar_requests_total")]
    assert len(shown) <= 3 * 8
