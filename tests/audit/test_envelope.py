# SPDX-License-Identifier: EUPL-1.2
import json
import uuid
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import (
    Asked,
    Envelope,
    EnvelopeError,
    Link,
    Owner,
    Requester,
    addressed,
    encode_envelope,
    parse_envelope,
)
from audit.envelope import (
    MAX_BYTES,
    EncodedEnvelope,
    encoded_form,
    format_time,
    new_entry_id,
    stamp,
)
from audit.forms import PATTERNS
from audit.merkle import leaf_hash
from audit.ranges import MAX_INDEX, indices_of, ranges_of
from audit.vocabulary import Kind, Operation, Status, Verdict
from tests.audit.making import NOON, envelope, vectors

TOLD = vectors("envelope.json")
ASKED = Asked("find", "hit", ("record",), named=True, sure=("presence",), maybe=("verified",))


def form(name):
    return st.from_regex(rf"\A(?:{PATTERNS[name]})\Z").filter(str.isascii)


def forms(name):
    return st.frozensets(form(name), max_size=3).map(lambda found: tuple(sorted(found)))


@st.composite
def questions(draw):
    sure = draw(forms("name"))
    return Asked(
        action=draw(form("word")),
        view=draw(form("word")),
        categories=draw(forms("name")),
        named=draw(st.booleans()),
        sure=sure,
        maybe=tuple(fact for fact in draw(forms("name")) if fact not in sure),
    )


ENVELOPES = st.builds(
    Envelope,
    id=form("id"),
    kind=st.sampled_from(Kind),
    t=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - next line
        lambda t: t.replace(tzinfo=UTC)
    ),
    log=form("log"),
    requester=st.none()
    | st.builds(Requester, form("country"), form("code"), st.none() | form("code")),
    owner=st.none() | st.builds(Owner, form("country"), st.none() | form("code")),
    op=st.none() | st.sampled_from(Operation),
    asked=st.none() | questions(),
    about=st.frozensets(st.integers(0, 40) | st.integers(0, MAX_INDEX), max_size=30).map(ranges_of),
    erase=st.none() | form("month"),
    link=st.none()
    | st.builds(
        Link, form("log"), st.none() | st.integers(0, 2**53 - 1), st.none() | form("digest")
    ),
    purpose=st.none() | form("code"),
    basis=st.none() | form("code"),
    decision=st.sampled_from(Verdict),
    view=st.none() | form("view"),
    fields=forms("field"),
    rules=forms("rule"),
    policy=st.none() | form("digest"),
    duties=forms("code"),
    count=st.none() | st.integers(0, 2**53 - 1),
    status=st.sampled_from(Status),
    correlation=st.none() | form("code"),
    detail=st.none() | form("digest"),
    keys=forms("code"),
)


@settings(max_examples=40)
@given(ENVELOPES)
def test_an_envelope_survives_writing_and_reading(made):
    assert parse_envelope(bytes(encode_envelope(made))) == made


@settings(max_examples=40)
@given(ENVELOPES)
def test_the_bytes_are_those_of_rfc_8785(made):
    data = encode_envelope(made)
    assert rfc8785.dumps(json.loads(data)) == data


@pytest.mark.parametrize("told", TOLD["valid"])
def test_a_published_entry_is_read_and_written_byte_for_byte(told):
    data = told["text"].encode()
    assert encode_envelope(parse_envelope(data)) == data
    assert leaf_hash(data).hex() == told["leaf"]


@pytest.mark.parametrize("told", TOLD["refused"], ids=lambda told: told["why"])
def test_a_reader_refuses_what_the_writer_would_not_write(told):
    with pytest.raises(EnvelopeError):
        parse_envelope(told["text"].encode())


@given(st.data())
def test_no_changed_byte_leaves_an_entry_readable_and_unnoticed(data):
    good = TOLD["valid"][0]["text"].encode()
    place = data.draw(st.integers(0, len(good) - 1))
    changed = bytearray(good)
    changed[place] = data.draw(st.integers(0, 255).filter(lambda value: value != good[place]))
    try:
        read = parse_envelope(bytes(changed))
    except EnvelopeError:
        return
    assert encode_envelope(read) == bytes(changed) != good


