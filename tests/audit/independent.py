# SPDX-License-Identifier: EUPL-1.2
"""A verifier of our logs that shares no line with ours, written from the public pages alone.

RFC 6962 section 2.1 (hashes, PATH, PROOF), C2SP signed-note, tlog-checkpoint, tlog-tiles,
tlog-cosignature and tlog-proof, and docs/formats/log.md for the store's tables and the commitment.
It imports nothing of `audit`, so that a mistake of ours is not repeated here.
"""

import base64
import contextlib
import hashlib
import json
import sqlite3
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG_BITS = 40
WIDTH = 256


class Caught(Exception):  # noqa: N818 - the verifier's word for a finding
    """The log is not what it claims to be."""


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf(entry):
    return sha256(b"\x00" + entry)


def node(left, right):
    return sha256(b"\x01" + left + right)


def split(n):
    """The largest power of two below n."""
    return 1 << ((n - 1).bit_length() - 1)


def tree_hash(leaves):
    """MTH of RFC 6962, 2.1, over leaf hashes."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def path(m, leaves):
    """PATH(m, D[n]) of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), tree_hash(leaves[k:])]
    return [*path(m - k, leaves[k:]), tree_hash(leaves[:k])]


def root_from_path(m, n, value, hashes):
    """The root that an inclusion path leads to, by undoing the recursion of PATH."""
    if n == 1:
        if hashes:
            raise Caught("the inclusion proof is too long")
        return value
    if not hashes:
        raise Caught("the inclusion proof is too short")
    k = split(n)
    *below, sibling = hashes
    if m < k:
        return node(root_from_path(m, k, value, below), sibling)
    return node(sibling, root_from_path(m - k, n - k, value, below))


def proof(m, leaves):
    """PROOF(m, D[n]) of RFC 6962, 2.1.2."""
    return _subproof(m, leaves, whole=True)


def _subproof(m, leaves, *, whole):
    n = len(leaves)
    if m == n:
        return [] if whole else [tree_hash(leaves)]
    k = split(n)
    if m <= k:
        return [*_subproof(m, leaves[:k], whole=whole), tree_hash(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], whole=False), tree_hash(leaves[:k])]


def check_consistency(m, n, old_root, new_root, hashes):
    """Undo PROOF: both roots must follow."""
    if m in (0, n):
        if hashes or (m == n and old_root != new_root):
            raise Caught("one size with two roots: the log was forked")
        return
    rest = list(hashes)
    old, new = _roots(m, n, old_root, rest, whole=True)
    if rest or (old, new) != (old_root, new_root):
        raise Caught("the consistency proof does not join the two roots")


def _roots(m, n, old_root, rest, *, whole):
    if m == n:
        value = old_root if whole else _take(rest, 0)
        return value, value
    k = split(n)
    sibling = _take(rest, -1)
    if m <= k:
        old, new = _roots(m, k, old_root, rest, whole=whole)
        return old, node(new, sibling)
    old, new = _roots(m - k, n - k, old_root, rest, whole=False)
    return node(sibling, old), node(sibling, new)


def _take(rest, end):
    if not rest:
        raise Caught("the consistency proof is too short")
    return rest.pop(end)


def unbase64(text):
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode() != text:
        raise Caught("base64 that is not canonical")
    return value


@dataclass(frozen=True)
class Key:
    """A verifier key string of signed-note; type 1 is Ed25519, type 4 its cosignature."""

    name: str
    ident: bytes
    kind: int
    public: bytes

    @classmethod
    def parse(cls, vkey):
        name, ident, payload = vkey.split("+", 2)
        raw = unbase64(payload)
        kind, public = raw[0], raw[1:]
        known = sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]
        if known.hex() != ident:
            raise Caught("the key's id does not fit")
        return cls(name, known, kind, public)

    def message(self, text, signature):
        if self.kind == 1:
            return text, signature
        stamp = int.from_bytes(signature[:8], "big")
        return b"cosignature/v1\ntime %d\n" % stamp + text, signature[8:]

    def verifies(self, text, signature):
        message, signed = self.message(text, signature)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signed, message)
        except InvalidSignature:
            raise Caught(f"the signature of {self.name} does not verify") from None


def open_note(note, keys):
    """The text, and the names of those keys that signed it."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    signed = set()
    for line in lines.split("\n")[:-1]:
        dash, name, payload = line.split(" ")
        raw = unbase64(payload)
        if dash != "\u2014":
            raise Caught("no signature line")
        for key in keys:
            if (key.name, key.ident) == (name, raw[:4]):
                key.verifies(text.encode(), raw[4:])
                signed.add(name)
    return text, signed


def open_checkpoint(note, vkey, origin):
    """Size and root of a checkpoint that the log signed."""
    key = Key.parse(vkey)
    text, signed = open_note(note, [key])
    if key.name not in signed:
        raise Caught("the log did not sign this checkpoint")
    name, size, root, end = text.split("\n")
    if name != origin or end or str(int(size)) != size:
        raise Caught("no checkpoint of this log")
    return int(size), unbase64(root)


def check_receipt(receipt, entry, vkey, origin):
    """The index that a tlog-proof file proves for an entry; the checkpoint's size and root."""
    head, _, note = receipt.partition("\n\n")
    first, index, *hashes = head.split("\n")
    if first != "c2sp.org/tlog-proof@v1" or not index.startswith("index "):
        raise Caught("no tlog-proof")
    size, root = open_checkpoint(note, vkey, origin)
    m = int(index.removeprefix("index "))
    if root_from_path(m, size, leaf(entry), [unbase64(h) for h in hashes]) != root:
        raise Caught("the receipt does not lead to the checkpoint")
    return m, size, root


