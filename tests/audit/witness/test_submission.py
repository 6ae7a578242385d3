# SPDX-License-Identifier: EUPL-1.2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import WitnessError
from audit.witness import AddCheckpoint, parse_submission
from tests.audit.witnessing import LOG, Tree

TREE = Tree()
GOOD = TREE.submission(5, 13)
NOTE = TREE.note(13).encode()
HASH = b"A" * 43 + b"=\n"


def test_a_submission_is_read_and_written_the_same():
    found = parse_submission(GOOD)
    assert (found.old, found.proof) == (5, tuple(TREE.proof(5, 13)))
    assert found.checkpoint == TREE.checkpoint(13)
    assert found.body == GOOD


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\n\n",
        b"old 5\n",
        b"old 5\n\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"old 5", b"old 05"),
        GOOD.replace(b"old 5", b"old -5"),
        GOOD.replace(b"old 5", b"old  5"),
        GOOD.replace(b"old 5", b"old 5 "),
        GOOD.replace(b"old 5", b"Old 5"),
        GOOD.replace(b"old 5", b"old " + b"9" * 20),
        GOOD.replace(b"old 5\n", b""),
        GOOD.replace(b"old 5\n", b"old 5\n\n"),
        GOOD.replace(b"old 5\n", b"old 5\nAAAA\n"),
        GOOD.replace(b"old 5\n", b"old 5\n" + HASH.replace(b"=", b"")),
        GOOD.replace(b"\n13\n", b"\n013\n"),
        GOOD.replace(b"\n13\n", b"\n13\nextension\n"),
        GOOD.replace(b"audit.example", b"audit example"),
        GOOD.replace(b"\xe2\x80\x94", b"-"),
        b"old 0\n" + HASH * 64 + b"\n" + NOTE,
        b"old 0\n\n" + NOTE + NOTE.split(b"\n\n")[1] * 1100,
    ],
)
def test_a_malformed_submission_is_refused(bad):
    with pytest.raises(WitnessError):
        parse_submission(bad)


def test_sixty_three_hashes_are_allowed_and_one_more_is_not():
    assert len(parse_submission(b"old 0\n" + HASH * 63 + b"\n" + NOTE).proof) == 63
    with pytest.raises(WitnessError, match="63"):
        parse_submission(b"old 0\n" + HASH * 64 + b"\n" + NOTE)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_submission_or_refused(data):
    try:
        parse_submission(data)
    except WitnessError:
        return


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_whatever_is_read_is_written_back_byte_for_byte(place, put):
    data = GOOD[:place] + put + GOOD[place + 1 :]
    try:
        found = parse_submission(data)
    except WitnessError:
        return
    assert found.body == data


@given(
    st.integers(0, 10**18),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
)
def test_what_is_written_is_read_the_same(old, proof):
    told = AddCheckpoint(old, tuple(proof), LOG.sign(TREE.checkpoint(3).text).encode())
    assert parse_submission(told.body) == told
