# SPDX-License-Identifier: EUPL-1.2
"""What a database administrator could do to a file, and the verifier's view of it."""

import contextlib
import sqlite3

from audit.checkpoint import Checkpoint
from audit.merkle import leaf_hash
from audit.tiles import Edge
from tests.audit.making import ORIGIN, judged

SIZE = 600


def verify(path, **options):
    return judged(path, **options)


def execute(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as con:
        for statement in statements:
            con.execute(statement)
        con.commit()


def entries(path):
    with contextlib.closing(sqlite3.connect(path)) as con:
        return [row[0] for row in con.execute("SELECT envelope FROM log_entry ORDER BY pos")]


def rewrite(path, envelopes, signer=None):
    """Put other entries into a log with all that can be recomputed; signed again if one can."""
    edge = Edge()
    leaves = [leaf_hash(envelope) for envelope in envelopes]
    tiles = edge.extend(leaves)
    with contextlib.closing(sqlite3.connect(path)) as con:
        con.execute("DELETE FROM log_entry")
        con.execute("DELETE FROM log_tile")
        con.executemany("INSERT INTO log_entry VALUES (?, ?)", enumerate(envelopes))
        stored = [(0, *t.id, t.hashes) for t in tiles]
        con.executemany("INSERT INTO log_tile VALUES (?, ?, ?, ?)", stored)
        con.execute("UPDATE log_head SET size = ?, root = ?", (len(leaves), edge.root()))
        if signer:
            note = Checkpoint(ORIGIN, len(leaves), edge.root()).sign(signer)
            con.execute("UPDATE log_head SET note = ?", (note,))
        con.commit()


def edited(envelope):
    """The same entry saying that nothing was found."""
    return envelope.replace(b'"status":"hit"', b'"status":"no_hit"')
