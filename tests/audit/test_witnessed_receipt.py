# SPDX-License-Identifier: EUPL-1.2
import pytest

from audit.errors import AuditError, NoteError, PolicyFileError, ProofError, QuorumError
from audit.policyfile import Authority, build_policy, parse_policy
from audit.receipt import make_receipt, verify_witnessed
from tests.audit.making import vectors
from tests.audit.witnessing import LOG, TIME, Tree, cosigned, cosigner

TREE = Tree()
PUBLISHED = vectors("receipt.json")["receipts"]
POLICY = build_policy(
    [Authority(f"w{n}", cosigner(n).verifiers) for n in (1, 2)],
    least=2,
    owner="w1",
    logs=[LOG.verifier],
)


def receipt(*cosigners, index=5, size=13):
    note = cosigned(TREE.checkpoint(size), *cosigners)
    return make_receipt(index, TREE.path(index, size), note).encode()


def check(data, index=5, policy=POLICY, origin=LOG.name):
    return verify_witnessed(data, TREE.leaf(index).digest(), policy, origin)


@pytest.mark.parametrize("told", PUBLISHED, ids=lambda told: str(told["index"]))
def test_a_published_receipt_verifies_under_a_policy_of_its_two_witnesses(told):
    leaf = bytes.fromhex(told["leaf"])
    index, found = verify_witnessed(told["file"].encode(), leaf, POLICY, LOG.name)
    assert (index, found.checkpoint.size, found.since) == (told["index"], 600, TIME + 1)


def test_a_receipt_without_a_quorum_proves_nothing_yet():
    for some in ([], [cosigner(1)], [cosigner(2)], [cosigner(2), cosigner(3)]):
        with pytest.raises(QuorumError):
            check(receipt(*some))
    assert check(receipt(cosigner(1), cosigner(2)))[0] == 5


def test_origin_and_key_are_looked_at_before_the_quorum_and_the_quorum_before_the_path():
    bad_path = receipt().replace(b"index 5", b"index 6")
    with pytest.raises(PolicyFileError):
        check(bad_path, origin="audit.example/else")
    with pytest.raises(QuorumError):
        check(bad_path)
    with pytest.raises(ProofError):
        check(receipt(cosigner(1), cosigner(2)).replace(b"index 5", b"index 6"))
    with pytest.raises(NoteError):
        check(receipt(cosigner(1), cosigner(2)).replace(b"\n13\n", b"\n14\n"))


def test_a_receipt_is_for_the_entry_whose_hash_was_computed():
    with pytest.raises(ProofError):
        check(receipt(cosigner(1), cosigner(2)), index=6)


def test_every_changed_bit_of_a_witnessed_receipt_is_refused():
    data = receipt(cosigner(1), cosigner(2))
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(AuditError):
            check(bytes(changed))


def test_a_policy_of_no_witness_leaves_the_logs_word_alone():
    policy = parse_policy(f"log {LOG.vkey}\nquorum none\n".encode())
    index, found = check(receipt(), policy=policy)
    assert (index, dict(found.times), found.since) == (5, {}, None)
