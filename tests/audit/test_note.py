# SPDX-License-Identifier: EUPL-1.2
import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from audit.errors import NoteError
from audit.merkle import EMPTY_ROOT
from audit.note import NoteSigner, NoteVerifier, split_note, strict_base64, verify_note
from tests.audit.making import ORIGIN, SIGNER, STRANGER, seeded, vectors

TOLD = vectors("checkpoint.json")
LOG = NoteVerifier.parse(TOLD["vkey"])
WITNESSES = [NoteVerifier.parse(vkey) for vkey in TOLD["witness_vkeys"]]
NOTE = TOLD["note"].encode()


def test_the_published_checkpoint_is_signed_byte_for_byte():
    private = Ed25519PrivateKey.from_private_bytes(seeded(TOLD["seeds"]["log"]))
    signer = NoteSigner(TOLD["origin"], private)
    assert signer.vkey == TOLD["vkey"]
    root = base64.b64decode(TOLD["root"])
    signed = Checkpoint(TOLD["origin"], TOLD["size"], root).sign(signer)
    assert TOLD["note"].startswith(signed)
    assert Checkpoint(TOLD["origin"], 0, EMPTY_ROOT).sign(signer) == TOLD["empty"]


def test_the_published_checkpoint_and_its_cosignatures_verify():
    _, signed = verify_note(NOTE, [LOG, *WITNESSES])
    assert signed == {LOG.name, *(w.name for w in WITNESSES)}
    assert open_checkpoint(NOTE, LOG, LOG.name).size == 600
    text, lines = split_note(NOTE)
    times = [w.verify(text, line.signature) for w, line in zip(WITNESSES, lines[1:], strict=True)]
    assert times == TOLD["witness_times"]


def test_a_verifier_key_string_survives_reading_and_writing():
    assert [v.vkey for v in WITNESSES] == TOLD["witness_vkeys"]


def test_any_changed_bit_of_a_signed_note_is_refused():
    note = SIGNER.sign("a log\n7\n").encode()
    for place in range(len(note) * 8):
        changed = bytearray(note)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(NoteError):
            verify_note(bytes(changed), [SIGNER.verifier])


def test_a_changed_cosignature_of_a_known_witness_spoils_the_note():
    with pytest.raises(NoteError, match=r"witness\.example/w1"):
        verify_note(
            NOTE.replace(
                b"\xe2\x80\x94 witness.example/w1 lpvGdwAAAABl",
                b"\xe2\x80\x94 witness.example/w1 lpvGdwAAAABm",
            ),
            [LOG, *WITNESSES],
        )


def test_signatures_of_unknown_keys_are_skipped():
    stranger = STRANGER.sign("a\n").split("\n\n")[1]
    assert verify_note((SIGNER.sign("a\n") + stranger).encode(), [SIGNER.verifier])[0] == b"a\n"


def test_a_note_that_no_known_key_signed_is_refused():
    with pytest.raises(NoteError, match="no known key"):
        verify_note(STRANGER.sign("a\n").encode(), [SIGNER.verifier])


GOOD = SIGNER.sign("a\n").encode()


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        GOOD[:-1],
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n\n", b"\n"),
        GOOD + b"\n",
        GOOD.replace(b"\xe2\x80\x94", b"-"),
        GOOD.replace(b"=", b""),
        GOOD.replace(b"a\n\n", b"a\x00\n\n"),
        GOOD.replace(b"a\n\n", b"\xff\n\n"),
        GOOD.replace(ORIGIN.encode(), b"with space"),
        b"a\n\n" + GOOD.split(b"\n\n")[1] * 65,
        b"a\n\n\xe2\x80\x94 x AAAA\n",
    ],
)
def test_a_malformed_note_is_refused(bad):
    with pytest.raises(NoteError):
        verify_note(bad, [SIGNER.verifier])


@pytest.mark.parametrize("text", [b"AA", b"AA==\n", b"A-_=", b"AB==", b"A===", b" AA=="])
def test_base64_in_any_other_form_is_refused(text):
    with pytest.raises(NoteError):
        strict_base64(text)


@given(st.binary(max_size=100))
def test_strict_base64_gives_back_what_was_encoded(value):
    assert strict_base64(base64.b64encode(value)) == value


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        SIGNER.vkey.replace("+", "-", 1),
        SIGNER.vkey[:-4],
        "x" + SIGNER.vkey,
        SIGNER.vkey + "\n",
        "a log+00000000+AQ==",
    ],
)
def test_a_malformed_verifier_key_is_refused(vkey):
    with pytest.raises(NoteError):
        NoteVerifier.parse(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_signer_needs_a_name_without_spaces_and_plus(name):
    with pytest.raises(NoteError):
        NoteSigner(name, SIGNER.private)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"a\n1\n",
        b"a\n01\n" + TOLD["root"].encode() + b"\n",
        b"a\n-1\n" + TOLD["root"].encode() + b"\n",
        b"a\n0\n" + TOLD["root"].encode() + b"\n",
        b"a\n1\nAAAA\n",
        b"a b\n1\n" + TOLD["root"].encode() + b"\n",
        b"a\n1\n" + TOLD["root"].encode() + b"\nextension\n",
        b"a\n1\n" + TOLD["root"].encode(),
    ],
)
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        parse_checkpoint(text)


def test_a_checkpoint_of_another_log_is_refused():
    with pytest.raises(NoteError, match="of the log"):
        open_checkpoint(NOTE, LOG, "another.example/log")


def test_a_signer_never_shows_its_key():
    assert SIGNER.private.private_bytes_raw().hex() not in repr(SIGNER)
    assert "private" not in repr(SIGNER)
