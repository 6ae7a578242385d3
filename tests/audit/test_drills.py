# SPDX-License-Identifier: EUPL-1.2
"""The attacker holds the database and the log's key; each attack is caught by the party named.

Every drill first shows how far the attacker gets: what only looks at the store finds nothing where
the test says so. The independent verifier shares no line with ours (tests/audit/independent.py).
"""

import asyncio
import json
import shutil

import pytest

from audit import NoteVerifier
from audit.checkpoint import Checkpoint
from audit.complete import Reader, complete
from audit.copies import open_copy
from audit.errors import UnrecordedError
from audit.evidence import check_evidence, make_evidence
from audit.guard import Guard
from audit.marks import Marks
from audit.witness import AddCheckpoint, parse_trusted
from tests.audit import independent
from tests.audit.independent import Caught, StoreRows, check_log, check_receipt, leaf
from tests.audit.making import NOON, ORIGIN, SIGNER, Clock, fill, judged, opened, plain
from tests.audit.tampering import SIZE, edited, entries, execute, rewrite
from tests.audit.test_guard import HANDOVER, recorded
from tests.audit.witnessing import witness_at

TRUSTED = parse_trusted(f"log {SIGNER.vkey}\n".encode())


def checked(path, *known):
    """What the independent verifier says of a store."""
    rows = StoreRows.read(f"sqlite:///{path}")
    check_log(rows.log(ORIGIN), vkey=SIGNER.vkey, origin=ORIGIN, known=known)


def note_of(path):
    return StoreRows.read(f"sqlite:///{path}").log(ORIGIN).note


def submission(path, old):
    """What the attacker's publisher sends: the best proof that its tree has."""
    leaves = [leaf(entry) for entry in entries(path)]
    proof = independent.proof(old, leaves) if 0 < old < len(leaves) else []
    return AddCheckpoint(old, tuple(proof), note_of(path).encode()).body


def grown(path, count):
    """The log's own writer goes on."""

    async def write():
        async with opened(f"sqlite:///{path}") as log:
            await fill(log, count)

    asyncio.run(write())


@pytest.fixture
def witness(tmp_path, copy):
    """An authority that cosigned the true log."""
    found = witness_at(tmp_path / "witness.sqlite", trusted=TRUSTED)
    assert found.add_checkpoint(submission(copy, 0)).status == 200
    return found


@pytest.fixture
def receipt(copy):
    """An officer's receipt for entry 100 of the true log, kept by the asker."""

    async def ask():
        async with opened(f"sqlite:///{copy}") as log:
            return await log.receipt(100)

    return asyncio.run(ask())


def kept(witness):
    """The evidence that the witness keeps: each refused checkpoint with the one it cosigned."""
    return witness._book.refused()


def test_an_edited_entry_is_found_by_the_verifier(copy):
    changed = edited(entries(copy)[7]).hex()
    execute(copy, f"UPDATE log_entry SET envelope = x'{changed}' WHERE pos = 7")  # noqa: S608
    with pytest.raises(Caught, match="hash to"):
        checked(copy)
    assert not judged(copy).ok


def rewritten(copy):
    """Entry 7 edited, every leaf, tile, head and signature made anew."""
    changed = entries(copy)
    changed[7] = edited(changed[7])
    rewrite(copy, changed, SIGNER)
    checked(copy)  # whoever only has the store finds nothing


def test_a_log_that_was_written_anew_is_refused_by_the_witness(copy, witness):
    rewritten(copy)
    assert witness.add_checkpoint(submission(copy, SIZE)).status == 422
    assert kept(witness)
    grown(copy, 50)
    assert witness.add_checkpoint(submission(copy, SIZE)).status == 422


def test_a_log_that_was_written_anew_contradicts_an_older_receipt(copy, receipt):
    entry = entries(copy)[100]
    index, size, root = check_receipt(receipt, entry, SIGNER.vkey, ORIGIN)
    assert (index, size) == (100, SIZE)
    rewritten(copy)
    note = receipt.partition("\n\n")[2]
    with pytest.raises(Caught, match="not continued"):
        checked(copy, note)
    grown(copy, 50)
    leaves = [leaf(found) for found in entries(copy)]
    with pytest.raises(Caught, match="does not join"):
        independent.check_consistency(
            size, len(leaves), root, independent.tree_hash(leaves), independent.proof(size, leaves)
        )


def reappended(copy):
    """The last fifty entries dropped, sixty others in their place."""
    others = [plain(t=NOON.replace(hour=23)).envelope for _ in range(60)]
    rewrite(copy, entries(copy)[:-50] + others, SIGNER)
    execute(copy, "DELETE FROM log_detail WHERE pos >= 550")
    checked(copy)


def test_a_dropped_tail_is_refused_by_the_witness(copy, witness):
    reappended(copy)
    assert witness.add_checkpoint(submission(copy, SIZE)).status == 422
    lied = witness.add_checkpoint(submission(copy, SIZE - 50))
    assert (lied.status, lied.body) == (409, f"{SIZE}\n")
    assert kept(witness)


def test_a_dropped_tail_contradicts_an_older_receipt(copy, receipt):
    reappended(copy)
    with pytest.raises(Caught, match="not continued"):
        checked(copy, receipt.partition("\n\n")[2])


