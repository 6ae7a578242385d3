# SPDX-License-Identifier: EUPL-1.2
"""What a database administrator could do to a file, and the verifier's view of it."""

import contextlib
import sqlite3

from audit import verify_log
from audit.checkpoint import Checkpoint
from audit.envelope import parse_envelope
from audit.merkle import leaf_hash
from audit.state import micros_of
from audit.tiles import Edge
from tests.audit.making import (
    ORIGIN,
    SIGNER,
)

SIZE = 600


def verify(path, **options):
    return verify_log(str(path), vkey=SIGNER.vkey, origin=ORIGIN, **options)


def execute(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as con:
        for statement in statements:
            con.execute(statement)
        con.commit()


def entries(path):
    with contextlib.closing(sqlite3.connect(path)) as con:
        return [row[0] for row in con.execute("SELECT envelope FROM log_entry ORDER BY idx")]


def rewrite(path, envelopes, signer=None):
    """Put other entries into a log with all that can be recomputed; signed again if one can."""
    edge = Edge()
    leaves = [leaf_hash(envelope) for envelope in envelopes]
    tiles = edge.extend(leaves)
    with contextlib.closing(sqlite3.connect(path)) as con:
        con.execute("DELETE FROM log_entry")
        con.execute("DELETE FROM log_tile")
        for index, (envelope, leaf) in enumerate(zip(envelopes, leaves, strict=True)):
            told = parse_envelope(envelope)
            con.execute(
                "INSERT INTO log_entry VALUES (?, ?, ?, ?, ?, ?, ?)",
                (index, envelope, leaf, micros_of(told.t), told.kind, "BA", "HR"),
            )
        con.executemany("INSERT INTO log_tile VALUES (?, ?, ?)", [(*t.id, t.hashes) for t in tiles])
        con.execute("UPDATE log_head SET size = ?, root = ?", (len(leaves), edge.root()))
        if signer:
            note = Checkpoint(ORIGIN, len(leaves), edge.root()).sign(signer)
            con.execute("UPDATE log_head SET note = ?", (note,))
        con.commit()


def edited(envelope):
    """The same entry saying that nothing was found."""
    return envelope.replace(b'"status":"hit"', b'"status":"no_hit"')
