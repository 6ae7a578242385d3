# SPDX-License-Identifier: EUPL-1.2
"""A name and a document number, sent in every place a request has, come back from nowhere.

Whole process as served: uvicorn's own loggers, Python's warnings and the event loop included.
"""

import json
import logging
import sys
import threading
from urllib.parse import quote

import pytest

from gateway.logs import EventLog, open_log, route_libraries
from gateway.signals import SignalFields, Words

NAME = "Hadziosmanovic"
NUMBER = "BA7730099"
BOTH = f"{NAME}/{NUMBER}"
FIND = "/find"


@pytest.fixture
async def served(make_house):
    kept = (sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions,
            logging.getLogger().handlers, logging.getLogger().level)  # fmt: skip
    house = make_house(timeout_s=1.0)
    route_libraries(house.log, level="debug")
    logging.getLogger("uvicorn.error").setLevel(logging.DEBUG)
    async with house.served():
        yield house
    sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions = kept[:4]
    logging.getLogger().handlers = kept[4]
    logging.getLogger().setLevel(kept[5])
    logging.captureWarnings(capture=False)
    logging.getLogger("uvicorn.access").disabled = False


def as_json(value):
    return json.dumps(value).encode()


JSON = "content-type: application/json"
WAYS = {
    "bad JSON": (FIND, f'{{"{BOTH}"'.encode(), JSON),
    "no JSON": (FIND, BOTH.encode(), JSON),
    "text": (FIND, BOTH.encode(), "content-type: text/plain"),
    "form": (FIND, f"name={BOTH}".encode(), "content-type: application/x-www-form-urlencoded"),
    "unknown key": (FIND, as_json({"surnames": "a", BOTH: 1}), JSON),
    "nested key": (FIND, as_json({"surnames": {BOTH: {NUMBER: NAME}}}), JSON),
    "wrong type": (FIND, as_json({"surnames": [BOTH], "count": NUMBER}), JSON),
    "number": (FIND, as_json({"surnames": NAME, "count": NUMBER}), JSON),
    "good question": (FIND, as_json({"surnames": BOTH}), JSON),
    "unexpected error": (FIND, as_json({"surnames": BOTH, "count": -1}), JSON),
    "huge body": (FIND, as_json({"surnames": BOTH * 500}), JSON),
    "path": (f"/{quote(BOTH)}", b"", JSON),
    "path below a route": (f"{FIND}/{BOTH}", b"", JSON),
    "path with a slash too many": (f"{FIND}/?name={BOTH}", b"", JSON),
    "query": (f"{FIND}?{NAME}={NUMBER}", as_json({"surnames": "a"}), JSON),
    "header": (FIND, as_json({}), JSON, f"x-{NAME}: {NUMBER}", f"user-agent: {BOTH}"),
    "request id": (FIND, as_json({}), JSON, f"x-request-id: {BOTH}", f"traceparent: {BOTH}",
                   f"baggage: name={BOTH}", f"cookie: name={BOTH}"),
    "certificate": (FIND, as_json({}), JSON, f"client-cert: {BOTH}"),
    "token": (FIND, as_json({}), JSON, f"authorization: Bearer {BOTH}", f"dpop: {BOTH}"),
    "media type": (FIND, b"{}", f"content-type: application/{NAME}; x={NUMBER}"),
}  # fmt: skip


def said(house):
    return house.stream.getvalue().decode() + house.metrics.render().decode()


def clean(text):
    return NAME.lower() not in text.lower() and NUMBER.lower() not in text.lower()


@pytest.mark.parametrize("way", WAYS)
async def test_the_canary_comes_back_from_nowhere(served, capfd, way):
    path, body, *headers = WAYS[way]
    _, answered, content = await served.post(path, body, *headers)
    assert clean(content.decode() + str(answered))
    assert clean(said(served))
    assert clean("".join(capfd.readouterr()))
    assert served.lines[-1]["event"] == "request"


@pytest.mark.parametrize(
    "raw",
    [
        f"POST {FIND} HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        + b"".join(b"%x\r\n%s\r\n" % (900, (BOTH * 100)[:900].encode()) for _ in range(4))
        + b"0\r\n\r\n",
        f"{NAME} {FIND} HTTP/1.1\r\nhost: {NAME}\r\n\r\n".encode(),
        f"GET {BOTH} HTTP/1.1\r\n{NUMBER}\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\nhost: g\r\ncontent-length: {NUMBER}\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\nhost: g\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        f"sec-websocket-key: {BOTH}\r\nsec-websocket-version: 13\r\n\r\n".encode(),
    ],
    ids=["chunked", "method and host", "broken head", "length", "websocket"],
)
async def test_a_request_that_is_hardly_one_is_not_repeated(served, capfd, raw):
    _, answered, content = await served.send(raw)
    assert clean(content.decode() + str(answered))
    assert clean(said(served))
    assert clean("".join(capfd.readouterr()))


async def test_a_length_and_no_length_get_the_same_413(served):
    body = as_json({"surnames": BOTH * 500})
    declared = await served.post(FIND, body, JSON)
    head = f"POST {FIND} HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n{JSON}\r\n\r\n"
    chunked = await served.send(head.encode(), b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert declared[0] == chunked[0] == 413
    assert declared[2][:180] == chunked[2][:180]


def test_the_allow_list_is_what_keeps_the_canary_out():
    """The same call through a logger without the processor does write the canary."""
    import io

    import structlog

    stream = io.BytesIO()
    log = open_log(stream, SignalFields(Words()), level="info", on_drop=lambda: None)
    structlog.get_logger().info(BOTH, name=BOTH)
    assert clean(stream.getvalue().decode())
    structlog.configure(
        processors=[structlog.processors.JSONRenderer(serializer=as_json_bytes)],
        logger_factory=structlog.BytesLoggerFactory(stream),
    )
    structlog.get_logger().info(BOTH, name=BOTH)
    assert not clean(stream.getvalue().decode())
    structlog.reset_defaults()
    assert isinstance(log, EventLog)


def as_json_bytes(value, **_):
    return as_json(value)
