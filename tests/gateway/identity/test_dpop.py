# SPDX-License-Identifier: EUPL-1.2
"""RFC 9449 §4.3, check by check, and that neither scheme stands in for the other."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity import (
    DpopCheck,
    DpopKey,
    Fault,
    NonceSource,
    ReplayMemory,
    RequestProof,
    TokenError,
    certificate_thumbprint,
)
from gateway.identity.dpop import NoDpop, same_address
from tests.gateway.identity.forge import NOW, URL, Desk, Forger, Ticker, b64, refused


class Client:
    """A DPoP client whose proofs can be bent."""

    def __init__(self, forger, clock):
        self.forger = forger
        self.signer = Forger()
        self.key = DpopKey.generate(clock)
        self.token = forger.sign(claims=forger.claims(cnf={"jkt": self.thumbprint}))
        self.number = 0

    @property
    def thumbprint(self):
        jwk = self.public()
        text = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
        return b64(hashlib.sha256(text.encode()).digest())

    def public(self, **changes):
        jwk = self.signer.jwk(use=..., kid=...)
        found = {**{name: jwk[name] for name in ("kty", "crv", "x", "y")}, **changes}
        return {name: value for name, value in found.items() if value is not ...}

    def proof(self, *, header=None, signer=None, **claims):
        self.number += 1
        found = {
            "jti": f"proof-{self.number}",
            "htm": "POST",
            "htu": URL,
            "iat": NOW,
            "ath": b64(hashlib.sha256(self.token.encode()).digest()),
            **claims,
        }
        body = {name: value for name, value in found.items() if value is not ...}
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.public(), **(header or {})}
        head = {name: value for name, value in head.items() if value is not ...}
        return (signer or self.signer).sign(head, body)


@pytest.fixture
def client(forger, clock):
    return Client(forger, clock)


async def test_a_fresh_proof_by_the_right_key_is_accepted(desk, client):
    principal = await desk.dpop(client.token, client.proof())
    assert principal.binding == "dpop"


async def test_the_clients_own_tool_makes_proofs_that_pass(desk, forger, clock):
    key = DpopKey.generate(clock)
    token = forger.sign(claims=forger.claims(cnf={"jkt": key.jkt}))
    proof = key.proof("POST", URL + "?page=2#top", token)
    assert await desk.dpop(token, proof, url=URL + "?page=2")


async def test_the_scheme_name_has_no_case(desk, client):
    proof = RequestProof(f"dpop {client.token}", "POST", URL, (client.proof(),))
    assert await desk.verifier.verify(proof)


async def test_a_dpop_token_sent_as_bearer_is_refused(desk, client):
    error = await desk.refusal(client.token)
    assert (error.fault, error.scheme) == (Fault.SCHEME, "DPoP")
    proof = RequestProof(f"Bearer {client.token}", "POST", URL, (client.proof(),))
    assert (await refused(desk.verifier.verify(proof))).fault is Fault.SCHEME


async def test_another_token_sent_as_dpop_is_refused(desk, forger, client):
    bare, der = forger.sign(), b"certificate"
    cnf = {"x5t#S256": certificate_thumbprint(der)}
    mtls = forger.sign(claims=forger.claims(cnf=cnf))
    for token in (bare, mtls):
        proof = RequestProof(f"DPoP {token}", "POST", URL, (client.proof(),), der)
        assert (await refused(desk.verifier.verify(proof))).fault is Fault.SCHEME
        stray = RequestProof(f"Bearer {token}", "POST", URL, (client.proof(),), der)
        assert (await refused(desk.verifier.verify(stray))).fault is Fault.SCHEME


async def test_exactly_one_proof_is_due(desk, client):
    for proofs in ((), (client.proof(), client.proof())):
        error = await refused(desk.dpop(client.token, *proofs))
        assert (error.fault, error.code) == (Fault.PROOF, "invalid_dpop_proof")


HEADERS = {
    "a token's type": {"typ": "at+jwt"},
    "no type": {"typ": ...},
    "another algorithm": {"alg": "ES384"},
    "algorithm none": {"alg": "none"},
    "a MAC": {"alg": "HS256"},
    "no key": {"jwk": ...},
    "a key that is text": {"jwk": "key"},
    "a key that is null": {"jwk": None},
    "crit": {"crit": ["x"]},
    "jku": {"jku": "https://attacker.test"},
    "x5c": {"x5c": []},
    "b64": {"b64": False},
}


@pytest.mark.parametrize("name", HEADERS)
async def test_a_proof_with_another_header_is_refused(desk, client, name):
    error = await refused(desk.dpop(client.token, client.proof(header=HEADERS[name])))
    assert (error.fault, error.scheme, error.status) == (Fault.PROOF, "DPoP", 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"d": "AAAA"},
        {"k": "AAAA"},
        {"kty": "OKP"},
        {"crv": "P-384"},
        {"alg": "ES384"},
        {"use": "enc"},
        {"x": ...},
        {"y": 7},
        {"x": "AA"},
        {"x": "=" * 43},
        {"y": "A" * 43},
        {"x": "é" * 43},
    ],
)
async def test_a_proof_key_that_is_not_a_public_p256_point_is_refused(desk, client, changes):
    proof = client.proof(header={"jwk": client.public(**changes)})
    error = await refused(desk.dpop(client.token, proof))
    assert (error.fault, error.scheme) == (Fault.PROOF, "DPoP")


async def test_a_proof_longer_than_a_token_may_be_is_refused(desk, client):
    assert await desk.dpop(client.token, client.proof(padding="x" * 5000))
    error = await refused(desk.dpop(client.token, client.proof(padding="x" * 6000)))
    assert error.fault is Fault.PROOF


async def test_a_proof_by_another_key_is_refused(desk, client):
    thief = Client(client.forger, desk.clock)
    proof = client.proof(header={"jwk": thief.public()}, signer=thief.signer)
    assert (await refused(desk.dpop(client.token, proof))).fault is Fault.PROOF_MISMATCH


async def test_a_proof_that_borrows_the_key_without_its_signature_is_refused(desk, client):
    proof = client.proof(signer=Forger())
    assert (await refused(desk.dpop(client.token, proof))).fault is Fault.PROOF


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htu": "https://cuvar.test/v1/other"},
        {"htu": "http://cuvar.test/v1/questions"},
        {"htu": "https://attacker.test/v1/questions"},
        {"htu": "https://cuvar.test:8443/v1/questions"},
        {"htu": "/v1/questions"},
        {"htu": "https://cuvar.test:x/v1/questions"},
        {"htu": "https://user@cuvar.test/v1/questions"},
        {"ath": b64(hashlib.sha256(b"another token").digest())},
        {"ath": "é"},
        {"ath": "\ud800"},
    ],
)
async def test_a_proof_for_another_request_is_refused(desk, client, changes):
    error = await refused(desk.dpop(client.token, client.proof(**changes)))
    assert error.fault is Fault.PROOF_MISMATCH


@pytest.mark.parametrize("claim", ["jti", "htm", "htu", "iat", "ath"])
@pytest.mark.parametrize("value", [..., None, ["x"], 1.5])
async def test_a_proof_without_a_claim_or_of_wrong_type_is_refused(desk, client, claim, value):
    error = await refused(desk.dpop(client.token, client.proof(**{claim: value})))
    assert error.fault is Fault.PROOF


@pytest.mark.parametrize("jti", ["", "a b", "x" * 256, "é"])
async def test_a_proof_with_an_odd_jti_is_refused(desk, client, jti):
    error = await refused(desk.dpop(client.token, client.proof(jti=jti)))
    assert error.fault is Fault.PROOF


@pytest.mark.parametrize("age", [61, -61, 3600])
async def test_a_proof_of_another_minute_is_refused(desk, client, age):
    error = await refused(desk.dpop(client.token, client.proof(iat=NOW - age)))
    assert error.fault is Fault.PROOF_TIME


@pytest.mark.parametrize("age", [60, -60, 0])
async def test_a_proof_within_the_minute_is_accepted(desk, client, age):
    assert await desk.dpop(client.token, client.proof(iat=NOW - age))


async def test_a_proof_works_once(desk, client):
    proof = client.proof()
    assert await desk.dpop(client.token, proof)
    error = await refused(desk.dpop(client.token, proof))
    assert (error.fault, error.code) == (Fault.REPLAY, "invalid_dpop_proof")
    again = client.proof(jti="proof-1", iat=NOW + 1)
    assert (await refused(desk.dpop(client.token, again))).fault is Fault.REPLAY


@pytest.mark.parametrize("iat", [NOW - 60, NOW, NOW + 60])
async def test_a_proof_works_once_until_its_time_is_over(desk, client, iat):
    proof = client.proof(iat=iat)
    assert await desk.dpop(client.token, proof)
    while desk.clock.now < iat + 61:
        error = await refused(desk.dpop(client.token, proof))
        assert error.fault is Fault.REPLAY
        desk.clock.now += 1
    assert (await refused(desk.dpop(client.token, proof))).fault is Fault.PROOF_TIME


async def test_a_refused_proof_is_not_remembered(desk, client):
    proof = client.proof()
    assert await refused(desk.dpop(client.token, proof, method="GET"))
    assert await desk.dpop(client.token, proof)


async def test_a_full_memory_refuses_rather_than_forgets(forger, clock):
    memory = ReplayMemory(most=2, most_per_key=2)
    desk = Desk(forger.config(), clock=clock, dpop=DpopCheck(clock, memory))
    client = Client(forger, clock)
    first = client.proof()
    assert await desk.dpop(client.token, first)
    assert await desk.dpop(client.token, client.proof())
    error = await refused(desk.dpop(client.token, client.proof()))
    assert (error.fault, error.status) == (Fault.REPLAY_STORE_FULL, 503)
    assert (await refused(desk.dpop(client.token, first))).fault is Fault.REPLAY


async def test_where_a_nonce_is_due_the_refusal_brings_one(forger, clock):
    nonces = NonceSource(b"k" * 32, clock)
    desk = Desk(forger.config(), clock=clock, dpop=DpopCheck(clock, ReplayMemory(), nonces))
    client = Client(forger, clock)
    for nonce in (..., "", "guess", 7, "é"):
        error = await refused(desk.dpop(client.token, client.proof(nonce=nonce)))
        assert (error.fault, error.status, error.code) == (Fault.NONCE, 401, "use_dpop_nonce")
        assert error.headers["WWW-Authenticate"] == 'DPoP error="use_dpop_nonce", algs="ES256"'
    assert await desk.dpop(client.token, client.proof(nonce=error.headers["DPoP-Nonce"]))


def test_a_nonce_lives_two_slots_at_most():
    clock = Ticker(1_795_000_080)  # the start of a slot
    nonces = NonceSource(b"k" * 32, clock)
    nonce = nonces.current()
    clock.now += 239
    assert nonces.accepts(nonce)
    clock.now += 1
    assert not nonces.accepts(nonce)
    assert not NonceSource(b"j" * 32, clock).accepts(nonces.current())


def test_a_short_nonce_key_is_refused(clock):
    with pytest.raises(ValueError, match="32 bytes"):
        NonceSource(b"short", clock)


@pytest.mark.parametrize(
    ("claimed", "actual"),
    [
        ("https://Cuvar.test/a", "https://cuvar.test/a"),
        ("HTTPS://cuvar.test:443/a", "https://cuvar.test/a"),
        ("https://cuvar.test", "https://cuvar.test/"),
        ("https://cuvar.test/a?b=1#c", "https://cuvar.test/a?d=2"),
    ],
)
def test_addresses_are_compared_as_rfc_9449_says(claimed, actual):
    assert same_address(claimed, actual)


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared_as_addresses(claimed, actual):
    assert same_address(claimed, actual) in {True, False}


def test_a_replay_memory_forgets_what_could_not_be_used_again():
    memory = ReplayMemory(most=3, most_per_key=2)
    memory.first_time("key-a", "1", NOW, NOW)
    memory.first_time("key-a", "2", NOW, NOW)
    with pytest.raises(TokenError, match="replay_store_full"):
        memory.first_time("key-a", "3", NOW, NOW)
    memory.first_time("key-b", "1", NOW, NOW)
    with pytest.raises(TokenError, match="replay_store_full"):
        memory.first_time("key-c", "1", NOW, NOW)
    assert len(memory) == 3
    memory.first_time("key-a", "1", NOW + 300, NOW + 300)
    assert len(memory) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.integers(0, 400)), max_size=40
    )
)
def test_no_proof_is_ever_taken_twice_within_its_window(attempts):
    memory, taken = ReplayMemory(), {}
    for key, jti, now in sorted(attempts, key=lambda attempt: attempt[2]):
        try:
            memory.first_time(key, jti, now, now)
        except TokenError:
            assert (key, jti) in taken
        else:
            last = taken.get((key, jti))
            assert last is None or now - last > 60
            taken[key, jti] = now


def test_a_proof_key_is_not_shown():
    key = DpopKey.generate()
    assert "key=" not in repr(key).replace("DpopKey", "")
    assert isinstance(key.key.prepared_key, ec.EllipticCurvePrivateKey)


def test_with_dpop_switched_off_a_bound_token_is_refused_and_never_taken_as_bare():
    with pytest.raises(TokenError) as caught:
        NoDpop(lambda: 0.0, ReplayMemory()).check(
            (), method="POST", url="https://x.example", token="t", thumbprint="p"
        )
    assert caught.value.fault is Fault.PROOF
