# SPDX-License-Identifier: EUPL-1.2
"""Reading the log is logged: written down first, handed to the gateway when it can be."""

import contextlib
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from audit.errors import AuditError
from audit.review.looks import Looks
from gateway.commands.review.handing_in import HandInError
from tests.audit.making import ORIGIN
from tests.servers.certificates import Authority


class Gateway:
    """Takes readings as the gateway does."""

    def __init__(self, authority=None):
        self.scheme = "http" if authority is None else "https"
        self.taken = []
        self.answer = 201
        self.answers = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if gateway.answers:
                    gateway.answer = gateway.answers.pop(0)
                if gateway.answer == 201:
                    gateway.taken.append((self.path, self.headers["Authorization"], body))
                self.send_response(gateway.answer)
                self.send_header("Audit-Entry", f"{ORIGIN}/77")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if authority is not None:
            own = authority.server()
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
            tls.verify_mode = ssl.CERT_REQUIRED
            tls.load_cert_chain(own.cert, own.key)
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def gateway():
    with serving(Gateway()) as found:
        yield found


@contextlib.contextmanager
def serving(found):
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join()


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token.txt"
    path.write_text("abc.def-ghi\n")
    return str(path)


def typed(office, command):
    return [str(office.folder / "months") if part == "FOLDER" else part for part in command]


def waiting(office):
    return Looks(office.folder / "ba.idx.looks").pending()


COMMANDS = [
    ("index", "sync"),
    ("index", "verify"),
    ("find", "--person", "PERSON-3"),
    ("disclosures", "--person", "PERSON-3"),
    ("export", "ocsf"),
    ("export", "parquet", "FOLDER"),
    ("report", "law-enforcement", "--country", "BA", "--since", "2026-07-01", "--seed", "s"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c[:2]))
def test_each_command_that_reads_entries_leaves_a_record(indexed, command):
    before = len(waiting(indexed))
    done = indexed.run(
        *(str(indexed.folder / "m") if part == "FOLDER" else part for part in command)
    )
    assert done.exit_code == 0, done.output
    assert len(waiting(indexed)) == before + 1
    assert "recorded on this machine only" in done.stderr
    record = (indexed.folder / "ba.idx.looks").read_text()
    assert "PERSON" not in record


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c[:2]))
def test_what_cannot_be_recorded_is_not_shown(indexed, command):
    record = indexed.folder / "ba.idx.looks"
    record.write_text("not a record\n")
    done = indexed.run(
        *(str(indexed.folder / "m") if part == "FOLDER" else part for part in command)
    )
    assert isinstance(done.exception, AuditError)
    assert "CASE" not in done.stdout
    assert "class_uid" not in done.stdout
    assert "#" not in done.stdout


def test_readings_reach_the_gateway_without_what_was_looked_for(indexed, gateway, token):
    hand_in = ("--gateway", gateway.url, "--token-file", token)
    done = indexed.run("find", "--person", "PERSON-3", *hand_in)
    assert "2 of 2 readings are in the log now" in done.stderr  # the build waited too
    assert waiting(indexed) == []
    path, authorization, body = gateway.taken[1]
    assert (path, authorization) == ("/v1/reviews/read", "Bearer abc.def-ghi")
    told = json.loads(body)
    assert {name: told[name] for name in ("country", "log", "first", "last", "command")} == {
        "country": "BA",
        "log": ORIGIN,
        "first": 3,
        "last": 33,
        "command": "find",
    }
    assert b"PERSON" not in body
    assert all(isinstance(v, str) and len(v) <= 1000 for v in told["query"].values())


def test_a_token_that_is_bound_to_a_certificate_comes_with_it(
    indexed, token, tmp_path, monkeypatch
):
    authority = Authority(tmp_path)
    officer = authority.client("dpo.example")
    both = tmp_path / "officer.pem"
    both.write_bytes(officer.cert.read_bytes() + officer.key.read_bytes())
    with serving(Gateway(authority)) as gateway:
        hand_in = ("looks", "--gateway", gateway.url, "--token-file", token, "--client-cert")
        untrusted = indexed.run(*hand_in, str(both))
        assert isinstance(untrusted.exception, HandInError)  # the system does not know this root
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
        keyless = indexed.run(*hand_in, str(officer.cert))
        assert isinstance(keyless.exception, HandInError)
        assert gateway.taken == []
        assert "1 of 1 readings" in indexed.run(*hand_in, str(both)).stderr
        assert waiting(indexed) == []


def test_a_gateway_that_refuses_leaves_the_readings_waiting(indexed, gateway, token):
    gateway.answer = 503
    hand_in = ("--gateway", gateway.url, "--token-file", token)
    done = indexed.run("looks", *hand_in)
    assert isinstance(done.exception, HandInError)
    assert len(waiting(indexed)) == 1
    gateway.answer = 201
    assert "1 of 1 readings" in indexed.run("looks", *hand_in).stderr
    assert indexed.ask("looks", "--json") == []


def test_a_reading_that_is_refused_does_not_hold_up_the_others(indexed, gateway, token):
    indexed.ask("find")
    indexed.ask("find")
    gateway.answers = [201, 422, 201]
    done = indexed.run("looks", "--gateway", gateway.url, "--token-file", token)
    assert "took 2 of 3 readings (HTTP 422)" in str(done.exception)
    assert len(waiting(indexed)) == 1
    gateway.answers = [401, 201]
    assert isinstance(
        indexed.run("find", "--gateway", gateway.url, "--token-file", token).exception, HandInError
    )
    assert gateway.answers == [201]  # nobody knocks again with a token that is not taken


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://gateway.example", "abc"),
        ("https://127.0.0.1:9", "two words"),
        ("https://127.0.0.1:9", ""),
        ("https://127.0.0.1:9", "abc"),
    ],
)
def test_a_token_goes_to_no_doubtful_place(indexed, tmp_path, url, text):
    token = tmp_path / "token.txt"
    token.write_text(text)
    done = indexed.run("looks", "--gateway", url, "--token-file", str(token))
    assert isinstance(done.exception, HandInError)
    assert len(waiting(indexed)) == 1
