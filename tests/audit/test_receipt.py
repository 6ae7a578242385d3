# SPDX-License-Identifier: EUPL-1.2
import pytest

from audit.errors import AuditError, ProofError
from audit.note import NoteVerifier
from audit.receipt import parse_receipt, verify_receipt
from tests.audit.making import vectors

CHECKPOINT = vectors("checkpoint.json")
LOG = NoteVerifier.parse(CHECKPOINT["vkey"])
RECEIPTS = vectors("receipt.json")["receipts"]


def check(data, leaf):
    return verify_receipt(data, leaf, LOG, CHECKPOINT["origin"])


@pytest.mark.parametrize("told", RECEIPTS)
def test_a_published_receipt_verifies_and_is_written_the_same(told):
    data = told["file"].encode()
    index, checkpoint = check(data, bytes.fromhex(told["leaf"]))
    assert (index, checkpoint.size) == (told["index"], 600)
    assert parse_receipt(data).text == told["file"]


def test_a_receipt_is_not_for_another_entry():
    with pytest.raises(ProofError):
        check(RECEIPTS[0]["file"].encode(), bytes.fromhex(RECEIPTS[1]["leaf"]))


def test_any_changed_bit_of_a_receipt_is_refused():
    told = RECEIPTS[3]
    data, leaf = told["file"].encode(), bytes.fromhex(told["leaf"])
    known = data.index(b"\n\xe2\x80\x94 witness.example")  # the log's own signature ends here
    for place in range(known * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(AuditError):
            check(bytes(changed), leaf)


def test_an_extra_line_is_allowed_and_ignored():
    told = RECEIPTS[0]
    data = told["file"].encode().replace(b"@v1\n", b"@v1\nextra AAAA\n")
    assert check(data, bytes.fromhex(told["leaf"]))[0] == told["index"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 0", "index 00"),
        ("index 0\n", ""),
        ("index 0\n", "index 0\nAAAA\n"),
        ("index 0\n", "index 0\n" + "A" * 43 + "\n"),
        ("@v1\n", "@v1\nextra A\n"),
        ("\n\n", "\n"),
    ],
)
def test_a_malformed_receipt_is_refused(old, new):
    told = RECEIPTS[0]
    with pytest.raises(AuditError):
        check(told["file"].replace(old, new).encode(), bytes.fromhex(told["leaf"]))


def test_a_receipt_with_more_hashes_than_any_log_needs_is_refused():
    data = RECEIPTS[0]["file"].replace("index 0\n", "index 0\n" + ("A" * 43 + "=\n") * 64)
    with pytest.raises(ProofError, match="64"):
        parse_receipt(data.encode())