@dataclass
class Log:
    """What a store or folder holds of one log; nothing of it is believed."""

    note: str
    entries: list
    tiles: dict = field(default_factory=dict)  # (level, number) -> hashes
    details: dict = field(default_factory=dict)  # index -> (blob, salt, header)
    head: tuple = ()  # size and root that the store claims


def tiles_of(leaves):
    """All tiles of tlog-tiles over these leaves, the partial ones with them."""
    found, level, row = {}, 0, list(leaves)
    while row:
        for number in range(0, len(row), WIDTH):
            found[level, number // WIDTH] = b"".join(row[number : number + WIDTH])
        row = [
            tree_hash(row[start : start + WIDTH]) for start in range(0, len(row) - WIDTH + 1, WIDTH)
        ]
        level += 1
    return found


def check_log(log, *, vkey, origin, known=()):
    """Recompute everything from the entries up.

    Args:
        log: what is there.
        vkey: the log's key.
        origin: the log's name.
        known: signed checkpoints that somebody kept, each to be continued.
    """
    size, root = open_checkpoint(log.note, vkey, origin)
    if len(log.entries) != size or (log.head and log.head != (size, root)):
        raise Caught(f"{len(log.entries)} entries where the checkpoint says {size}")
    leaves = [leaf(entry) for entry in log.entries]
    true = tiles_of(leaves)
    for place, hashes in log.tiles.items():
        if true.get(place) != hashes:
            raise Caught(f"tile {place} is not what the entries hash to")
    for place, hashes in true.items():
        if len(hashes) == WIDTH * 32 and place not in log.tiles:
            raise Caught(f"tile {place} is missing")
    if tree_hash(leaves) != root:
        raise Caught("the entries do not lead to the signed root")
    for note in known:
        old, old_root = open_checkpoint(note, vkey, origin)
        if old > size or tree_hash(leaves[:old]) != old_root:
            raise Caught(f"the checkpoint of size {old} that was kept is not continued")
    check_entries(log, origin)


def check_entries(log, origin):
    """Each entry is of this log, in order of time; no detail is missing that none erased."""
    last, missing, erased = "", 0, 0
    for index, entry in enumerate(log.entries):
        told = json.loads(entry)
        if told["log"] != origin or told["t"] < last:
            raise Caught(f"entry {index} is of another log, or dated back")
        last = told["t"]
        if told["kind"] == "erasure":
            erased += told["count"] or 0
        detail = log.details.get(index)
        if detail is not None:
            blob, salt, header = detail
            if sha256(salt + sha256(header) + blob).hex() != told["detail"]:
                raise Caught(f"the detail of entry {index} is not the one that it commits to")
        elif told["detail"] is not None:
            missing += 1
    if missing > erased:
        raise Caught(f"{missing} details are gone, {erased} erasures are recorded")


class StoreRows:
    """The tables of a store of format 2, read with SQL alone."""

    TABLES = ("log_head", "log_entry", "log_detail", "log_tile")

    def __init__(self, tables):
        self._tables = tables
        self._numbers = {row[2]: row[0] for row in tables["log_head"]}

    @classmethod
    def read(cls, url):
        if not url.startswith("postgresql"):
            with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as con:
                con.execute("BEGIN")
                return cls(
                    {t: con.execute(f"SELECT * FROM {t}").fetchall() for t in cls.TABLES}  # noqa: S608
                )
        import asyncio

        import asyncpg

        async def fetch():
            con = await asyncpg.connect(url)
            try:
                # One snapshot: what a killed process sent may still come to its end.
                await con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                return {
                    t: [tuple(r) for r in await con.fetch(f"SELECT * FROM {t}")]  # noqa: S608
                    for t in cls.TABLES
                }
            finally:
                await con.close()

        return cls(asyncio.run(fetch()))

    def _of(self, table, number):
        """Rows of one log by entry number."""
        found = {}
        for pos, *rest in self._tables[table]:
            if pos >> LOG_BITS == number:
                found[pos & ((1 << LOG_BITS) - 1)] = rest[0] if len(rest) == 1 else tuple(rest)
        return found

    def entries(self, origin):
        found = self._of("log_entry", self._numbers[origin])
        if sorted(found) != list(range(len(found))):
            raise Caught("an entry is missing")
        return [found[index] for index in range(len(found))]

    def log(self, origin):
        number = self._numbers[origin]
        (row,) = [row for row in self._tables["log_head"] if row[0] == number]
        tiles = {(t[1], t[2]): t[3] for t in self._tables["log_tile"] if t[0] == number}
        return Log(
            note=row[5],
            entries=self.entries(origin),
            tiles=tiles,
            details=self._of("log_detail", number),
            head=(row[3], row[4]),
        )
