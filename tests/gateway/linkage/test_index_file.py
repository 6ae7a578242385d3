# SPDX-License-Identifier: EUPL-1.2
"""The file of a nation's half: what is in it, what is not, and every way to break it."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonymise.linkage.keys import KeyKind
from gateway.linkage.errors import IndexFileError
from gateway.linkage.index_file import (
    BLOCK_PERSONS,
    HEADER_BYTES,
    MAGIC,
    Block,
    Header,
    IndexReader,
    IndexWriter,
)

HEADER = Header("BA", "2027q1", 1, "hmac", "2027-01-02T03:04:05Z")
PERSONS = [
    (bytes([n]) * 16, bytes([0, 1][: 1 + n % 2]), bytes(32 * (1 + n % 2))) for n in (3, 1, 2)
]


def write(path, *blocks, header=HEADER):
    with IndexWriter(path, header) as writer:
        for block in blocks:
            writer.add(block)
        return writer.finish()


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole.index"
    write(path, Block.of(PERSONS), Block.of(PERSONS[:1]))
    return path


def test_what_was_written_is_read_in_an_order_that_tells_nothing_of_the_register(whole):
    with IndexReader(whole) as reader:
        blocks = list(reader.blocks())
        assert (reader.header.persons, reader.header.keys) == (4, 7)
    assert blocks == [Block.of(PERSONS), Block.of(PERSONS[:1])]
    assert blocks[0] == Block.of(PERSONS[::-1])
    assert blocks[0].surrogates == b"".join(sorted(person[0] for person in PERSONS))


def test_the_file_is_exactly_as_the_format_says(whole):
    data = whole.read_bytes()
    assert data.startswith(b"cuvar-linkage-index 1\n")
    line = data[len(MAGIC) : len(MAGIC) + HEADER_BYTES]
    assert line.endswith(b" \n")
    assert json.loads(line)["kinds"] == [str(kind) for kind in KeyKind]
    body = data[len(MAGIC) + HEADER_BYTES :]
    assert body[:8] == (3).to_bytes(4, "big") + (5).to_bytes(4, "big")
    assert len(body) == 2 * 8 + 4 * 17 + 7 * 33


@pytest.mark.parametrize("place", range(0, 1400, 53))
def test_a_byte_changed_anywhere_is_found(whole, place):
    data = bytearray(whole.read_bytes())
    data[place % len(data)] ^= 1
    whole.write_bytes(data)
    with pytest.raises(IndexFileError):
        IndexReader(whole)


@given(st.integers(0, 2**31))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_file_that_was_cut_off_or_grew_is_found(whole, place):
    data = whole.read_bytes()
    cut = whole.with_name("cut.index")
    cut.write_bytes(data[: place % len(data)])
    with pytest.raises(IndexFileError):
        IndexReader(cut)
    cut.write_bytes(data + data[-1:])
    with pytest.raises(IndexFileError):
        IndexReader(cut)


@pytest.mark.parametrize(
    "header",
    [
        replace(HEADER, country="ba"),
        replace(HEADER, epoch="2027"),
        replace(HEADER, blinding="none"),
        replace(HEADER, made="yesterday"),
        replace(HEADER, grammar="1"),
        replace(HEADER, kinds=("nobody's kind",)),
        replace(HEADER, kinds=(str(next(iter(KeyKind))),) * 2),
    ],
    ids=str,
)
def test_a_header_that_nobody_writes_is_refused_though_its_digest_fits(tmp_path, header):
    write(tmp_path / "odd.index", Block.of(PERSONS), header=header)
    with pytest.raises(IndexFileError):
        IndexReader(tmp_path / "odd.index")


@pytest.mark.parametrize(
    "block",
    [
        Block(bytes(16), b"\x02", b"\0", bytes(32)),
        Block(bytes(16), b"\x00", b"", b""),
        Block(bytes(16), b"\x11", bytes(17), bytes(17 * 32)),
        Block(bytes(16), b"\x01", b"\xff", bytes(32)),
    ],
    ids=["counts do not add up", "a person without keys", "too many keys", "an unknown kind"],
)
def test_a_block_that_nobody_writes_is_refused_though_its_digest_fits(tmp_path, block):
    write(tmp_path / "odd.index", block)
    with pytest.raises(IndexFileError):
        IndexReader(tmp_path / "odd.index")


@pytest.mark.parametrize("totals", [{"persons": 5}, {"keys": 8}, {"persons": 0, "keys": 0}])
def test_totals_that_do_not_fit_are_refused_though_the_digest_does(whole, totals):
    data = whole.read_bytes()
    body = data[len(MAGIC) + HEADER_BYTES :]
    with IndexReader(whole) as reader:
        wrong = replace(reader.header, **totals)
    wrong = replace(wrong, sha256=wrong.digest(sha256(body).digest()))
    whole.write_bytes(MAGIC + wrong.line() + body)
    with pytest.raises(IndexFileError):
        IndexReader(whole)


def test_a_block_is_bounded(tmp_path):
    many = BLOCK_PERSONS + 1
    write(
        tmp_path / "odd.index", Block(bytes(16 * many), b"\1" * many, bytes(many), bytes(32 * many))
    )
    with pytest.raises(IndexFileError):
        IndexReader(tmp_path / "odd.index")


def test_a_name_is_taken_by_a_whole_file_only_and_never_from_another(tmp_path):
    path = tmp_path / "x.index"

    def cut_off():
        with IndexWriter(path, HEADER) as writer:
            writer.add(Block.of(PERSONS))
            raise EOFError

    with pytest.raises(EOFError):
        cut_off()
    assert list(tmp_path.iterdir()) == []
    write(path, Block.of(PERSONS))
    before = path.read_bytes()
    with pytest.raises(IndexFileError, match="there already"):
        IndexWriter(path, HEADER)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(IndexFileError):
        IndexReader(tmp_path / "nowhere.index")
