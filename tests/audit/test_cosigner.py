# SPDX-License-Identifier: EUPL-1.2
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from audit.checkpoint import Checkpoint
from audit.cosigner import Cosigner
from audit.errors import NoteError
from audit.note import (
    MAX_SIGNATURES,
    NoteVerifier,
    SignatureLine,
    merge_lines,
    open_note,
    signature_lines,
    split_note,
)
from audit.signatures import ed25519_message, mldsa_message
from tests.audit.making import seeded, vectors
from tests.audit.witnessing import LOG, TIME, Tree, cosigned, cosigner

TOLD = vectors("cosignature.json")
PUBLISHED = vectors("checkpoint.json")
CHECKPOINT = Tree().checkpoint(600)
BOTH = cosigner(1, mldsa=True)
KNOWN = [LOG.verifier, *BOTH.verifiers, *cosigner(2).verifiers]


def test_the_published_cosignatures_are_made_byte_for_byte():
    lines = cosigner(1).cosign(CHECKPOINT, TIME) + cosigner(2).cosign(CHECKPOINT, TIME + 1)
    assert merge_lines(CHECKPOINT.sign(LOG), lines) == PUBLISHED["note"]


def test_the_published_ml_dsa_cosignature_verifies_and_its_message_is_made_byte_for_byte():
    key = MLDSA44PrivateKey.from_seed_bytes(seeded(TOLD["seed"]))
    verifier = NoteVerifier.parse(TOLD["vkey"])
    assert verifier.public == key.public_key().public_bytes_raw()
    assert verifier.vkey == TOLD["vkey"] == BOTH.verifiers[1].vkey
    text = CHECKPOINT.text.encode()
    assert mldsa_message(TOLD["name"], text, TOLD["time"]).hex() == TOLD["message"]
    assert ed25519_message(text, TOLD["time"]).decode() == TOLD["ed25519_message"]
    signed = open_note(TOLD["note"].encode(), KNOWN).signed
    assert [(s.verifier.kind, s.time) for s in signed] == [
        (1, None),
        (4, TIME),
        (4, TIME + 1),
        (6, TIME),
    ]


def test_the_message_of_an_ml_dsa_cosignature_is_laid_out_as_the_specification_says():
    message = bytes.fromhex(TOLD["message"])
    assert message[:12] == b"subtree/v1\n\0"
    name, rest = message[13 : 13 + message[12]], message[13 + message[12] :]
    assert name.decode() == TOLD["name"]
    assert int.from_bytes(rest[:8], "big") == TIME
    origin, rest = rest[9 : 9 + rest[8]], rest[9 + rest[8] :]
    assert origin.decode() == CHECKPOINT.origin
    assert rest == bytes(8) + (600).to_bytes(8, "big") + CHECKPOINT.root