@given(st.binary(max_size=300))
def test_noise_is_refused_with_the_packages_own_error(noise):
    with pytest.raises(EnvelopeError):
        parse_envelope(noise)


def test_entries_of_older_versions_stay_what_they_were_and_new_ones_are_of_the_third():
    first, second = (TOLD["valid"][n]["text"].encode() for n in (0, 2))
    assert (parse_envelope(first).v, parse_envelope(first).asked) == (1, None)
    assert (parse_envelope(second).v, parse_envelope(second).asked is None) == (2, False)
    new = encode_envelope(envelope(asked=ASKED, about=("3-5",)))
    assert (parse_envelope(new).v, parse_envelope(new).about) == (3, ("3-5",))
    assert parse_envelope(encode_envelope(envelope())).asked is None


def test_a_remembered_question_does_not_let_a_number_pass_for_a_truth():
    encode_envelope(envelope(asked=ASKED))
    with pytest.raises(EnvelopeError):
        encode_envelope(envelope(asked=replace(ASKED, named=1)))


def test_the_same_set_of_items_has_one_encoding():
    one = envelope(rules=("BA-A03", "HR-Q03"))
    other = replace(one, rules=("HR-Q03", "BA-A03", "HR-Q03"))
    assert encode_envelope(one) == encode_envelope(other)


@pytest.mark.parametrize(
    "rule", ["BA-A03", "BA-O09v", "F04", "Q-NAMED", "HR-N1", "no owner line", "malformed question"]
)
def test_rule_ids_and_reasons_fit(rule):
    assert parse_envelope(bytes(encode_envelope(envelope(rules=(rule,))))).rules == (rule,)


@pytest.mark.parametrize(
    "changed",
    [
        {"rules": ("Ana Anic",)},
        {"purpose": "to find Ana"},
        {"fields": ("surname=Anic",)},
        {"correlation": "A 123 456"},
        {"basis": ""},
        {"basis": "for Ana Anić"},
        {"requester": Requester("HR", "Ana Anic", None)},
        {"owner": Owner("Bosnia", None)},
        {"view": "FULL"},
        {"log": "a log"},
        {"count": 1.5},
        {"count": True},
        {"count": -1},
        {"kind": "gossip"},
        {"t": datetime(2026, 11, 24)},  # noqa: DTZ001 - the missing zone is the point
        {"keys": ("ključ",)},
        {"policy": "A" * 64},
        {"v": 0},
        {"v": 4},
        {"erase": "2036-13"},
        {"about": ("Ana",)},
        {"link": Link("audit example")},
        {"link": Link("audit.example/BA", size=-1)},
        {"link": Link("audit.example/BA", root="ab")},
        {"v": True},
        {"v": 1, "asked": ASKED},
        {"asked": replace(ASKED, action="find Ana")},
        {"asked": replace(ASKED, view="hit+full")},
        {"asked": replace(ASKED, categories=("Ana Anic",))},
        {"asked": replace(ASKED, named=1)},
        {"asked": replace(ASKED, sure=("presence of Ana",))},
        {"asked": replace(ASKED, maybe=("presence",))},
        {"asked": replace(ASKED, maybe=[["presence"]])},
    ],
)
def test_a_writer_refuses_values_off_their_form_without_repeating_them(changed):
    with pytest.raises(EnvelopeError) as refused:
        encode_envelope(envelope(**changed))
    assert "Ani" not in str(refused.value)


def test_an_envelope_too_long_for_a_bundle_is_refused():
    many = tuple(f"a{n:031d}.b{n:031d}" for n in range(500))
    with pytest.raises(EnvelopeError, match="65,535"):
        encode_envelope(
            envelope(
                fields=many,
                duties=tuple(f"d{n:047d}" for n in range(500)),
                keys=tuple(f"k{n:063d}" for n in range(500)),
            )
        )
    with pytest.raises(EnvelopeError, match="512"):
        encode_envelope(envelope(fields=tuple(f"a.b{n}" for n in range(513))))
    with pytest.raises(EnvelopeError):
        parse_envelope(b" " * (MAX_BYTES + 1))


