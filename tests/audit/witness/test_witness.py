# SPDX-License-Identifier: EUPL-1.2
"""The witness with its memory: persisted before it answers, raced, killed, and what it keeps."""

import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit.errors import KeyFileError, WitnessError
from audit.keyfiles import create_cosigner, read_cosigner
from audit.note import NoteSigner, NoteVerifier, open_note, signature_lines
from audit.witness import (
    AddCheckpoint,
    Book,
    Contradiction,
    TrustedFile,
    origin_digest,
    parse_trusted,
)
from audit.witness.book import KEPT
from tests.audit.witnessing import LOG, TIME, Seconds, Tree, cosigner, witness_at

TREE, FORK = Tree(), Tree(fork=3)
DIGEST = origin_digest(LOG.name)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "witness.sqlite"


@pytest.fixture
def witness(path):
    return witness_at(path)


def size_in(path):
    with sqlite3.connect(path) as con:
        rows = con.execute("SELECT size FROM cosigned").fetchall()
    con.close()
    return rows[0][0] if rows else None


def test_a_growing_log_is_cosigned_step_by_step(witness, path):
    old = 0
    for size in (0, 1, 7, 7, 256, 600):
        answer = witness.add_checkpoint(TREE.submission(old, size))
        assert answer.status == 200
        note = TREE.note(size) + answer.body
        signed = open_note(note.encode(), witness.cosigner.verifiers).signed
        assert [s.time for s in signed] == [TIME]
        assert size_in(path) == size
        assert witness.cosigned(DIGEST) == note
        old = size


def test_a_witness_with_two_keys_answers_with_two_lines(path):
    witness = witness_at(path, who=cosigner(1, mldsa=True))
    lines = signature_lines(witness.add_checkpoint(TREE.submission(0, 5)).body.encode())
    assert [line.key_id for line in lines] == [v.key_id for v in witness.cosigner.verifiers]


def test_a_conflict_names_the_size_and_its_type(witness):
    witness.add_checkpoint(TREE.submission(0, 5))
    answer = witness.add_checkpoint(TREE.submission(0, 13))
    assert (answer.status, answer.body, answer.content_type) == (409, "5\n", "text/x.tlog.size")


def test_a_countrys_key_fills_no_witnesss_disk_with_logs(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.witness.witness.MOST_LOGS", 2)
    country = NoteVerifier.of("audit.example/BA", 1, LOG.verifier.public)
    trusted = parse_trusted(f"country {country.vkey}\n".encode())
    witness = witness_at(tmp_path / "w.sqlite", trusted=trusted)
    halves = ["2026h1", "2026h2", "2027h1"]
    signers = [NoteSigner(f"audit.example/BA/{half}", LOG.private) for half in halves]
    answers = [witness.add_checkpoint(TREE.submission(0, 3, signer)) for signer in signers]
    assert [answer.status for answer in answers] == [200, 200, 404]
    assert witness.add_checkpoint(TREE.submission(3, 4, signers[1])).status == 200, (
        "known ones go on"
    )


def test_an_unknown_log_has_no_checkpoint(witness):
    assert witness.cosigned(DIGEST) is None


def test_the_time_of_a_logs_cosignatures_never_falls(path):
    clock = Seconds(TIME + 100)
    witness = witness_at(path, clock=clock)
    witness.add_checkpoint(TREE.submission(0, 5))
    clock.now = TIME
    note = TREE.note(6) + witness.add_checkpoint(TREE.submission(5, 6)).body
    assert open_note(note.encode(), witness.cosigner.verifiers).signed[0].time == TIME + 100


class StalledBook(Book):
    """Lets two submissions pass the check before either is persisted."""

    barrier = threading.Barrier(2)

    def advance(self, last, to):
        self.barrier.wait()
        return super().advance(last, to)


def test_of_two_submissions_between_check_and_persist_one_is_told_to_start_over(path):
    Book.create(path)
    book = Book.open(path)
    witness_at(path, book=book).add_checkpoint(TREE.submission(0, 5))
    raced = witness_at(path, book=StalledBook.open(path))
    with ThreadPoolExecutor(2) as pool:
        bodies = TREE.submission(5, 9), TREE.submission(5, 13)
        answers = list(pool.map(raced.add_checkpoint, bodies))
    assert sorted(answer.status for answer in answers) == [200, 409]
    won = 9 if answers[0].status == 200 else 13
    assert size_in(path) == won
    lost = next(answer for answer in answers if answer.status == 409)
    assert lost.body == f"{won}\n"


def test_two_processes_on_one_memory_do_not_fork_a_log(path):
    Book.create(path)
    first = witness_at(path, book=StalledBook.open(path))
    second = witness_at(path, book=StalledBook.open(path))
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(first.add_checkpoint, TREE.submission(0, 9)),
            pool.submit(second.add_checkpoint, FORK.submission(0, 9)),
        ]
        answers = [future.result() for future in asked]
    assert sorted(answer.status for answer in answers) == [200, 409]


