# SPDX-License-Identifier: EUPL-1.2
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.errors import NoteError, PolicyFileError, QuorumError
from audit.note import NoteVerifier, SignatureLine, merge_lines
from audit.policyfile import Authority, build_policy, parse_policy, write_policy
from audit.trust import Group, Policy, TrustedWitness, requires
from tests.audit.making import STRANGER, vectors
from tests.audit.witnessing import LOG, TIME, Tree, cosigned, cosigner

TOLD = vectors("policy.json")
CHECKPOINT = Tree().checkpoint(600)
AUTHORITIES = [
    Authority(f"w{n}", cosigner(n, mldsa=n == 1).verifiers, f"https://w{n}.example")
    for n in range(1, 6)
]


@pytest.mark.parametrize("told", TOLD["policies"], ids=lambda told: told["name"])
def test_a_published_policy_is_satisfied_by_the_sets_that_it_says(told):
    policy = parse_policy(told["file"].encode())
    assert all(policy.satisfied_by(names) for names in told["enough"])
    assert not any(policy.satisfied_by(names) for names in told["too_few"])
    assert parse_policy(write_policy(policy).encode()) == policy


@pytest.mark.parametrize("told", TOLD["refused"], ids=lambda told: told["name"])
def test_a_published_fault_is_refused_with_its_line(told):
    with pytest.raises(PolicyFileError) as refused:
        parse_policy(told["file"].encode())
    assert told["line"] is None or f"line {told['line']}:" in str(refused.value)


def test_names_are_opaque_bytes():
    key = cosigner(1).verifiers[0].vkey.encode()
    policy = parse_policy(b"witness \xe2\x84\xaa " + key + b"\nquorum \xe2\x84\xaa\n")
    assert policy.quorum == "\u212a"
    with pytest.raises(PolicyFileError, match="line 2"):
        parse_policy(b"witness \xe2\x84\xaa " + key + b"\nquorum K\n")
    odd = parse_policy(b"witness \xff\xfe " + key + b"\nquorum \xff\xfe\n")
    assert write_policy(odd).encode("utf-8", "surrogateescape").endswith(b"quorum \xff\xfe\n")


def test_as_many_of_each_as_the_specification_recommends_are_read_and_a_flood_is_not():
    def file(count):
        lines = [f"witness w{n} {cosigner(n).verifiers[0].vkey}" for n in range(count)]
        lines += [f"group g{n} any w{n}" for n in range(count)]
        return ("\n".join([*lines, "quorum g0"]) + "\n").encode()

    assert len(parse_policy(file(64)).groups) == 64
    with pytest.raises(PolicyFileError, match="64"):
        parse_policy(file(65))
    with pytest.raises(PolicyFileError, match="bytes"):
        parse_policy(b"#" * (1 << 20) + b"\n")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_refused(data):
    try:
        parse_policy(data)
    except PolicyFileError:
        return


KEYS = [LOG.vkey, *(cosigner(n).verifiers[0].vkey for n in (1, 2))]
WORDS = st.sampled_from(["log", "witness", "group", "quorum", *"12#", "none", "any", "all"])
WORDS |= st.sampled_from([*KEYS, "w1", "w2", "g"])


@given(st.lists(st.lists(WORDS, max_size=5), max_size=8))
def test_whatever_is_read_is_written_and_read_again_the_same(lines):
    data = "".join(" ".join(line) + "\n" for line in lines).encode()
    try:
        policy = parse_policy(data)
    except PolicyFileError:
        return
    assert parse_policy(write_policy(policy).encode()) == policy


def test_a_built_policy_takes_so_many_authorities_and_always_the_owners():
    policy = build_policy(AUTHORITIES, least=3, owner="w1", logs=[LOG.verifier])
    keys = {"w1": ("w1-1", "w1-2")}
    for size in range(6):
        for names in itertools.combinations(["w1", "w2", "w3", "w4", "w5"], size):
            flat = [keys.get(name, (name,))[0] for name in names]
            assert policy.satisfied_by(flat) == ("w1" in names and size >= 3)
    assert policy.satisfied_by(["w1-2", "w2", "w3"])
    assert not policy.satisfied_by(["w1-1", "w1-2", "w2"])
    assert requires(policy, 3, cosigner(1).name)
    assert not requires(policy, 4, cosigner(1).name)
    assert not requires(policy, 3, cosigner(2).name)
    assert not requires(policy, 1, "witness.example/nobody")


@pytest.mark.parametrize(
    ("least", "owner"), [(6, "w1"), (0, "w1"), (3, "w9"), (3, "others")], ids=str
)
def test_a_policy_that_nobody_can_satisfy_or_without_the_owner_is_not_built(least, owner):
    with pytest.raises(PolicyFileError):
        build_policy(AUTHORITIES, least=least, owner=owner)


def test_a_policy_of_one_is_the_owner_alone():
    policy = build_policy(AUTHORITIES[1:], least=1, owner="w2")
    assert policy.quorum == "w2"
    assert requires(policy, 1, cosigner(2).name)
    assert not requires(policy, 2, cosigner(2).name)


def test_two_keys_of_one_authority_are_one_authority():
    ed, pq = cosigner(1, mldsa=True).verifiers
    one = TrustedWitness("a", ed), TrustedWitness("b", pq)
    other = TrustedWitness("c", cosigner(2).verifiers[0])
    policy = Policy((), (*one, other), (Group("g", 2, ("a", "b", "c")),), "g")
    assert policy.authorities == (cosigner(1).name, cosigner(2).name)
    assert not requires(policy, 2, cosigner(1).name), "a and b are enough"
    assert requires(policy, 1, cosigner(1).name)


