# SPDX-License-Identifier: EUPL-1.2
"""Native values in the common form: unknown stays unknown, and no reader fails."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sources.codes import BUILT_IN, CodeList
from gateway.sources.common import Kind, field_kind, trait_kind
from gateway.sources.dates import date_form
from gateway.sources.decoding import decoder, surrogate_bytes
from gateway.sources.mapping import Child, Column, Spec
from gateway.sources.record import NEVER, TRAITS

RAW = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=False),
    st.just(Decimal("NaN")),
    st.booleans(),
    st.binary(),
    st.dates(),
    st.datetimes(),
    st.uuids(),
)
LISTS = st.lists(st.one_of(st.none(), st.text(), st.integers()))


def reader(name="x", *, trait=False, child=False, **options):
    kind = options.pop("kind", None) or (trait_kind(name) if trait else field_kind("persons", name))
    if kind.type == "date":
        options.setdefault("date", date_form("native"))
    if kind.type == "code":
        options.setdefault("codes", BUILT_IN[kind.codes])
    options.setdefault("many", kind.many)
    place = {"child": Child("t", "k", "c", "record")} if child else {"column": Column("", "c")}
    return decoder(Spec(1, name, kind, **place, **options), trait=trait)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (True, True),
        (0, False),
        ("1", True),
        (" False ", False),
        (Decimal(1), True),
        (2, None),
        ("maybe", None),
        ("", None),
        (None, None),
        (b"1", None),
        (0.5, None),
    ],
)
def test_a_truth_is_one_of_two_or_unknown(raw, read):
    assert reader("blocked", trait=True)(raw) is read


def test_coded_truths_are_read_by_their_list_alone():
    codes = CodeList("yesno", "yesno", 1, {"da": "yes", "ne": "no", "0": "no"})
    read = reader("blocked", trait=True, codes=codes)
    assert [read(raw) for raw in ("da", " ne ", 0, 1, "yes", None)] == [
        *(True, False, False, None, None, None)
    ]


def test_a_code_that_no_list_names_is_unknown_and_never_itself():
    read = reader("biographic.sex", codes=CodeList("sex", "sex", 1, {"Ж": "F", "1": "M"}))
    assert [read(raw) for raw in ("Ж", 1, Decimal("1.0"), "M", "", None)] == [
        *("F", "M", "M", None, None, None)
    ]
    assert reader("biographic.sex")("M") == "M"
    assert reader("biographic.sex")("W") is None


def test_one_unreadable_piece_makes_a_trait_unknown_but_only_leaves_a_field_s_list():
    for raw in (["AF", "??"], ["AF", None]):
        assert reader("nationalities", trait=True, child=True)(raw) is None
        assert reader("biographic.nationalities", child=True)(raw) == ("AF",)
    assert reader("nationalities", trait=True, split=";")("AF;??") is None


def test_nothing_in_a_list_is_unknown_unless_the_register_says_none():
    for raw in (None, "", [], "[]"):
        child = isinstance(raw, list) or raw == "[]"
        assert reader("nationalities", trait=True, child=child)(raw) is None
        declared = reader("declared_persecutor", trait=True, child=child, empty="none")
        assert declared(raw) == ()
    assert reader("blocked", trait=True, empty="none")(None) is False
    assert reader("reflection_until", trait=True, empty="none")(None) == NEVER
    assert reader("retain_until", trait=True, empty="none")(None) is None


def test_damaged_json_of_a_child_table_is_unknown():
    assert reader("nationalities", trait=True, child=True)('["AF", "SY') is None
    assert reader("nationalities", trait=True, child=True)('{"a": 1}') is None
    assert reader("nationalities", trait=True, child=True)('["SY", "AF"]') == ("AF", "SY")


def test_moments_are_days_except_where_the_field_is_a_moment():
    moment = datetime(2026, 5, 4, 10, 30)  # noqa: DTZ001 - as a register stores it
    assert type(reader("biographic.date_of_birth")(moment)) is date
    assert type(reader("date_of_birth", trait=True)(moment)) is date
    assert reader("record.registered_at", kind=Kind("date"))(moment) == moment


def test_a_piece_of_a_split_value_is_read_alone():
    read = reader("direct_identifier.surnames", split=",", part=1)
    assert [read(raw) for raw in ("a, b ,c", "a", None)] == ["b", None, None]


def test_text_is_text_and_bytes_are_nothing():
    read = reader("direct_identifier.surnames")
    assert [read(raw) for raw in ("Ана  ", "", b"x", 12)] == ["Ана", None, None, "12"]


@pytest.mark.parametrize(
    "raw",
    [
        bytes(range(16)),
        bytearray(range(16)),
        bytes(range(16)).hex(),
        bytes(range(16)).hex().upper(),
        uuid.UUID(bytes=bytes(range(16))),
        str(uuid.UUID(bytes=bytes(range(16)))),
    ],
)
def test_a_surrogate_is_sixteen_bytes_in_any_form(raw):
    assert surrogate_bytes(raw) == bytes(range(16))


@pytest.mark.parametrize("raw", [None, "", "00", b"short", "zz" * 16, bytes(17), 12])
def test_anything_else_is_no_surrogate(raw):
    assert surrogate_bytes(raw) is None


@given(RAW, LISTS, st.sampled_from(TRAITS), st.booleans())
def test_no_value_makes_a_trait_s_reader_fail(single, several, name, child):
    kind = trait_kind(name)
    raw = several if kind.many and len(several) % 2 else single
    read = reader(name, trait=True, child=child and kind.many)(raw)
    if kind.many:
        assert read is None or (isinstance(read, tuple) and read)
    if kind.type == "code" and read is not None:
        pieces = read if isinstance(read, tuple) else (read,)
        assert set(pieces) <= set(BUILT_IN[kind.codes].native)
    if kind.type == "bool":
        assert read in (True, False, None)
    if kind.type == "date":
        assert read is None or type(read) is date


@given(RAW)
def test_no_value_makes_a_surrogate_s_reader_fail(raw):
    read = surrogate_bytes(raw)
    assert read is None or len(read) == 16
