# SPDX-License-Identifier: EUPL-1.2
"""Limits count per officer, per organisation and per record, and fail closed."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import Buckets, Limits

KEY = bytes(32)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def limits(clock, **changes):
    return Limits(
        **{
            "officer_per_minute": 3,
            "organisation_per_minute": 5,
            "records_per_hour": 100,
            "looks_per_hour": 2,
            "size": 10,
            "key": KEY,
            "clock": clock,
        }
        | changes
    )


def test_an_officer_gets_a_minutes_worth_and_then_waits():
    clock = Clock()
    own = limits(clock)
    assert [own.ask("i", "a", "HR-BP").allowed for _ in range(4)] == [True, True, True, False]
    refused = own.ask("i", "a", "HR-BP")
    assert refused.retry_after_s == 20.0
    clock.now = 19.9
    assert not own.ask("i", "a", "HR-BP").allowed
    clock.now = 20.0
    assert own.ask("i", "a", "HR-BP").allowed


def test_an_organisation_is_counted_over_all_its_officers():
    own = limits(Clock())
    asked = [own.ask("i", officer, "HR-BP").allowed for officer in "aabbcc"]
    assert asked == [True, True, True, True, True, False]
    assert own.ask("i", "a", "HR-AS").allowed


def test_equal_subjects_of_two_issuers_are_two_officers():
    own = limits(Clock(), organisation_per_minute=100)
    for issuer, officer in (("i", "a"), ("ia", ""), ("", "ia")):
        assert [own.ask(issuer, officer, "X").allowed for _ in range(4)] == [True] * 3 + [False]


def test_a_question_turned_away_for_the_organisation_is_not_charged_to_the_officer():
    clock = Clock()
    own = limits(clock, officer_per_minute=2, organisation_per_minute=1)
    assert own.ask("i", "a", "X").allowed
    assert not own.ask("i", "a", "X").allowed
    assert own.ask("i", "a", "Y").allowed
    assert not own.ask("i", "a", "Z").allowed


def test_a_question_turned_away_for_the_officer_is_not_charged_to_the_organisation():
    own = limits(Clock(), officer_per_minute=1, organisation_per_minute=2)
    assert own.ask("i", "a", "X").allowed
    assert not own.ask("i", "a", "X").allowed
    assert own.ask("i", "b", "X").allowed


def test_records_are_released_up_to_the_quota_and_not_in_part():
    clock = Clock()
    own = limits(clock)
    assert own.release("i", "a", 60).allowed
    refused = own.release("i", "a", 41)
    assert not refused.allowed
    assert refused.retry_after_s == 36.0
    assert own.release("i", "a", 40).allowed
    assert own.release("i", "a", 0).allowed
    assert not own.release("i", "a", 1).allowed
    assert own.release("i", "b", 100).allowed
    clock.now = 3_600.0
    assert own.release("i", "a", 100).allowed


def test_more_than_the_whole_quota_is_never_released():
    own = limits(Clock())
    assert not own.release("i", "a", 101).allowed
    assert not own.release("i", "a", -1).allowed


def test_a_full_table_of_active_askers_turns_newcomers_away():
    clock = Clock()
    buckets = Buckets(2, 60.0, size=3, key=KEY, clock=clock)
    for name in "abc":
        assert buckets.take(name, 1).allowed
    newcomer = buckets.take("d", 1)
    assert not newcomer.allowed
    assert newcomer.retry_after_s > 0
    assert buckets.take("a", 1).allowed, "those counted already go on"
    assert len(buckets) == 3


def test_a_full_table_lets_a_newcomer_take_the_place_of_whoever_rested_longest():
    clock = Clock()
    buckets = Buckets(2, 60.0, size=2, key=KEY, clock=clock)
    buckets.take("a", 2)
    clock.now = 30.0
    buckets.take("b", 2)
    clock.now = 59.0
    assert not buckets.take("c", 1).allowed
    clock.now = 60.0
    assert buckets.take("c", 1).allowed
    assert not buckets.take("b", 2).allowed, "b kept its place and its debt"


def test_whoever_asked_last_is_not_the_one_who_rested_longest():
    clock = Clock()
    buckets = Buckets(2, 60.0, size=2, key=KEY, clock=clock)
    for now, name in ((0.0, "a"), (1.0, "b"), (50.0, "a")):
        clock.now = now
        assert buckets.take(name, 1).allowed
    clock.now = 62.0
    assert buckets.take("c", 1).allowed
    assert not buckets.take("a", 2).allowed, "a kept its place and its debt"


def test_a_peek_takes_nothing():
    buckets = Buckets(1, 60.0, size=2, key=KEY, clock=Clock())
    assert buckets.peek("a", 1).allowed
    assert buckets.peek("a", 1).allowed
    assert len(buckets) == 0


def test_a_clock_that_goes_back_gives_nothing():
    clock = Clock()
    clock.now = 100.0
    buckets = Buckets(1, 60.0, size=2, key=KEY, clock=clock)
    assert buckets.take("a", 1).allowed
    clock.now = 0.0
    assert not buckets.take("a", 1).allowed


def test_the_table_names_nobody():
    buckets = Buckets(1, 60.0, size=2, key=KEY, clock=Clock())
    buckets.take("officer-canary", 1)
    assert "canary" not in repr(vars(buckets))
    other = Buckets(1, 60.0, size=2, key=bytes(31) + b"\1", clock=Clock())
    other.take("officer-canary", 1)
    assert buckets._table.keys() != other._table.keys()


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.integers(0, 6),
            st.floats(0, 30, allow_nan=False),
        ),
        max_size=60,
    )
)
def test_nobody_ever_takes_more_than_burst_and_refill(steps):
    clock = Clock()
    buckets = Buckets(5, 60.0, size=2, key=KEY, clock=clock)
    taken = dict.fromkeys("abcd", 0)
    for name, amount, pause in steps:
        clock.now += pause
        if buckets.take(name, amount).allowed:
            taken[name] += amount
        assert len(buckets) <= 2
        assert taken[name] <= 5 + clock.now * 5 / 60 + 1e-6


def test_each_officer_may_look_for_so_many_persons_an_hour_across_a_border():
    clock = Clock()
    own = limits(clock)
    assert [own.look("i", "a").allowed for _ in range(3)] == [True, True, False]
    assert own.look("i", "b").allowed
    assert own.look("https://other.invalid", "a").allowed
    clock.now += 1800
    assert own.look("i", "a").allowed
