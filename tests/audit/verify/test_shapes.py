# SPDX-License-Identifier: EUPL-1.2
"""The fast check of a row of envelopes refuses exactly what `parse_envelope` refuses."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import Asked, Kind, Link, Owner, Requester, encode_envelope, parse_envelope
from audit.envelope import MAX_BYTES, format_time
from audit.errors import EnvelopeError
from audit.verify.shapes import WEIGHTY, Shapes, commitment
from audit.vocabulary import Status, Verdict
from tests.audit.making import NOON, ORIGIN, envelope

CODES = st.sampled_from(["x", "0d7b6d3e", "A.b_c-d", "9" * 64]) | st.none()
ASKED = st.sampled_from(
    [
        None,
        Asked("consult", "full", (), named=True),
        Asked("find", "hit", ("biographic",), named=False, sure=("one",), maybe=("two",)),
    ]
)
THIRD = st.fixed_dictionaries(
    {
        "about": st.sampled_from([(), ("0",), ("3-9", "12")]),
        "erase": st.sampled_from([None, "2029-11"]),
        "link": st.sampled_from([None, Link("audit.example/BA/2026h1", 3, "b" * 64)]),
    }
)


@st.composite
def envelopes(draw):
    version = draw(st.sampled_from([3, 3, 3, 2, 1]))
    told = {
        "v": version,
        "kind": draw(st.sampled_from(list(Kind))),
        "t": NOON + timedelta(microseconds=draw(st.integers(0, 10**10))),
        "correlation": draw(CODES),
        "count": draw(st.none() | st.integers(0, 2**53 - 1)),
        "decision": draw(st.sampled_from(list(Verdict))),
        "status": draw(st.sampled_from(list(Status))),
        "detail": draw(st.sampled_from([None, "c" * 64, "0123456789abcdef" * 4])),
        "owner": draw(st.sampled_from([None, Owner("BA", "persons"), Owner("HR", None)])),
        "requester": draw(st.sampled_from([None, Requester("HR", "HR-BP", None)])),
        "log": draw(st.sampled_from([ORIGIN, ORIGIN, ORIGIN, "audit.example/HR/2026h2"])),
        "fields": draw(st.sampled_from([(), ("biographic.sex",)])),
        "asked": None if version == 1 else draw(ASKED),
        **(draw(THIRD) if version == 3 else {}),
    }
    return bytes(encode_envelope(envelope(**told)))


SWAPS = (
    (b'"count":', b'"count":0'),
    (b'"decision":"allow"', b'"decision":"ALLOW"'),
    (b'"detail":null', b'"detail":"' + b"g" * 64 + b'"'),
    (b'"correlation":"', b'"correlation":"\n'),
    (b'"correlation":"x"', b'"correlation":"x","x"'),
    (b'"correlation":"x"', b'"correlation":""'),
    (b"-7", b"-8"),
    (b"Z", b"z"),
    (b"T12", b"T24"),
    (b"2026-11", b"2026-13"),
    (b"2026-11-24", b"2026-02-30"),
    (b":00.", b":60."),
    (b'"v":3', b'"v":2'),
    (b'"v":2', b'"v":3'),
    (b'"v":1', b'"v":2'),
    (b',"duties"', b',"count":1,"duties"'),
    (b'"id":"', b'"id":"0'),
    (b",", b", "),
    (b"null", b"nul"),
    (b'"t":"', b'"t":"x","t":"'),
    (b'"detail":"', b'"detail":null,"detail":"'),
)


def slow(entries):
    """What `parse_envelope` says of each."""
    found = []
    for data in entries:
        try:
            told = parse_envelope(data)
        except EnvelopeError:
            found.append(None)
        else:
            detail = told.detail.encode() if told.detail else None
            found.append((told.log == ORIGIN, format_time(told.t).encode(), detail))
    return found


def fast(shapes, entries):
    batch = shapes.read(entries)
    assert len(batch.times) == len(batch.middles) == len(entries)
    found = []
    for place, data in enumerate(entries):
        if place in batch.refused:
            found.append(None)
            continue
        told = batch.parsed.get(place)
        if told is None:
            assert parse_envelope(data).kind not in WEIGHTY
        mine = told is None or told.log == ORIGIN
        found.append((mine, batch.times[place], commitment(batch.middles[place])))
    return found


def broken(data, dice):
    """An envelope with one thing wrong, or perhaps not."""
    if dice.random() < 0.5:
        old, new = dice.choice(SWAPS)
        return data.replace(old, new, 1)
    place = dice.randrange(len(data))
    way = dice.randrange(3)
    changed = bytearray(data)
    if way == 0:
        changed[place] ^= 1 << dice.randrange(8)
    elif way == 1:
        del changed[place : place + dice.randrange(1, 40)]
    else:
        changed[place:place] = changed[dice.randrange(len(data)) :][: dice.randrange(1, 40)]
    return bytes(changed)


@settings(max_examples=60, deadline=None)
@given(st.lists(envelopes(), min_size=1, max_size=12), st.integers(0, 2**32))
def test_both_paths_say_the_same_of_good_and_of_broken_envelopes(good, seed):
    dice = random.Random(seed)  # noqa: S311 - dice, no secret
    shapes = Shapes(ORIGIN)
    assert fast(shapes, good) == slow(good)
    for _ in range(6):
        row = [broken(data, dice) if dice.random() < 0.3 else data for data in good]
        assert fast(shapes, row) == slow(row)


def test_a_known_frame_is_not_parsed_again(monkeypatch):
    shapes = Shapes(ORIGIN)
    first = [bytes(encode_envelope(envelope(count=n))) for n in range(3)]
    shapes.read(first)
    again = [
        bytes(encode_envelope(envelope(correlation=f"c{n}", detail=f"{n:064x}", count=n)))
        for n in range(256)
    ]
    batch = shapes.read(again)
    assert batch.parsed == {}
    assert commitment(batch.middles[255]) == b"%064x" % 255


def test_pieces_of_different_versions_do_not_mix():
    """Each piece alone is known; together they are no envelope."""
    shapes = Shapes(ORIGIN)
    told = envelope()
    rows = [bytes(encode_envelope(replace(told, v=v))) for v in (1, 2, 3)]
    shapes.read(rows)
    marks = (b',"correlation":', b',"duties":', b',"id":"', b',"t":"')
    for mark in marks:
        for one in rows:
            for other in rows:
                mixed = one[: one.index(mark)] + other[other.index(mark) :]
                assert fast(shapes, [mixed]) == slow([mixed])


def test_values_that_swallow_their_neighbours_are_refused():
    """Many values are matched at once: none may hold the sign that keeps them apart."""
    shapes = Shapes(ORIGIN)
    good = bytes(encode_envelope(envelope(correlation="a", detail="d" * 64)))
    shapes.read([good])
    middle = b'1,"decision":"allow","detail":"' + b"d" * 64 + b'"'
    assert middle in good
    double = [
        good.replace(b'"a"', b'"a"\n"a"'),
        good.replace(b'"correlation":"a"', b'"correlation":'),
        good.replace(middle, middle + b"\n" + middle),
        good.replace(middle, b""),
    ]
    for row in (double, double[:2], double[2:], [good, *double]):
        assert fast(shapes, row) == slow(row)
        assert None in fast(shapes, row)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("audit.verify.shapes._REMEMBERED", 8)
    shapes = Shapes(ORIGIN)
    for n in range(30):
        t = NOON + timedelta(hours=n)
        row = [bytes(encode_envelope(envelope(purpose=f"p{n}", t=t)))] * 2
        assert fast(shapes, row) == slow(row)
    assert len(shapes._hours) <= 8
    assert sum(len(p.second) for p in shapes._versions.values()) <= 8


def test_an_entry_over_the_limit_is_refused():
    shapes = Shapes(ORIGIN)
    row = [bytes(encode_envelope(envelope()))]
    shapes.read(row)
    long = row[0].replace(b'"0d7b6d3e"', b'"' + b"a" * MAX_BYTES + b'"')
    assert fast(shapes, [long]) == [None]


@pytest.mark.parametrize("kind", sorted(WEIGHTY))
def test_weighty_entries_are_always_told_whole(kind):
    shapes = Shapes(ORIGIN)
    row = [bytes(encode_envelope(envelope(kind=kind)))] * 3
    for _ in range(2):
        assert sorted(shapes.read(row).parsed) == [0, 1, 2]


def test_entries_of_different_lengths_come_back_in_their_order():
    """An erasure may stand between the hold and its end: what was first must be told first."""
    shapes = Shapes(ORIGIN)
    told = [envelope(kind=kind) for kind in (Kind.LEGAL_HOLD, Kind.ERASURE, Kind.HOLD_LIFTED)]
    row = [bytes(encode_envelope(one)) for one in (*told, *reversed(told), *told)]
    broken = [data.replace(b'"v":3', b'"v":9') for data in row]
    for _ in range(2):
        assert list(shapes.read(row).parsed) == list(range(9))
        assert list(shapes.read(broken).refused) == list(range(9))