def test_any_changed_bit_of_an_ed25519_cosigned_checkpoint_is_refused_or_loses_a_cosigner():
    note = cosigned(CHECKPOINT, cosigner(1), cosigner(2)).encode()
    whole = len(open_note(note, KNOWN).signed)
    for place in range(len(note) * 8):
        changed = bytearray(note)
        changed[place // 8] ^= 1 << place % 8
        try:
            assert len(open_note(bytes(changed), KNOWN).signed) < whole
        except NoteError:
            continue


def test_a_changed_bit_in_the_time_or_signature_of_an_ml_dsa_line_is_refused():
    line = BOTH.cosign(CHECKPOINT, TIME)[1]
    for place in (0, 7, 63, 64, 71, 1000, 8 * 2427, 8 * 2428 - 1):
        changed = bytearray(line.signature)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(NoteError):
            BOTH.verifiers[1].verify(CHECKPOINT.text.encode(), bytes(changed))


@pytest.mark.parametrize("kind", [0, 1])
def test_a_cosignature_is_for_one_checkpoint_and_one_moment(kind):
    line, verifier = BOTH.cosign(CHECKPOINT, TIME)[kind], BOTH.verifiers[kind]
    assert verifier.verify(CHECKPOINT.text.encode(), line.signature) == TIME
    for other in (
        Checkpoint(LOG.name, 599, CHECKPOINT.root),
        Checkpoint("audit.example/other", 600, CHECKPOINT.root),
        Tree(fork=3).checkpoint(600),
    ):
        with pytest.raises(NoteError, match="verify"):
            verifier.verify(other.text.encode(), line.signature)
    later = (TIME + 1).to_bytes(8, "big") + line.signature[8:]
    with pytest.raises(NoteError, match="verify"):
        verifier.verify(CHECKPOINT.text.encode(), later)


def test_an_ml_dsa_cosignature_names_its_cosigner():
    line = BOTH.cosign(CHECKPOINT, TIME)[1]
    renamed = NoteVerifier.of("witness.example/else", 6, BOTH.verifiers[1].public)
    with pytest.raises(NoteError, match="verify"):
        renamed.verify(CHECKPOINT.text.encode(), line.signature)


def test_a_time_beyond_the_specification_is_refused():
    late = SignatureLine(BOTH.name, BOTH.verifiers[0].key_id, b"\xff" * 72)
    with pytest.raises(NoteError, match="2\\^63-1"):
        BOTH.verifiers[0].verify(CHECKPOINT.text.encode(), late.signature)
    for stamp in (0, -1, 1 << 63):
        with pytest.raises(NoteError, match="seconds since 1970"):
            BOTH.cosign(CHECKPOINT, stamp)


def test_an_ml_dsa_cosignature_stands_under_a_checkpoint_only():
    for text in (b"a\n", b"a\nx\nAAAA\n", b"a\n1\nAAAA\n"):
        with pytest.raises(NoteError):
            BOTH.verifiers[1].verify(text, b"\0" * 2428)
    long = Checkpoint("a" * 256, 600, CHECKPOINT.root)
    with pytest.raises(NoteError, match="255"):
        BOTH.cosign(long, TIME)


def test_merging_keeps_the_log_first_and_takes_the_newest_line_of_a_key():
    first = cosigned(CHECKPOINT, cosigner(1), cosigner(2))
    again = merge_lines(first, cosigner(1).cosign(CHECKPOINT, TIME + 60))
    signed = open_note(again.encode(), KNOWN).signed
    assert [(s.verifier.name, s.time) for s in signed] == [
        (LOG.name, None),
        (cosigner(1).name, TIME + 60),
        (cosigner(2).name, TIME + 1),
    ]
    assert merge_lines(first, []) == first


def test_sixteen_ml_dsa_cosigners_are_no_burden_and_too_many_signatures_are_refused():
    many = [cosigner(number, mldsa=True) for number in range(16)]
    note = cosigned(CHECKPOINT, *many)
    known = [LOG.verifier, *(verifier for who in many for verifier in who.verifiers)]
    assert len(open_note(note.encode(), known).signed) == 33
    lines = [
        SignatureLine("x", number.to_bytes(4, "big"), b"s") for number in range(MAX_SIGNATURES)
    ]
    with pytest.raises(NoteError, match="64"):
        merge_lines(CHECKPOINT.sign(LOG), lines)


def test_lines_alone_are_read_as_a_witness_answers_them():
    lines = BOTH.cosign(CHECKPOINT, TIME)
    assert signature_lines("".join(line.text for line in lines).encode()) == list(lines)
    assert split_note(merge_lines(CHECKPOINT.sign(LOG), lines).encode())[1][1:] == list(lines)
    for bad in (b"", b"\n", lines[0].text.encode()[:-1], b"\xff\n", lines[0].text.encode() * 65):
        with pytest.raises(NoteError):
            signature_lines(bad)


def test_a_cosigner_never_shows_its_keys():
    shown = repr(BOTH)
    assert BOTH.private.private_bytes_raw().hex() not in shown
    assert BOTH.mldsa.private_bytes_raw().hex() not in shown
    assert "PrivateKey" not in shown


def test_a_cosigners_name_is_a_key_name():
    with pytest.raises(NoteError):
        Cosigner("a b", BOTH.private)
