# SPDX-License-Identifier: EUPL-1.2
"""The relay's connection: who does not know the secret gets nothing, no frame counts twice."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import EnvelopeError, LogUnavailableError
from audit.entry import Position
from audit.relay import messages
from audit.relay.frames import (
    HELLO_SIZE,
    MAX_BODY,
    Direction,
    RelayError,
    directions,
    hello,
    parse_hello,
    read_frame,
)
from audit.relay.host import serve
from audit.relay.link import Link
from audit.relay.messages import Op
from audit.store import Cosigned
from tests.audit.making import NOON, ORIGIN, new_sealer, plain, sealed, until

VECTORS = json.loads(
    (Path(__file__).parent.parent.parent / "vectors" / "log" / "relay.json").read_text("utf-8")
)
SECRET = bytes(range(32))


def feed(data):
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def opened(frames, direction, limit=1000):
    return await read_frame(feed(frames), direction, limit)


async def read_all(reader, direction, count):
    for _ in range(count):
        await read_frame(reader, direction, 10)


def pair():
    return directions(SECRET, b"l" * 32, b"f" * 32)


async def test_frames_arrive_in_order_and_only_once():
    (sealing, _), (opening, _) = pair(), pair()
    frames = [sealing.seal(b"%d" % n) for n in range(3)]
    reader = feed(b"".join(frames))
    assert [await read_frame(reader, opening, 10) for _ in frames] == [b"0", b"1", b"2"]
    for stream in ([1, 0, 2], [0, 0], [2], [0, 2]):
        _, (fresh, _) = pair(), pair()
        reader = feed(b"".join(frames[n] for n in stream))
        with pytest.raises(RelayError, match="not authentic"):
            await read_all(reader, fresh, len(stream))


async def test_a_frame_is_of_one_direction_of_one_connection():
    follower, leader = pair()
    frame = follower.seal(b"append")
    others = {
        "sent back": leader,
        "another nonce": directions(SECRET, b"l" * 32, b"g" * 32)[0],
        "another connection": directions(SECRET, b"m" * 32, b"f" * 32)[0],
        "another lease": directions(b"s" * 32, b"l" * 32, b"f" * 32)[0],
    }
    for other in others.values():
        with pytest.raises(RelayError, match="not authentic"):
            await opened(frame, other)
    assert await opened(frame, pair()[0]) == b"append"


async def test_every_flipped_bit_of_a_frame_is_refused():
    frame = pair()[0].seal(b"append")
    for place in range(8 * len(frame)):
        flipped = bytearray(frame)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(RelayError):
            await opened(bytes(flipped), pair()[0])


async def test_a_frame_over_the_limit_is_refused_before_it_is_read():
    reader = asyncio.StreamReader()
    reader.feed_data((101).to_bytes(4, "big"))  # and nothing more ever comes
    with pytest.raises(RelayError, match="over the limit"):
        await read_frame(reader, pair()[0], 100)


@pytest.mark.parametrize("cut", [0, 3, 4, 10, 41])
async def test_a_connection_that_ends_within_a_frame_is_an_end(cut):
    with pytest.raises(RelayError, match="ended"):
        await opened(pair()[0].seal(b"append")[:cut], pair()[0])


@pytest.mark.parametrize("data", [b"", b"cuvar-relay-1\n", b"cuvar-relay-2\n" + bytes(32)])
def test_a_hello_of_another_version_is_refused(data):
    with pytest.raises(RelayError, match="version"):
        parse_hello(data)


def test_the_vectors_hold():
    leader, follower = (bytes.fromhex(VECTORS[name]) for name in ("leader", "follower"))
    both = directions(bytes.fromhex(VECTORS["secret"]), leader, follower)
    assert hello(leader).hex() == VECTORS["hello_leader"]
    for frame in VECTORS["frames"]:
        direction = both[frame["from"] == "leader"]
        assert direction.seal(bytes.fromhex(frame["body"])).hex() == frame["frame"]


def test_messages_come_back_as_they_were_written():
    entries = [plain(), sealed(new_sealer())]
    body = messages.request(7, Op.APPEND, messages.write_entries(entries))
    request = messages.parse_request(body)
    assert (request.number, request.op) == (7, Op.APPEND)
    assert messages.read_entries(request.payload) == entries
    positions = [Position(ORIGIN, 3, b"l" * 32, 4, b"r" * 32, NOON)]
    number, told = messages.parse_answer(messages.success(7, messages.write_positions(positions)))
    assert (number, messages.read_positions(told)) == (7, positions)
    erasure = messages.Reader(messages.write_erasure(ORIGIN, [5, 3, 5]))
    assert messages.read_erasure(erasure) == (ORIGIN, [3, 5])
    cosigned = messages.Reader(messages.write_cosigned(ORIGIN, Cosigned(3, "a\n\n— b c\n")))
    assert messages.read_cosigned(cosigned) == (ORIGIN, Cosigned(3, "a\n\n— b c\n"))


@pytest.mark.parametrize(
    "error", [LogUnavailableError("full", retry_after=2.5), EnvelopeError("bad")]
)
def test_an_error_arrives_with_its_sort_and_its_words(error):
    number, told = messages.parse_answer(messages.failure(9, error))
    assert (number, type(told), str(told)) == (9, type(error), str(error))
    assert getattr(told, "retry_after", None) == getattr(error, "retry_after", None)


READERS = (
    messages.read_entries,
    messages.read_positions,
    messages.read_erasure,
    messages.read_cosigned,
    messages.read_names,
    messages.read_count,
    messages.read_nothing,
)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data):
    for parse in (messages.parse_request, messages.parse_answer, parse_hello):
        with contextlib.suppress(RelayError):
            parse(data)
    for read in READERS:
        with contextlib.suppress(RelayError):
            read(messages.Reader(data))


@given(st.binary(min_size=1, max_size=4))
def test_bytes_left_over_are_refused(more):
    written = [
        (messages.read_entries, messages.write_entries([plain()])),
        (messages.read_erasure, messages.write_erasure(ORIGIN, [1])),
        (messages.read_cosigned, messages.write_cosigned(ORIGIN, Cosigned(1, "x"))),
        (messages.read_names, messages.write_names([ORIGIN])),
        (messages.read_count, messages.write_count(1)),
    ]
    for read, data in written:
        with pytest.raises(RelayError):
            read(messages.Reader(data + more))


class Silent:
    """A leader that must not be reached."""

    healthy = True

    async def append(self, entries):
        raise AssertionError(entries)


@pytest.fixture
async def host(tmp_path):
    """A leader's listening end."""
    host = await serve(Silent(), f"unix:{tmp_path}/relay", SECRET)
    yield host
    await host.close()


