# SPDX-License-Identifier: EUPL-1.2
"""The manifest's exact bytes: what the writer writes is read, and nothing else is."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Problems
from policies.manifest import (
    COMMON,
    Listed,
    Manifest,
    compare,
    files_of,
    is_seal,
    manifest_name,
    part_of,
    read_manifest,
    signature_name,
    write_manifest,
)

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.text("abcXYZ09-_.", min_size=1, max_size=12)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@st.composite
def manifests(draw):
    part = draw(st.sampled_from([COMMON, "BA", "INT/UNHCR"]))
    start, later = sorted([draw(DAYS), draw(DAYS)])
    names = draw(st.sets(NAMES, min_size=1, max_size=5))
    return Manifest(
        part=part,
        version=draw(st.integers(1, 999_999_999)),
        start=start,
        end=draw(st.sampled_from([None, later])),
        common=None if part == COMMON else draw(DIGESTS),
        files=tuple(
            Listed(draw(DIGESTS), draw(st.integers(0, 999_999_999)), name) for name in sorted(names)
        ),
    )


def read(data):
    problems = Problems()
    return read_manifest(data, "manifest", problems), problems.found


@given(manifests())
def test_what_is_written_is_read_back(manifest):
    assert read(write_manifest(manifest)) == (manifest, ())


@given(manifests(), st.data())
def test_any_changed_byte_gives_another_manifest_or_a_refusal_with_a_place(manifest, data):
    raw = bytearray(write_manifest(manifest))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found, problems = read(bytes(raw))
    if found is None:
        assert problems
    else:
        assert write_manifest(found) == raw


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(raw):
    found, problems = read(raw)
    assert found is None
    assert problems


def test_every_file_belongs_to_exactly_one_part():
    assert part_of("BA/rules.csv") == "BA"
    assert part_of("INT/UNHCR/asking.csv") == "INT/UNHCR"
    for name in ("floor.csv", "vocabulary/roles.csv", "INT/x.csv", "ba/rules.csv", "BA/a/b.csv"):
        assert part_of(name) == COMMON


def test_manifests_and_signatures_are_listed_by_nobody():
    for part in (COMMON, "BA", "INT/UNHCR"):
        assert is_seal(manifest_name(part))
        assert is_seal(signature_name(part, "BA" if part == COMMON else part))
    assert not is_seal("signatures/INT/UNHCR")
    assert not is_seal("BA/signatures")
    listed = files_of({"BA/rules.csv": b"x", "BA/manifest": b"", "BA/signature": b""}, "BA")
    assert [file.name for file in listed] == ["BA/rules.csv"]


def test_a_difference_is_told_for_each_file():
    held = files_of({"BA/a": b"1", "BA/b": b"2"}, "BA")
    signed = files_of({"BA/b": b"3", "BA/c": b"4"}, "BA")
    problems = Problems()
    compare(Manifest("BA", 1, date(2026, 1, 1), None, "0" * 64, signed), held, "m", problems)
    assert [(p.file, p.message.partition(";")[0]) for p in problems.found] == [
        ("BA/a", "is not in m"),
        ("BA/b", "is not as m says"),
        ("BA/c", "is missing"),
    ]


def test_validity_counts_its_first_and_its_last_day():
    manifest = Manifest("BA", 1, date(2026, 3, 1), date(2026, 3, 2), "0" * 64, ())
    valid = [day for day in range(1, 5) if manifest.valid(date(2026, 3, day))]
    assert valid == [1, 2]
    assert not manifest.valid(date(2026, 2, 28))