def test_the_stamp_changes_the_time_and_nothing_else():
    made = envelope()
    later = NOON + timedelta(days=1, microseconds=7)
    stamped = stamp(encode_envelope(made), format_time(later))
    assert parse_envelope(stamped) == replace(made, t=later)


@settings(max_examples=40)
@given(ENVELOPES, st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - below
def test_any_envelope_can_be_stamped(made, t):
    later = t.replace(tzinfo=UTC)
    stamped = stamp(encode_envelope(made), format_time(later))
    assert parse_envelope(stamped) == replace(made, t=later)


def test_times_are_written_in_utc():
    zone = timezone(timedelta(hours=2))
    assert format_time(datetime(2026, 7, 1, 14, tzinfo=zone)) == "2026-07-01T12:00:00.000000Z"


def test_foreign_bytes_are_parsed_before_the_log_believes_them():
    data = encode_envelope(envelope())
    assert encoded_form(data) is data
    copied = encoded_form(bytes(data))
    assert isinstance(copied, EncodedEnvelope)
    assert vars(copied) == vars(data)
    with pytest.raises(EnvelopeError):
        encoded_form(b"{}")


def test_an_entry_id_is_a_uuid_of_version_7_in_the_order_of_time():
    first = uuid.UUID(new_entry_id(NOON, b"\xff" * 10))
    second = uuid.UUID(new_entry_id(NOON + timedelta(milliseconds=1), bytes(10)))
    assert (first.version, first.variant) == (7, uuid.RFC_4122)
    assert first < second
    assert first.int >> 80 == round(NOON.timestamp() * 1000)


def test_every_member_is_documented(request):
    text = (request.config.rootpath / "docs/formats/log.md").read_text(encoding="utf-8")
    names = {field.name for told in (Envelope, Asked) for field in fields(told)}
    assert {name for name in names if f"`{name}`" not in text} == set()
    words = {word.value for words in (Kind, Operation, Status, Verdict) for word in words}
    assert {word for word in words if f"`{word}`" not in text} == set()


@given(st.frozensets(st.integers(0, 60), max_size=60))
def test_ranges_name_exactly_the_entries_they_were_made_of(indices):
    assert list(indices_of(ranges_of(indices))) == sorted(indices)


@pytest.mark.parametrize(
    "about",
    [
        ("1", "2"),
        ("2", "1"),
        ("3-3",),
        ("4-3",),
        ("01",),
        ("-1",),
        ("1-",),
        ("1-5", "5"),
        ("1", "1"),
        ("9007199254740992",),
        (" 1",),
        ("1\n",),
        (1,),
        tuple(str(2 * n) for n in range(513)),
    ],
)
def test_entries_are_named_in_one_form_only(about):
    with pytest.raises(EnvelopeError):
        encode_envelope(envelope(about=about))


@pytest.mark.parametrize(
    "changed", [{"about": ("1",)}, {"erase": "2036-01"}, {"link": Link("a/B")}]
)
@pytest.mark.parametrize("version", [1, 2])
def test_an_older_version_has_no_newer_member(version, changed):
    with pytest.raises(EnvelopeError):
        encode_envelope(envelope(v=version, **changed))


def test_the_same_event_is_written_for_another_log_with_nothing_else_changed():
    made = envelope(asked=ASKED)
    theirs = addressed(encode_envelope(made), "audit.example/HR/2026h2")
    assert theirs == encode_envelope(replace(made, log="audit.example/HR/2026h2"))
    assert (theirs.log, theirs.kind, theirs.detail) == ("audit.example/HR/2026h2", made.kind, None)


@pytest.mark.parametrize(
    ("changed", "log"),
    [({"about": ("3",)}, "a/HR/2026h2"), ({"link": Link("a/B")}, "a"), ({}, "a b")],
)
def test_an_entry_about_its_own_log_is_not_written_for_another(changed, log):
    with pytest.raises(EnvelopeError):
        addressed(encode_envelope(envelope(**changed)), log)
