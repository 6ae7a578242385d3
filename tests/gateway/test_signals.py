# SPDX-License-Identifier: EUPL-1.2
"""The table of what logs, metrics and spans may say lets nothing else through."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.correlation import correlation_of, new_correlation
from gateway.limits import Buckets
from gateway.signals import Outcome, Phase, SignalFields, SourceState, Words, error_fields

WORDS = Words(
    routes=frozenset({"/v1/find"}),
    owners=frozenset({"BA"}),
    organisations=frozenset({"HR-BP"}),
    datasets=frozenset({"persons"}),
    actions=frozenset({"find"}),
    purposes=frozenset({"readmission"}),
    views=frozenset({"full"}),
    issuers=frozenset({"https://login.ministry.ba"}),
)
FIELDS = SignalFields(WORDS)
ALLOWED = (
    {word for words in (getattr(WORDS, name) for name in WORDS.__dataclass_fields__)
     for word in words}
    | {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    | set(Phase) | set(Outcome) | set(SourceState)
)  # fmt: skip
KEYS = sorted(FIELDS._checks)
VALUES = st.one_of(
    st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.binary(),
    st.lists(st.text()), st.dictionaries(st.text(), st.text()), st.sampled_from(sorted(ALLOWED)),
)  # fmt: skip


@given(st.sampled_from(KEYS) | st.text(), VALUES)
def test_only_members_bounded_numbers_and_own_ids_pass(key, value):
    shown = FIELDS.clean(key, value)
    if isinstance(shown, str):
        own_id = re.fullmatch(r"[0-9a-f]{64}|[0-9a-f-]{36}", shown)
        assert shown in ALLOWED or own_id
        assert key in KEYS
    elif shown is not None:
        assert type(shown) in {int, float}
        assert 0 <= shown <= 1 << 53
        assert key in KEYS


@given(st.sampled_from(KEYS), VALUES)
def test_without_words_no_set_lets_anything_through(key, value):
    shown = SignalFields(Words()).clean(key, value)
    if key in {"route", "owner", "organisation", "dataset", "action", "purpose", "view", "issuer"}:
        assert shown is None


@given(st.sampled_from(["route", "owner", "method", "outcome"]), VALUES)
def test_a_label_is_a_member_or_other(key, value):
    label = FIELDS.label(key, value)
    assert label == "other" or label in ALLOWED


def test_a_bool_is_no_number_and_a_document_number_no_count():
    assert all(FIELDS.clean("count", value) is None for value in (True, False))
    assert FIELDS.clean("count", 1_234_567_890) is None
    assert FIELDS.clean("count", 12) == 12
    assert FIELDS.clean("duration_ms", float("nan")) is None
    assert FIELDS.clean("duration_ms", 1.23456) == 1.235


def test_an_error_is_told_by_class_and_own_places_only():
    try:
        Buckets(1, 60.0, size=1, key=b"", clock=lambda: 1 / 0).take("canary-name", 1)
    except ZeroDivisionError as error:
        shown = error_fields(error)
    assert shown["error"] == "builtins.ZeroDivisionError"
    assert all(re.fullmatch(r"gateway\.limits:\d+", place) for place in shown["where"])
    assert shown["where"]
    assert "canary" not in repr(shown)


def test_a_correlation_id_is_a_uuid7_of_its_time_and_noise():
    value = new_correlation(lambda: 0x0123456789AB, lambda size: b"\xff" * size)
    assert value == "01234567-89ab-7fff-bfff-ffffffffffff"
    assert new_correlation(lambda: 0, bytes) == ("00000000-0000-7000-8000-000000000000")
    assert FIELDS.clean("correlation", new_correlation()) is not None


def test_correlation_ids_are_distinct_and_come_from_the_edge_only():
    assert len({new_correlation() for _ in range(1_000)}) == 1_000
    assert correlation_of({}) is None
    assert correlation_of({"cuvar.correlation": 3}) is None