KILLED = """
import os, signal, sys
from pathlib import Path
from audit.witness import Book
from tests.audit.witnessing import Tree, witness_at
class Dies(Book):
    def advance(self, last, to):
        moved = super().advance(last, to)
        os.kill(os.getpid(), signal.SIGKILL)
        return moved
path = Path(sys.argv[1])
print(witness_at(path, book=Dies.open(path)).add_checkpoint(Tree().submission(0, 9)).body)
"""


def test_a_kill_between_persist_and_answer_loses_an_answer_and_never_the_memory(path):
    Book.create(path)
    run = [sys.executable, "-c", KILLED, str(path)]
    done = subprocess.run(run, cwd=Path(__file__).parents[3], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")
    witness = witness_at(path)
    assert witness.add_checkpoint(FORK.submission(0, 9)).body == "9\n", "the fork is too late"
    assert witness.add_checkpoint(TREE.submission(9, 9)).status == 200, "the log goes on"


def test_nothing_is_cosigned_that_cannot_be_written_down(path):
    Book.create(path)
    witness = witness_at(path)
    witness.add_checkpoint(TREE.submission(0, 5))
    with sqlite3.connect(path, isolation_level=None) as con:
        con.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON cosigned BEGIN SELECT RAISE(FAIL,'x');END"
        )
    con.close()
    with pytest.raises(WitnessError, match="can't be used"):
        witness.add_checkpoint(TREE.submission(5, 9))
    assert size_in(path) == 5


def test_what_is_refused_though_signed_is_kept_with_what_it_contradicts(witness, path):
    cosigned = TREE.note(9) + witness.add_checkpoint(TREE.submission(0, 9)).body
    for body in (FORK.submission(5, 9), FORK.submission(9, 13), TREE.submission(3, 4)):
        for _ in range(2):
            witness.add_checkpoint(body)
    kept = Book.open(path).refused()
    assert [(found.kind, found.checkpoint.size) for found in kept] == [
        (Contradiction.FORK, 9),
        (Contradiction.UNPROVEN, 13),
        (Contradiction.BEHIND, 4),
    ]
    assert {found.against for found in kept} == {cosigned}
    assert kept[0].note == FORK.note(9)
    assert kept[1].body == FORK.submission(9, 13)
    assert Book.open(path).counts() == dict.fromkeys(Contradiction, 1)


def test_what_is_kept_has_a_bound_and_a_flood_of_one_kind_leaves_room_for_another(witness, path):
    witness.add_checkpoint(TREE.submission(0, 600))
    for size in range(1, KEPT + 10):
        witness.add_checkpoint(TREE.submission(0, size))
    witness.add_checkpoint(FORK.submission(600, 600))
    counts = Book.open(path).counts()
    assert (counts[Contradiction.BEHIND], counts[Contradiction.FORK]) == (KEPT, 1)


