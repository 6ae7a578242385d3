# SPDX-License-Identifier: EUPL-1.2
"""What a person is told of who consulted her data, and whom a rectification must reach."""

import json

import pytest

from audit import Kind, Status, Verdict, verify_receipt
from audit.checkpoint import Checkpoint
from audit.errors import LogCorruptError, ProofError
from audit.merkle import leaf_hash
from audit.note import NoteVerifier
from audit.review.disclosures import disclosures, recipients
from audit.review.following import Frontier
from audit.review.opened import open_entries
from audit.review.pages import disclosure_page
from audit.review.receipts import receipt_of
from audit.store import Head
from audit.tiles import Edge
from tests.audit.making import ORIGIN, SIGNER, new_sealer, plain, sealed
from tests.audit.review.holding import UNSEALER, Held, detail

HER = frozenset({"PERSON-1", "DOC-77"})


def entry(sealer, content=None, **changed):
    told = detail(1) if content is None else content
    return sealed(sealer, json.dumps(told).encode(), **changed)


@pytest.fixture
def log():
    sealer = new_sealer()
    by_document = detail(2, persons=[], query={"subject": {"doc_number": "DOC-77"}})
    return Held(
        [
            plain(),
            entry(sealer),
            entry(sealer, purpose="law_enforcement"),
            entry(sealer, detail(2)),
            entry(sealer, by_document, count=0, fields=(), view=None, status=Status.NO_HIT),
            entry(sealer, kind=Kind.DENIAL, decision=Verdict.DENY, status=Status.DENIED),
        ]
    )


def told(log, **options):
    entries = open_entries(log, UNSEALER, 0, len(log.held))
    return disclosures(entries, HER, lambda found: f"receipt {found.index}", **options)


def test_a_person_learns_when_what_for_who_and_on_what_ground(log):
    first, second = told(log).lines
    assert (first.index, second.index) == (1, 4)
    assert (first.purpose, first.org, first.country, first.unit, first.basis) == (
        *("border_check", "HR-BP", "HR", "unit-1", "CIR-20"),
    )
    assert first.categories == ("biographic", "direct_identifier")
    assert second.categories == ()
    assert first.receipt == "receipt 1"


def test_officers_are_withheld_unless_it_was_decided_otherwise(log):
    withheld = told(log)
    assert "officer-" not in json.dumps(withheld.document()) + disclosure_page(withheld)
    named = told(log, with_officers=True)
    assert named.lines[0].officer == "officer-1"
    assert "officer-1" in disclosure_page(named)


def test_the_list_reads_the_same_with_and_without_police_consultations(log):
    with_police = told(log)
    log.change(2, envelope=log.held[0].envelope, blob=None, salt=None, header=None)
    without = told(log)
    assert with_police == without
    assert "if there were any" in disclosure_page(without)


def test_police_consultations_are_told_where_no_restriction_stands(log):
    assert [line.index for line in told(log, with_restricted=True).lines] == [1, 2, 4]


def test_a_rectification_reaches_whoever_was_given_data_police_included(log):
    found = recipients(open_entries(log, UNSEALER, 0, len(log.held)), HER)
    assert [(one.org, one.restricted) for one in found] == [("HR-BP", False), ("HR-BP", True)]
    assert found[0].categories == ("biographic", "direct_identifier")


@pytest.fixture(scope="module")
def tiled():
    """A log of 600 entries with its tiles, and a signed checkpoint of its first 300."""
    log = Held(plain(count=number) for number in range(600))
    edge, tiles = Edge(), {}
    for row in log.held:
        tiles.update({tile.id: tile.hashes for tile in edge.extend([leaf_hash(row.envelope)])})
    note = Checkpoint(ORIGIN, 600, edge.root()).sign(SIGNER)
    head = Head(ORIGIN, 600, edge.root(), note)
    log.head, log.tile = lambda: head, tiles.get
    known = Frontier()
    for row in log.held[:300]:
        known.push(row.envelope)
    log.earlier = Checkpoint(ORIGIN, 300, known.root).sign(SIGNER)
    return log


@pytest.mark.parametrize("index", [0, 255, 256, 511, 599])
def test_each_line_is_proved_by_a_receipt_made_from_a_copy(tiled, index):
    receipt = receipt_of(tiled, index).encode()
    leaf, verifier = leaf_hash(tiled.held[index].envelope), NoteVerifier.parse(SIGNER.vkey)
    assert verify_receipt(receipt, leaf, verifier, ORIGIN)[0] == index
    with pytest.raises(ProofError):
        verify_receipt(receipt, leaf_hash(b"another"), verifier, ORIGIN)


def test_a_witnessed_checkpoint_is_taken_where_it_covers_the_entry(tiled, monkeypatch):
    monkeypatch.setattr(tiled, "cosigned", lambda: tiled.earlier, raising=False)
    verifier = NoteVerifier.parse(SIGNER.vkey)
    for index, size in ((0, 300), (299, 300), (300, 600)):
        leaf = leaf_hash(tiled.held[index].envelope)
        receipt = receipt_of(tiled, index).encode()
        assert verify_receipt(receipt, leaf, verifier, ORIGIN)[1].size == size


def test_a_copy_without_its_tiles_makes_no_receipt(tiled, monkeypatch):
    monkeypatch.setattr(tiled, "tile", lambda _: None)
    with pytest.raises(LogCorruptError, match="tile 1/0"):
        receipt_of(tiled, 599)