def test_two_checkpoints_of_one_size_are_refused_and_are_evidence(copy, witness):
    true = note_of(copy)
    rewritten(copy)
    false = note_of(copy)
    assert witness.add_checkpoint(submission(copy, SIZE)).status == 422
    evidence = make_evidence(true.encode(), false.encode(), NoteVerifier.parse(SIGNER.vkey))
    fork = check_evidence(evidence.text.encode(), NoteVerifier.parse(SIGNER.vkey))
    assert (fork.origin, fork.first.size, fork.second.size) == (ORIGIN, SIZE, SIZE)
    roots = [independent.open_checkpoint(n, SIGNER.vkey, ORIGIN)[1] for n in (true, false)]
    with pytest.raises(Caught, match="two roots"):
        independent.check_consistency(SIZE, SIZE, *roots, [])


def test_yesterdays_backup_is_refused_by_the_witness(copy, witness, tmp_path, receipt):
    backup = shutil.copy(copy, tmp_path / "backup.db")
    grown(copy, 30)
    assert witness.add_checkpoint(submission(copy, SIZE)).status == 200
    today = note_of(copy)
    shutil.copy(backup, copy)
    for leftover in ("-wal", "-shm"):
        (tmp_path / f"{copy.name}{leftover}").unlink(missing_ok=True)
    checked(copy, receipt.partition("\n\n")[2])  # whole, and older than all that it knows of
    for _ in range(2):
        told = witness.add_checkpoint(submission(copy, SIZE))
        assert (told.status, told.body) == (409, f"{SIZE + 30}\n")
        grown(copy, 10)
    grown(copy, 30)
    assert witness.add_checkpoint(submission(copy, SIZE + 30)).status == 422
    with pytest.raises(Caught, match="not continued"):
        checked(copy, today)


def shown(copy, without=()):
    """The rows that the gateway shows to BA's authority, some of them left out."""
    for index, entry in enumerate(entries(copy)):
        if index not in without:
            yield json.dumps({"index": index, "log_envelope.envelope": json.loads(entry)})


def test_an_entry_hidden_from_an_authority_is_counted_by_her_tool(copy):
    reader = Reader("BA", None)
    erased = Marks(range(SIZE))  # this drill is about entries, not details
    with open_copy(str(copy), ORIGIN) as log:
        whole = complete(log, SIZE, shown(copy), reader, erased)
        assert {gap.what for gap in whole.gaps} == {"unsealed"}  # most of them have no detail
        assert whole.expected == SIZE
        found = complete(log, SIZE, shown(copy, without=[321]), reader, erased)
    missing = [(gap.index, gap.what) for gap in found.gaps if gap.what != "unsealed"]
    assert missing == [(321, "missing")]


def test_a_detail_that_nobody_erased_on_record_is_found_by_the_verifier(copy):
    checked(copy)
    execute(copy, "DELETE FROM log_detail WHERE pos = 595")
    with pytest.raises(Caught, match="1 details are gone, 0 erasures"):
        checked(copy)
    assert not judged(copy).ok


def test_an_exchanged_detail_is_found_by_the_verifier(copy):
    execute(
        copy,
        "UPDATE log_detail SET blob = (SELECT blob FROM log_detail WHERE pos = 596)"
        " WHERE pos = 595",
    )
    with pytest.raises(Caught, match="entry 595"):
        checked(copy)
    assert not judged(copy).ok


def test_without_an_entry_the_owners_node_lets_nothing_go(copy, receipt):
    """The gateway's operator forges all that he can: his key signs, but he writes no entry."""
    keys = {ORIGIN: NoteVerifier.parse(SIGNER.vkey)}
    guard = Guard(keys.get, Clock())
    unlogged = plain().envelope
    root = independent.tree_hash([leaf(entry) for entry in entries(copy)])
    bare = Checkpoint(ORIGIN, SIZE, root).sign(SIGNER)
    forged = f"c2sp.org/tlog-proof@v1\nindex 7\n\n{bare}"
    for proof in (b"", receipt.encode(), forged.encode()):
        with pytest.raises(UnrecordedError, match="no receipt, no data"):
            guard.require(HANDOVER, unlogged, proof)
    entry, proof = recorded([plain()], 0)
    guard.require(HANDOVER, entry, proof)
    with pytest.raises(UnrecordedError, match="used before"):
        guard.require(HANDOVER, entry, proof)  # one entry for two answers


def test_an_entry_in_a_tree_of_its_own_lets_records_go_but_not_past_the_witness(copy, witness):
    """The operator who signs a fork for the owner's node alone: what the node kept convicts him."""
    keys = {ORIGIN: NoteVerifier.parse(SIGNER.vkey)}
    leaves = [leaf(entry) for entry in entries(copy)]
    secret = plain().envelope
    aside = [*leaves, leaf(secret)]
    note = Checkpoint(ORIGIN, len(aside), independent.tree_hash(aside)).sign(SIGNER)
    hashes = "".join(
        f"{independent.base64.b64encode(h).decode()}\n" for h in independent.path(SIZE, aside)
    )
    proof = f"c2sp.org/tlog-proof@v1\nindex {SIZE}\n{hashes}\n{note}"
    kept_by_node = Guard(keys.get, Clock()).require(HANDOVER, secret, proof.encode())
    grown(copy, 5)
    with pytest.raises(Caught, match="not continued"):
        checked(copy, note)
    assert witness.add_checkpoint(submission(copy, SIZE)).status == 200
    body = AddCheckpoint(SIZE + 5, (), note.encode()).body
    assert witness.add_checkpoint(body).status == 400  # an old size above its own
    truth = independent.tree_hash([leaf(entry) for entry in entries(copy)][: kept_by_node.size])
    assert truth != kept_by_node.root