def test_an_unsigned_submission_leaves_no_trace(witness, path):
    witness.add_checkpoint(TREE.submission(0, 9).replace(b"\n9\n", b"\n8\n"))
    witness.add_checkpoint(b"old 0\n\n")
    assert Book.open(path).refused() == []
    assert size_in(path) is None


def test_a_memory_is_neither_overwritten_nor_begun_anew_by_accident(path, tmp_path):
    with pytest.raises(WitnessError, match="missing"):
        Book.open(path)
    Book.create(path)
    with pytest.raises(WitnessError, match="never overwritten"):
        Book.create(path)
    other = tmp_path / "other"
    other.write_bytes(b"not a database, but long enough to look like one" * 30)
    with pytest.raises(WitnessError, match="no SQLite"):
        Book.open(other)
    sqlite3.connect(tmp_path / "empty").execute("CREATE TABLE a (b)").connection.close()
    with pytest.raises(WitnessError, match="no memory"):
        Book.open(tmp_path / "empty")
    with pytest.raises(WitnessError, match="can't be written"):
        Book.create(tmp_path / "other" / "below")


def test_a_memory_with_something_else_in_it_is_told(witness, path):
    witness.add_checkpoint(TREE.submission(0, 9))
    with sqlite3.connect(path, isolation_level=None) as con:
        con.execute("UPDATE cosigned SET note = 'x'")
    con.close()
    with pytest.raises(WitnessError, match="restore"):
        witness.add_checkpoint(TREE.submission(9, 13))


# --- keys and trusted logs


@pytest.mark.parametrize("second", [None, "mldsa.key"])
def test_a_witness_key_is_made_once_and_read_back(tmp_path, second):
    mldsa = second and tmp_path / second
    made = create_cosigner(tmp_path / "w.key", "witness.example/BA", mldsa)
    assert read_cosigner(tmp_path / "w.key", mldsa).verifiers == made.verifiers
    assert stat.S_IMODE((tmp_path / "w.key").stat().st_mode) == 0o600
    assert (tmp_path / "w.key").read_text().startswith("cuvar-witness-key-1 witness.example/BA ")
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_cosigner(tmp_path / "w.key", "witness.example/BA")


def test_two_keys_of_two_witnesses_are_refused(tmp_path):
    create_cosigner(tmp_path / "a.key", "witness.example/A", tmp_path / "a2.key")
    create_cosigner(tmp_path / "b.key", "witness.example/B", tmp_path / "b2.key")
    with pytest.raises(KeyFileError, match="two witnesses"):
        read_cosigner(tmp_path / "a.key", tmp_path / "b2.key")


def test_a_refused_submission_is_not_answered_with_a_line(witness):
    witness.add_checkpoint(TREE.submission(0, 9))
    for body in (FORK.submission(9, 13), AddCheckpoint(0, (), TREE.note(9).encode()).body):
        assert "\u2014" not in witness.add_checkpoint(body).body


def test_a_list_of_logs_is_read_again_when_it_changes_and_a_broken_edit_changes_nothing(tmp_path):
    file = tmp_path / "trusted.txt"
    file.write_text("# none yet\n")
    trusted = TrustedFile.open(file)
    assert trusted.current().verifiers(LOG.name) == ()
    file.write_text(f"log {LOG.vkey}\n")
    assert trusted.current().verifiers(LOG.name) == (LOG.verifier,)
    file.write_text("lag x\n\n")
    assert trusted.current().verifiers(LOG.name) == (LOG.verifier,)
    assert "line 1" in trusted.problem
    file.unlink()
    assert trusted.current().verifiers(LOG.name) == (LOG.verifier,)
    assert "can't be read" in trusted.problem
    file.write_text("")
    assert trusted.current().verifiers(LOG.name) == ()
    assert trusted.problem is None