async def test_whoever_does_not_know_the_secret_learns_nothing_and_asks_nothing(host):
    with pytest.raises(LogUnavailableError):
        await Link.connect(host.address, b"x" * 32, queue=10)
    reader, writer = await asyncio.open_unix_connection(host.address.removeprefix("unix:"))
    nonce = parse_hello(await reader.readexactly(HELLO_SIZE))
    writer.write(hello(b"f" * 32))
    stranger, _ = directions(b"x" * 32, nonce, b"f" * 32)
    writer.write(stranger.seal(b"") + stranger.seal(messages.request(1, Op.APPEND, b"\0\0")))
    assert await reader.read() == b""
    writer.close()
    assert not host._followers


async def test_a_hello_that_is_sent_back_is_refused(host):
    reader, writer = await asyncio.open_unix_connection(host.address.removeprefix("unix:"))
    writer.write(await reader.readexactly(HELLO_SIZE))
    assert await reader.read() == b""
    writer.close()


async def test_a_follower_trusts_no_leader_that_does_not_know_the_secret(tmp_path):
    async def pretend(reader, writer):
        with contextlib.closing(writer):
            writer.write(hello(b"l" * 32))
            nonce = parse_hello(await reader.readexactly(HELLO_SIZE))
            _, answers = directions(b"x" * 32, b"l" * 32, nonce)
            writer.write(answers.seal(b""))
            await reader.read()

    server = await asyncio.start_unix_server(pretend, f"{tmp_path}/relay")
    async with server:
        with pytest.raises(LogUnavailableError, match="not authentic"):
            await Link.connect(f"unix:{tmp_path}/relay", SECRET, queue=10)


async def test_a_first_frame_with_a_body_is_refused_unread(host):
    reader, writer = await asyncio.open_unix_connection(host.address.removeprefix("unix:"))
    await reader.readexactly(HELLO_SIZE)
    writer.write(hello(b"f" * 32) + MAX_BODY.to_bytes(4, "big"))
    assert await reader.read() == b""
    writer.close()


async def test_the_socket_is_its_users_alone_and_goes_with_the_leader(tmp_path):
    path = tmp_path / ("long" * 30) / "relay"
    path.parent.mkdir()
    host = await serve(Silent(), f"unix:{path}", SECRET)
    assert path.stat().st_mode & 0o777 == 0o600
    link = await Link.connect(host.address, SECRET, queue=10)
    await host.close()
    await until(link.ended.done)
    await link.close()
    assert not list(path.parent.iterdir())


async def test_a_leader_that_stops_answering_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.relay.link.ANSWER_WITHIN", 0.2)
    monkeypatch.setattr("audit.relay.link.PING_EVERY", 0.05)
    stuck = Silent()
    never = asyncio.Event()

    async def append(_entries):
        await never.wait()

    stuck.append = append
    host = await serve(stuck, "tcp:127.0.0.1:0", SECRET)
    link = await Link.connect(host.address, SECRET, queue=10)
    answer = link.submit([plain()])
    for connection in host._followers:
        connection._outgoing = Direction(b"lost", 0)  # its answers no longer verify
    with pytest.raises(LogUnavailableError, match="may stand all the same"):
        await answer
    assert not link.healthy
    assert link.queue_depth == 0
    with pytest.raises(LogUnavailableError):
        link.submit([plain()])
    await link.close()
    never.set()
    await host.close()
