# SPDX-License-Identifier: EUPL-1.2
"""A second witness, written from the public specifications alone; it imports nothing of ours.

C2SP tlog-witness v1.0.0, tlog-cosignature v1.0.1, tlog-checkpoint v1.0.0, signed-note v1.0.0, and
RFC 9162 section 2.1.4.2. Standard library and an Ed25519 primitive only. It answers over HTTP on
loopback and is what our feed must get on with.
"""

import base64
import contextlib
import hashlib
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

DASH = "\u2014 "


class Refusal(Exception):  # noqa: N818 - an answer rather than an error
    def __init__(self, status, body="", content_type="text/plain"):
        super().__init__(status)
        self.status, self.body, self.content_type = status, body, content_type


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(first, second, first_hash, second_hash, proof):
    """RFC 9162, 2.1.4.2."""
    if first == second:
        return not proof and first_hash == second_hash
    if first == 0:
        return not proof
    if not proof:
        return False
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_hash)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_hash and sr == second_hash


class StrangeWitness:
    """State and rules."""

    def __init__(self, name, seed, log_vkeys):
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes_raw()
        self.logs = {}
        for vkey in log_vkeys:
            origin, _, data = vkey.split("+", 2)
            raw = base64.b64decode(data)
            assert raw[0] == 1
            self.logs[origin] = (
                key_id(origin, 1, raw[1:]),
                Ed25519PublicKey.from_public_bytes(raw[1:]),
            )
        self.latest = {}
        self.statuses = []
        self.lock = threading.Lock()

    @property
    def vkey(self):
        data = base64.b64encode(b"\x04" + self.public).decode()
        return f"{self.name}+{key_id(self.name, 4, self.public).hex()}+{data}"

    def signed_by_the_log(self, text, signatures, origin):
        """The line of the log's own key."""
        wanted, public = self.logs[origin]
        for line in signatures.split("\n"):
            if line.startswith(f"{DASH}{origin} "):
                raw = base64.b64decode(line.split(" ")[2])
                if raw[:4] == wanted:
                    try:
                        public.verify(raw[4:], f"{text}\n".encode())
                    except InvalidSignature:
                        raise Refusal(403) from None
                    return line
        raise Refusal(403)

    def add_checkpoint(self, body):
        try:
            head, note = body.decode().split("\n\n", 1)
            old_line, *proof_lines = head.split("\n")
            old = int(old_line.removeprefix("old "))
            proof = [base64.b64decode(line, validate=True) for line in proof_lines]
            text, signatures = note.rsplit("\n\n", 1)
            origin, size, root = text.split("\n")[:3]
            size, root = int(size), base64.b64decode(root, validate=True)
        except ValueError:
            raise Refusal(400) from None
        if f"old {old}" != old_line or len(proof) > 63:
            raise Refusal(400)
        if origin not in self.logs:
            raise Refusal(404)
        verified = self.signed_by_the_log(text, signatures, origin)
        if old > size:
            raise Refusal(400)
        with self.lock:
            last_size, last_root, _ = self.latest.get(origin, (0, hashlib.sha256(b"").digest(), ""))
            if old != last_size:
                raise Refusal(409, f"{last_size}\n", "text/x.tlog.size")
            if not consistent(old, size, last_root, root, proof):
                raise Refusal(422)
            now = int(time.time())
            message = f"cosignature/v1\ntime {now}\n{text}\n".encode()
            raw = (
                key_id(self.name, 4, self.public) + struct.pack(">Q", now) + self.key.sign(message)
            )
            line = f"{DASH}{self.name} {base64.b64encode(raw).decode()}\n"
            self.latest[origin] = (size, root, f"{text}\n\n{verified}\n{line}")
        return line

    def checkpoint(self, digest):
        for origin, (_, _, note) in self.latest.items():
            if hashlib.sha256(origin.encode()).hexdigest() == digest:
                return note
        raise Refusal(404)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    witness = None

    def answer(self, make):
        status, kind = 200, "text/plain; charset=utf-8"
        try:
            body = make()
        except Refusal as refusal:
            status, body, kind = refusal.status, refusal.body, refusal.content_type
        self.witness.statuses.append(status)
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.path == "/w/add-checkpoint"
        self.answer(lambda: self.witness.add_checkpoint(body) if known else missing())

    def do_GET(self):
        parts = self.path.split("/")
        self.answer(lambda: self.witness.checkpoint(parts[2]))

    def log_message(self, *_):
        """Nothing on standard error."""


def missing():
    raise Refusal(404)


@contextlib.contextmanager
def strange_witness(name, seed, log_vkeys):
    """The witness and its submission prefix."""
    witness = StrangeWitness(name, seed, log_vkeys)
    handler = type("Bound", (Handler,), {"witness": witness})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield witness, f"http://localhost:{server.server_port}/w"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