def test_no_witness_at_all_requires_nothing():
    assert not requires(parse_policy(b"quorum none\n"), 1, cosigner(1).name)


@st.composite
def policies(draw):
    """A random policy over five authorities, one of them with two keys."""
    keys = [v for a in AUTHORITIES for v in a.verifiers]
    witnesses = tuple(TrustedWitness(f"k{n}", key) for n, key in enumerate(keys))
    free = [w.name for w in witnesses]
    groups = []
    for n in range(draw(st.integers(1, 4))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
        needed = draw(st.integers(1, len(members)))
        groups.append(Group(f"g{n}", needed, tuple(members)))
        free = [name for name in free if name not in members] + [f"g{n}"]
    return Policy((), witnesses, tuple(groups), groups[-1].name)


@given(policies(), st.integers(1, 5))
def test_requires_says_what_trying_every_set_says(policy, least):
    owner = AUTHORITIES[0].verifiers[0].name
    names = {w.name: w.authority for w in policy.witnesses}
    sets = [
        {names[name] for name in chosen}
        for size in range(len(names) + 1)
        for chosen in itertools.combinations(names, size)
        if policy.satisfied_by(chosen)
    ]
    told = bool(sets) and all(owner in found and len(found) >= least for found in sets)
    assert requires(policy, least, owner) == told


@given(policies(), st.sets(st.sampled_from(["k0", "k1", "k2", "k3", "k4", "k5"])))
def test_one_more_cosignature_never_unmakes_a_quorum(policy, names):
    for more in ("k0", "k1", "k2", "k3", "k4", "k5"):
        assert policy.satisfied_by({*names, more}) >= policy.satisfied_by(names)


def test_too_many_witnesses_are_not_decided_by_trying_for_ever():
    many = tuple(TrustedWitness(f"w{n}", cosigner(n).verifiers[0]) for n in range(64))
    policy = Policy((), many, (Group("g", 20, tuple(w.name for w in many)),), "g")
    with pytest.raises(PolicyFileError, match="too many"):
        requires(
            Policy((), many, (policy.groups[0], Group("o", 1, ("w0",))), "o"), 20, many[0].authority
        )


# --- checkpoints under a policy

POLICY = build_policy(
    [Authority(f"w{n}", cosigner(n).verifiers) for n in (1, 2, 3)],
    least=2,
    owner="w1",
    logs=[LOG.verifier],
)


def check(note, policy=POLICY, **more):
    return policy.check(note.encode(), LOG.name, **more)


def test_a_quorum_makes_a_checkpoint_count_from_the_last_cosignature_it_needed():
    found = check(cosigned(CHECKPOINT, cosigner(1), cosigner(2), cosigner(3)))
    assert found.checkpoint == CHECKPOINT
    assert dict(found.times) == {"w1": TIME, "w2": TIME + 1, "w3": TIME + 2}
    assert found.since == TIME + 1


def test_a_checkpoint_without_the_owner_or_with_the_owner_alone_does_not_count():
    for some in ([], [1], [2, 3], [2]):
        with pytest.raises(QuorumError, match="owner-and-others"):
            check(cosigned(CHECKPOINT, *map(cosigner, some)))


def test_witnesses_do_not_stand_in_for_the_log():
    lines = cosigned(CHECKPOINT, cosigner(1), cosigner(2)).split("\n")
    alone = "\n".join(line for line in lines if not line.startswith(f"\u2014 {LOG.name} "))
    with pytest.raises(NoteError, match="did not sign"):
        check(alone)


def test_a_false_cosignature_of_a_known_witness_spoils_a_checkpoint_that_has_a_quorum():
    note = cosigned(CHECKPOINT, cosigner(1), cosigner(2))
    bad = cosigner(3).cosign(Tree(fork=1).checkpoint(600), TIME)[0].text
    with pytest.raises(NoteError, match="w3"):
        check(note + bad)


def test_a_checkpoint_of_another_log_does_not_count_and_a_log_needs_a_key():
    note = cosigned(CHECKPOINT, cosigner(1), cosigner(2))
    with pytest.raises(PolicyFileError, match="log line"):
        POLICY.check(note.encode(), "audit.example/else")
    free = Policy((), POLICY.witnesses, POLICY.groups, POLICY.quorum)
    with pytest.raises(PolicyFileError):
        check(note, free)
    assert check(note, free, log=LOG.verifier).checkpoint == CHECKPOINT
    with pytest.raises(PolicyFileError):
        check(note, log=NoteVerifier.of(LOG.name, 1, STRANGER.verifier.public))
    with pytest.raises(PolicyFileError):
        free.check(note.encode(), "audit.example/else", LOG.verifier)


def test_a_checkpoint_that_names_another_log_than_its_key_does_not_count():
    other = Checkpoint("audit.example/else", 600, CHECKPOINT.root)
    with pytest.raises(NoteError, match=r"of the log audit\.example/else"):
        check(cosigned(other, cosigner(1), cosigner(2)))


def test_a_cosignature_without_a_time_makes_no_statement():
    key = cosigner(2).private
    text = CHECKPOINT.text.encode()
    signature = bytes(8) + key.sign(b"cosignature/v1\ntime 0\n" + text)
    line = SignatureLine(cosigner(2).name, cosigner(2).verifiers[0].key_id, signature)
    with pytest.raises(QuorumError):
        check(merge_lines(cosigned(CHECKPOINT, cosigner(1)), [line]))


def test_every_changed_bit_of_a_cosigned_checkpoint_fails_a_policy_that_needs_every_line():
    note = cosigned(CHECKPOINT, cosigner(1), cosigner(2)).encode()
    for place in range(len(note) * 8):
        changed = bytearray(note)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises((NoteError, QuorumError)):
            POLICY.check(bytes(changed), LOG.name)
