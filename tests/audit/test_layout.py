# SPDX-License-Identifier: EUPL-1.2
"""Names and bundles of the static layout: those of the specification, and no others."""

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import LayoutError
from audit.layout import (
    DETAILS,
    ENTRIES,
    MAX_NUMBER,
    Resource,
    StoredDetail,
    parse_path,
    read_bundle,
    read_details,
    tile_resource,
    write_bundle,
    write_details,
)
from audit.merkle import leaf_hash
from audit.tiles import TileId

FIRST = [b"entry-%d\n" % n for n in range(256)]
NAMES = {
    (TileId(0, 0), 256): "tile/0/000",
    (TileId(0, 1), 44): "tile/0/001.p/44",
    (TileId(2, 1234067), 256): "tile/2/x001/x234/067",
    (TileId(63, 999), 1): "tile/63/999.p/1",
    (TileId(1, 1000), 255): "tile/1/x001/000.p/255",
}


def test_tile_and_bundle_have_the_hashes_of_the_reference():
    tile = b"".join(map(leaf_hash, FIRST))
    told = "858ab2e284e18ce99bba049ff748f18e645dfa86e2a8edc400023d6808568cf2"
    assert hashlib.sha256(tile).hexdigest() == told
    bundle = write_bundle(FIRST)
    told = "bb6faeb6b9c5492cc594033e9e7057b3a07533abf6268a8f162f9d87d2d3e64e"
    assert hashlib.sha256(bundle).hexdigest() == told
    assert read_bundle(bundle) == FIRST


@pytest.mark.parametrize(("tile", "name"), NAMES.items())
def test_a_tile_has_the_name_of_the_specification(tile, name):
    assert tile_resource(*tile).path == name
    assert parse_path(name) == tile_resource(*tile)


@given(
    st.sampled_from(["tile/0", "tile/63", ENTRIES, DETAILS]),
    st.integers(0, MAX_NUMBER),
    st.integers(1, 256),
)
def test_every_name_is_read_back(folder, number, width):
    resource = Resource(folder, number, width)
    assert parse_path(resource.path) == resource


REFUSED = [
    "",
    "checkpoint",
    "tile/0/0",
    "tile/0/0000",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/x000/000",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/",
    "tile/0/001/000",
    "tile/0/x1/000",
    "tile/0/X001/000",
    "/tile/0/000",
    "tile/0/000/",
    "tile/0/../000",
    "tile/entries/0a0",
    "tile/0/\u0660\u0660\u0660",
    "details/x/000",
    "tile/0/" + "x999/" * 7 + "999",
    "tile/0/" + "x001/" * 3000 + "000",
]


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: name[:30])
def test_any_other_name_is_refused(name):
    with pytest.raises(LayoutError):
        parse_path(name)


@given(st.text(st.sampled_from("tile/ndrsx0123456789.p-")) | st.text())
def test_a_name_is_refused_or_written_the_same_way(name):
    with contextlib.suppress(LayoutError):
        assert parse_path(name).path == name


@pytest.mark.parametrize("wrong", [Resource(ENTRIES, -1), Resource(ENTRIES, 0, 257)])
def test_no_name_is_made_of_a_number_or_width_that_is_none(wrong):
    with pytest.raises(LayoutError):
        _ = wrong.path
    with pytest.raises(LayoutError):
        tile_resource(TileId(64, 0))


@given(st.binary(max_size=400))
def test_a_bundle_is_refused_or_written_the_same_way(data):
    with contextlib.suppress(LayoutError):
        assert write_bundle(read_bundle(data)) == data


@pytest.mark.parametrize(
    "entries", [[], [b""] * 257, [b"x" * 65_536]], ids=["none", "too many", "too long"]
)
def test_no_bundle_is_made_of_what_fits_none(entries):
    with pytest.raises(LayoutError):
        write_bundle(entries)


def test_a_bundle_of_too_many_entries_or_cut_short_is_refused():
    for data in (b"", b"\0\0" * 257, write_bundle(FIRST)[:-1], write_bundle(FIRST) + b"\0"):
        with pytest.raises(LayoutError):
            read_bundle(data)


DETAIL = st.builds(
    StoredDetail, st.binary(min_size=1), st.binary(min_size=32, max_size=32), st.binary(min_size=1)
)


@given(st.dictionaries(st.integers(0, 255), DETAIL, max_size=5))
def test_details_are_read_back(details):
    assert read_details(write_details(details)) == details


@given(st.dictionaries(st.integers(0, 255), DETAIL, max_size=3), st.data())
def test_broken_details_are_refused_or_written_the_same_way(details, data):
    written = bytearray(write_details(details))
    written[data.draw(st.integers(0, len(written) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = bytes(written[: data.draw(st.integers(0, len(written)))])
    for broken in (bytes(written), cut):
        with contextlib.suppress(LayoutError):
            assert write_details(read_details(broken)) == broken


@pytest.mark.parametrize(
    "details",
    [
        {256: StoredDetail(b"x", bytes(32), b"x")},
        {0: StoredDetail(b"x", bytes(31), b"x")},
        {0: StoredDetail(b"", bytes(32), b"x")},
        {0: StoredDetail(b"x", bytes(32), b"x" * 2401)},
    ],
)
def test_no_details_bundle_is_made_of_what_is_no_detail(details):
    with pytest.raises(LayoutError):
        write_details(details)
