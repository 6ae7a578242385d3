# SPDX-License-Identifier: EUPL-1.2
"""The edge, over real sockets: ids, limits, headers, time, drain, and whatever goes wrong."""

import asyncio
import json
import re

import pytest

UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
LIMIT = 2_000


def problem(body):
    return json.loads(body)["type"].removeprefix("urn:cuvar:problem:")


async def test_every_answer_has_a_server_made_id_and_it_is_the_logs(house):
    given = "11111111-1111-7111-8111-111111111111"
    status, headers, body = await house.post(
        "/echo", b"", f"cuvar-correlation: {given}", f"x-request-id: {given}", "traceparent: 00-1"
    )
    assert status == 200
    assert re.fullmatch(UUID7, headers["cuvar-correlation"])
    assert headers["cuvar-correlation"] == body.decode() != given
    assert house.lines[0]["correlation"] == body.decode()


async def test_every_answer_carries_the_security_headers_and_no_server_name(house):
    for path in ("/echo", "/fail", "/nowhere"):
        _, headers, _ = await house.post(path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "deny"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["strict-transport-security"].startswith("max-age=")
        assert "server" not in headers
        assert headers["cache-control"] == ("private" if path == "/echo" else "no-store")


async def test_strict_transport_is_not_promised_without_tls(make_house):
    async with make_house(https=False).served() as house:
        _, headers, _ = await house.post("/echo")
    assert "strict-transport-security" not in headers


async def test_a_body_up_to_the_limit_is_read(house):
    status, _, _ = await house.post("/echo", b"x" * LIMIT)
    assert status == 200
    assert house.seen == [b"x" * LIMIT]


async def test_a_declared_body_over_the_limit_is_refused_unread(house):
    status, headers, body = await house.send(
        f"POST /echo HTTP/1.1\r\nhost: g\r\ncontent-length: {LIMIT + 1}\r\n\r\n".encode()
    )
    assert (status, problem(body)) == (413, "question_too_large")
    assert headers["content-type"] == "application/problem+json"
    assert house.seen == []


async def test_a_chunked_body_over_the_limit_is_refused_and_never_seen(house):
    chunk = b"%x\r\n%s\r\n" % (600, b"x" * 600)
    head = b"POST /echo HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\n"
    status, headers, body = await house.send(head, *[chunk] * 4, b"0\r\n\r\n")
    assert (status, problem(body)) == (413, "question_too_large")
    assert headers["content-type"] == "application/problem+json"
    assert house.seen == []
    assert [line["event"] for line in house.lines] == ["request"]


async def test_a_chunked_body_up_to_the_limit_is_read(house):
    chunk = b"%x\r\n%s\r\n" % (1_000, b"x" * 1_000)
    head = b"POST /echo HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\n"
    status, _, _ = await house.send(head, chunk, chunk, b"0\r\n\r\n")
    assert status == 200


@pytest.mark.parametrize("value", [b"-1", b"1e9", b"9" * 400, b"", b"\xb2"])
async def test_a_length_that_is_no_number_is_not_believed(value, make_house):
    house = make_house()
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/echo", "headers": [
        (b"content-length", value)]}  # fmt: skip
    await house.edge(scope, None, send)
    assert sent[0]["status"] == 413


async def test_a_request_over_its_time_is_answered_and_told(make_house):
    async with make_house(timeout_s=0.02).served() as house:
        status, headers, body = await house.post("/wait")
    assert (status, problem(body)) == (503, "timed_out")
    assert headers["retry-after"] == "5"
    assert [line["event"] for line in house.lines] == ["request.timed_out", "request"]


async def test_a_timeout_of_somebody_else_is_not_the_requests_time_limit(house):
    status, _, body = await house.post("/slow-inside")
    assert (status, problem(body)) == (500, "internal")
    assert house.lines[0]["error"] == "builtins.TimeoutError"


async def test_an_unexpected_error_ends_at_the_edge_without_its_text(house, capsys):
    status, headers, body = await house.post("/fail")
    assert (status, problem(body)) == (500, "internal")
    assert house.lines[0]["event"] == "request.unexpected_error"
    assert house.lines[0]["error"] == "builtins.ValueError"
    assert house.lines[0]["correlation"] == headers["cuvar-correlation"]
    assert b"canary" not in house.stream.getvalue() + body
    assert "canary" not in capsys.readouterr().err


async def test_an_application_without_handlers_is_answered_for(make_house):
    house = make_house()

    async def broken(scope, receive, send):
        raise ValueError("canary")

    house.edge.app = broken
    async with house.served():
        status, _, body = await house.post("/anything")
    assert (status, problem(body)) == (500, "internal")


async def test_an_answer_that_has_begun_is_not_begun_again(make_house):
    house = make_house()

    async def half(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("canary")

    sent = []

    async def send(message):
        sent.append(message)

    house.edge.app = half
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    await house.edge(scope, None, send)
    assert [message["type"] for message in sent] == ["http.response.start"]


async def test_requests_are_logged_and_counted_by_template(house):
    await house.post("/echo?name=canary")
    await house.post("/canary")
    first, second = house.lines
    assert (first["route"], first["method"], first["status"]) == ("/echo", "POST", 200)
    assert first["duration_ms"] > 0
    assert "route" not in second
    text = house.metrics.render().decode()
    assert 'cuvar_requests_total{method="POST",route="/echo",status="200"} 1.0' in text
    assert 'cuvar_requests_total{method="POST",route="other",status="404"} 1.0' in text
    assert "canary" not in text + house.stream.getvalue().decode()
    assert house.metrics.values()["cuvar_signals_dropped_total"] == 0


async def test_while_draining_the_running_finish_and_newcomers_are_turned_away(house):
    running = asyncio.create_task(house.post("/wait"))
    await house.running.wait()
    house.drain.close()
    status, headers, body = await house.post("/echo")
    assert (status, problem(body)) == (503, "not_ready")
    assert headers["retry-after"] == "5"
    assert headers["connection"] == "close"
    assert house.drain.in_flight == 1
    house.release.set()
    assert (await running)[2] == b"done"
    assert await house.drain.wait(5.0)
    assert house.seen == []


async def test_a_request_that_fails_or_is_left_is_counted_out(house):
    await house.post("/fail")
    await house.post("/echo", b"x" * (LIMIT + 1))
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"POST /echo HTTP/1.1\r\nhost: g\r\ncontent-length: 9\r\n\r\nx")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert reader is not None
    assert await house.drain.wait(5.0)
    assert house.drain.in_flight == 0


async def test_websockets_are_refused(make_house):
    sent = []

    async def send(message):
        sent.append(message)

    await make_house().edge({"type": "websocket"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
