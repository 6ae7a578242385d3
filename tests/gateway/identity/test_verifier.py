# SPDX-License-Identifier: EUPL-1.2
"""Every token that python-jose 3.5.0 lets pass and we do not, really signed; and the pins."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import traceback

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from jose import jwt

from gateway.identity import Fault, IdentityConfigError, RequestProof, TokenError
from gateway.identity.verifier import TokenVerifier
from tests.gateway.identity.forge import AUDIENCE, NOW, URL, Desk, Forger, as_json, b64, refused


async def test_a_good_token_tells_who_is_asking(desk, forger):
    principal = await desk.bearer(forger.sign())
    assert (principal.officer, principal.org, principal.country) == ("officer-1", "HR-BP", "HR")
    assert principal.unit == "HR-BP-ZG"
    assert principal.roles == frozenset({"border_officer"})
    assert (principal.issuer, principal.client_id, principal.jti) == (
        forger.issuer,
        "console",
        "token-1",
    )
    assert (principal.acr, principal.auth_time) == ("urn:test:smartcard", NOW - 60)
    assert principal.postings == ("HR-C1",)
    assert principal.expires == NOW + 300
    assert principal.binding is None


@pytest.mark.parametrize("missing", ["unit", "acr", "auth_time", "postings"])
async def test_optional_claims_may_be_left_out(desk, forger, missing):
    principal = await desk.bearer(forger.sign(claims=forger.claims(**{missing: ...})))
    assert not getattr(principal, missing)


@pytest.mark.parametrize("typ", ["AT+JWT", "application/at+jwt"])
async def test_both_spellings_of_the_media_type_are_accepted(desk, forger, typ):
    assert await desk.bearer(forger.sign(forger.header(typ=typ)))


async def test_an_audience_list_that_names_us_is_accepted(desk, forger):
    claims = forger.claims(aud=["https://elsewhere.test", AUDIENCE])
    assert await desk.bearer(forger.sign(claims=claims))


HEADERS = {
    "an ID token": ({"typ": ...}, Fault.TYPE),
    "a plain JWT": ({"typ": "JWT"}, Fault.TYPE),
    "a DPoP proof": ({"typ": "dpop+jwt"}, Fault.TYPE),
    "a type that is no text": ({"typ": ["at+jwt"]}, Fault.TYPE),
    "no algorithm": ({"alg": ...}, Fault.ALGORITHM),
    "algorithm none": ({"alg": "none"}, Fault.ALGORITHM),
    "a longer algorithm name": ({"alg": "ES256XX"}, Fault.ALGORITHM),
    "a shorter algorithm name": ({"alg": "ES"}, Fault.ALGORITHM),
    "another case": ({"alg": "es256"}, Fault.ALGORITHM),
    "an algorithm list": ({"alg": ["ES256"]}, Fault.ALGORITHM),
    "another curve": ({"alg": "ES384"}, Fault.ALGORITHM),
    "EdDSA": ({"alg": "EdDSA"}, Fault.ALGORITHM),
    "crit": ({"crit": ["exp"]}, Fault.HEADER),
    "empty crit": ({"crit": []}, Fault.HEADER),
    "b64 false": ({"b64": False}, Fault.HEADER),
    "b64 true": ({"b64": True}, Fault.HEADER),
    "jku": ({"jku": "https://attacker.test/jwks"}, Fault.HEADER),
    "x5u": ({"x5u": "https://attacker.test/cert"}, Fault.HEADER),
    "x5c": ({"x5c": ["MII="]}, Fault.HEADER),
    "an own key": ({"jwk": {"kty": "EC"}}, Fault.HEADER),
    "compression": ({"zip": "DEF"}, Fault.HEADER),
    "encryption": ({"enc": "A256GCM"}, Fault.HEADER),
    "no kid": ({"kid": ...}, Fault.KEY_UNKNOWN),
    "a kid that is no text": ({"kid": 1}, Fault.KEY_UNKNOWN),
    "an unknown kid": ({"kid": "k2"}, Fault.KEY_UNKNOWN),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_a_header_that_we_do_not_want_is_refused(desk, forger, name):
    changes, fault = HEADERS[name]
    error = await desk.refusal(forger.sign(forger.header(**changes)))
    assert (error.fault, error.status, error.code) == (fault, 401, "invalid_token")


TIMES = {
    "expired": ({"exp": NOW - 1, "iat": NOW - 300}, Fault.EXPIRED),
    "expiring this second": ({"exp": NOW, "iat": NOW - 300}, Fault.EXPIRED),
    "expiry before issue": ({"exp": NOW + 10, "iat": NOW + 10}, Fault.NOT_YET),
    "no life": ({"exp": NOW, "iat": NOW}, Fault.LIFETIME),
    "issued in an hour": ({"iat": NOW + 3600, "exp": NOW + 3900}, Fault.NOT_YET),
    "issued in six seconds": ({"iat": NOW + 6, "exp": NOW + 300}, Fault.NOT_YET),
    "not before six seconds": ({"nbf": NOW + 6}, Fault.NOT_YET),
    "a life of an hour": ({"exp": NOW + 3600}, Fault.LIFETIME),
    "a second over ten minutes": ({"exp": NOW + 601}, Fault.LIFETIME),
    "a login in the future": ({"auth_time": NOW + 6}, Fault.NOT_YET),
}


@pytest.mark.parametrize("name", TIMES)
async def test_a_token_out_of_its_time_is_refused(desk, forger, name):
    changes, fault = TIMES[name]
    error = await desk.refusal(forger.sign(claims=forger.claims(**changes)))
    assert error.fault is fault


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": NOW + 5, "nbf": NOW + 5, "auth_time": NOW + 5},
        {"exp": NOW + 600},
        {"iat": NOW - 599, "exp": NOW + 1},
    ],
)
async def test_the_bounds_themselves_are_accepted(desk, forger, changes):
    assert await desk.bearer(forger.sign(claims=forger.claims(**changes)))


@pytest.mark.parametrize("name", ["iat", "exp", "sub", "jti"])
async def test_a_missing_registered_claim_is_refused(desk, forger, name):
    error = await desk.refusal(forger.sign(claims=forger.claims(**{name: ...})))
    assert error.fault in {Fault.CLAIM, Fault.SIGNATURE, Fault.AUDIENCE}


@pytest.mark.parametrize("name", ["client_id", "org", "country", "roles"])
async def test_a_missing_claim_of_ours_is_refused(desk, forger, name):
    error = await desk.refusal(forger.sign(claims=forger.claims(**{name: ...})))
    assert error.fault is Fault.CLAIM


WRONG_TYPES = {
    "exp": [str(NOW + 300), float(NOW + 300), [NOW], None, True, -1],
    "iat": [str(NOW), float(NOW), {}, None, True],
    "nbf": [str(NOW), None, 1.5],
    "auth_time": [str(NOW), None, 1.5, True, -1],
    "sub": ["", "ima\nred", "š", "x" * 256, 7, None],
    "jti": ["", "a b", 7],
    "client_id": ["", "a b", 7, None],
    "org": ["", "HR BP", "HR/BP", ["HR-BP"], None],
    "country": ["", 1, ["HR"]],
    "unit": ["", "ZG 1", "x" * 65, None],
    "acr": ["", "a b", 3, None],
    "roles": [[], "border_officer", [1], ["a b"], [["x"]], {"border_officer": 1}, ["x"] * 65, None],
    "postings": ["HR-C1", [1], [""], None],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in WRONG_TYPES for value in WRONG_TYPES[name]]
)
async def test_a_claim_of_the_wrong_type_is_refused(desk, forger, name, value):
    error = await desk.refusal(forger.sign(claims=forger.claims(**{name: value})))
    assert error.status == 401
    # python-jose judges the types of a few itself
    assert error.fault in {Fault.CLAIM, Fault.AUDIENCE, Fault.SIGNATURE}


@pytest.mark.parametrize("number", [b"Infinity", b"-Infinity", b"NaN", b"1e999", b"9" * 5000])
async def test_a_number_that_json_does_not_have_is_refused(desk, forger, number):
    claims = json.dumps(forger.claims()).encode()
    body = claims.replace(str(NOW + 300).encode(), number)
    assert (await desk.refusal(forger.sign(claims=body))).code == "invalid_token"


@pytest.mark.parametrize("number", [b"Infinity", b"-Infinity", b"NaN"])
async def test_such_a_number_is_refused_even_where_nobody_looks(desk, forger, number):
    body = as_json(forger.claims(other=7777)).replace(b"7777", number)
    assert (await desk.refusal(forger.sign(claims=body))).fault is Fault.MALFORMED


@pytest.mark.parametrize("name", ["sub", "org", "exp"])
async def test_a_claim_named_twice_is_refused(desk, forger, name):
    body = json.dumps(forger.claims()).encode()
    body = body[:-1] + b"," + json.dumps({name: forger.claims()[name]}).encode()[1:]
    assert (await desk.refusal(forger.sign(claims=body))).fault is Fault.DUPLICATE_NAME


async def test_a_name_twice_inside_a_claim_is_refused(desk, forger):
    body = json.dumps(forger.claims(cnf=7)).encode().replace(b'"cnf": 7', b'"cnf":{"a":1,"a":2}')
    assert (await desk.refusal(forger.sign(claims=body))).fault is Fault.DUPLICATE_NAME


async def test_a_header_named_twice_is_refused(desk, forger):
    head = json.dumps(forger.header()).encode()[:-1] + b',"alg":"ES256"}'
    assert (await desk.refusal(forger.sign(head))).fault is Fault.DUPLICATE_NAME


@pytest.mark.parametrize("part", ["header", "claims"])
async def test_deep_nesting_is_refused_without_breaking(desk, forger, part):
    deep = b'{"a":' + b"[" * 2400 + b"]" * 2400 + b"}"
    token = forger.sign(**{part: deep})
    assert (await desk.refusal(token)).fault is Fault.MALFORMED


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b'{"a":1} x', b"\xef\xbb\xbf{}"]
)
@pytest.mark.parametrize("part", ["header", "claims"])
async def test_a_part_that_is_no_json_object_is_refused(desk, forger, part, raw):
    assert (await desk.refusal(forger.sign(**{part: raw}))).fault is Fault.MALFORMED


async def test_a_token_of_two_megabytes_is_refused_unread(desk, forger):
    token = forger.sign(claims=forger.claims(padding="x" * 2_000_000))
    assert (await desk.refusal(token)).fault is Fault.TOO_LONG


async def test_a_token_one_byte_over_the_cap_is_refused(desk, forger):
    token = forger.sign() + "A" * 8192
    assert (await desk.refusal(token[:8193])).fault is Fault.TOO_LONG
    assert (await desk.refusal(token[:8192])).fault is not Fault.TOO_LONG


@pytest.mark.parametrize("shape", ["{0}.{1}", "{0}.{1}.{2}.", "{0}.{1}.{2}.AA.AA", "{0}", "..", ""])
async def test_a_token_without_exactly_three_parts_is_refused(desk, forger, shape):
    token = shape.format(*forger.sign().split("."))
    assert (await desk.refusal(token)).fault is Fault.MALFORMED


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("spoil", ["{}=", "{}==", " {}", "{}\n", "{}+", "{}A", "é{}", ""])
async def test_base64url_is_read_in_its_one_canonical_spelling(desk, forger, part, spoil):
    parts = forger.sign().split(".")
    parts[part] = spoil.format(parts[part])
    assert (await desk.refusal(".".join(parts))).code == "invalid_token"


async def test_stray_bits_in_the_last_character_are_refused(desk, forger):
    token = forger.sign()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = token[:-1] + letters[letters.index(token[-1]) + 1]
    raw = base64.urlsafe_b64decode
    assert raw(token.split(".")[2] + "==") == raw(other.split(".")[2] + "==")
    assert (await desk.refusal(other)).fault is Fault.MALFORMED


async def test_a_changed_payload_is_refused(desk, forger):
    head, _, signature = forger.sign().split(".")
    body = b64(as_json(forger.claims(roles=["dpo"])))
    assert (await desk.refusal(f"{head}.{body}.{signature}")).fault is Fault.SIGNATURE


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: s + b"\0", lambda _: b"\0" * 64])
async def test_a_broken_signature_is_refused(desk, forger, spoil):
    signed = forger.sign().rpartition(".")[0]
    signature = b64(spoil(forger.signature(signed.encode())))
    assert (await desk.refusal(f"{signed}.{signature}")).fault is Fault.SIGNATURE


async def test_a_der_signature_is_refused(desk, forger):
    signed = forger.sign().rpartition(".")[0]
    der = forger.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    assert (await desk.refusal(f"{signed}.{b64(der)}")).fault is Fault.SIGNATURE


async def test_algorithm_none_without_a_signature_is_refused(desk, forger):
    signed = forger.sign(forger.header(alg="none")).rpartition(".")[0]
    assert (await desk.refusal(f"{signed}.")).fault is Fault.ALGORITHM


@pytest.mark.parametrize("form", ["der", "pem", "jwk"])
async def test_the_public_key_used_as_a_shared_secret_is_refused(desk, forger, form):
    public = forger.key.public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    secret = {
        "der": public.public_bytes(serialization.Encoding.DER, info),
        "pem": public.public_bytes(serialization.Encoding.PEM, info),
        "jwk": json.dumps(forger.jwk()).encode(),
    }[form]
    signed = forger.sign(forger.header(alg="HS256")).rpartition(".")[0]
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    assert (await desk.refusal(f"{signed}.{b64(mac)}")).fault is Fault.ALGORITHM
    # the same MAC under the right algorithm's name is no signature
    signed = forger.sign().rpartition(".")[0]
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    assert (await desk.refusal(f"{signed}.{b64(mac)}")).fault is Fault.SIGNATURE


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
async def test_an_rsa_signature_is_refused_even_by_a_published_key(clock, forger, alg):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = key.public_key().public_numbers()
    published = {
        "kty": "RSA",
        "use": "sig",
        "kid": "r1",
        "e": b64(numbers.e.to_bytes(3, "big")),
        "n": b64(numbers.n.to_bytes(256, "big")),
    }
    desk = Desk(forger.config(keys=forger.jwks(published)), clock=clock)
    signed = forger.sign(forger.header(alg=alg, kid="r1")).rpartition(".")[0]
    pad = padding.PKCS1v15() if alg == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = b64(key.sign(signed.encode(), pad, hashes.SHA256()))
    assert (await desk.refusal(f"{signed}.{signature}")).fault is Fault.ALGORITHM
    # an RSA key first in the set does not keep the ES256 key from verifying
    assert await desk.bearer(forger.sign())


async def test_the_kid_alone_chooses_the_key(clock, forger):
    other = Forger(kid="k2")
    desk = Desk(forger.config(keys=forger.jwks(other.jwk())), clock=clock)
    assert await desk.bearer(other.sign())
    error = await desk.refusal(other.sign(other.header(kid="k1")))
    assert error.fault is Fault.SIGNATURE


async def test_a_key_for_encryption_verifies_nothing(clock, forger):
    other = Forger(kid="k2")
    desk = Desk(forger.config(keys=forger.jwks(other.jwk(use="enc"))), clock=clock)
    assert (await desk.refusal(other.sign())).fault is Fault.KEY_UNKNOWN


@pytest.mark.parametrize("issuer", ["https://issuer.hr.test/", "https://other.test", "", None, 3])
async def test_another_issuer_is_refused(desk, forger, issuer):
    error = await desk.refusal(forger.sign(claims=forger.claims(iss=issuer)))
    assert error.fault is Fault.ISSUER


async def test_one_issuers_key_does_not_sign_for_another(clock, forger):
    bosnian = Forger(issuer="https://issuer.ba.test")
    desk = Desk(
        forger.config(),
        bosnian.config(countries=frozenset({"BA"}), organisations=frozenset({"BA-BP"})),
        clock=clock,
    )
    stolen = forger.claims(iss=bosnian.issuer, org="BA-BP", country="BA")
    assert (await desk.refusal(forger.sign(claims=stolen))).fault is Fault.SIGNATURE
    assert await desk.bearer(bosnian.sign(claims=bosnian.claims(org="BA-BP", country="BA")))


@pytest.mark.parametrize(
    "audience", ["https://elsewhere.test", [], [AUDIENCE + "/"], None, 7, ..., {AUDIENCE: 1}]
)
async def test_a_token_for_somebody_else_is_refused(desk, forger, audience):
    error = await desk.refusal(forger.sign(claims=forger.claims(aud=audience)))
    assert error.fault in {Fault.AUDIENCE, Fault.SIGNATURE}


@pytest.mark.parametrize(
    "changes",
    [{"org": "BA-BP"}, {"country": "BA"}, {"org": "BA-BP", "country": "BA"}, {"org": "HR-CP"}],
)
async def test_a_croatian_issuer_cannot_speak_for_others(desk, forger, changes):
    error = await desk.refusal(forger.sign(claims=forger.claims(**changes)))
    assert error.fault is Fault.ASSERTION


@pytest.mark.parametrize(
    "cnf",
    [
        ...,
        {},
        [],
        "x",
        None,
        {"jkt": 7},
        {"jkt": "short"},
        {"kid": "A" * 43},
        {"jkt": "A" * 43, "x5t#S256": "A" * 43},
        {"jkt": "A" * 43, "unknown": "A" * 43},
    ],
)
async def test_a_token_not_bound_to_its_sender_is_refused_where_binding_is_due(clock, forger, cnf):
    desk = Desk(forger.config(require_binding=True), clock=clock)
    error = await desk.refusal(forger.sign(claims=forger.claims(cnf=cnf)))
    assert error.fault is Fault.BINDING


@pytest.mark.parametrize("cnf", [{}, None, {"unknown": "A" * 43}])
async def test_a_confirmation_that_nobody_can_check_is_refused_even_in_development(
    desk, forger, cnf
):
    error = await desk.refusal(forger.sign(claims=forger.claims(cnf=cnf)))
    assert error.fault is Fault.BINDING


@pytest.mark.parametrize(
    ("authorization", "fault"),
    [
        (None, Fault.MISSING),
        ("", Fault.SCHEME),
        ("Basic abc", Fault.SCHEME),
        ("Bearer", Fault.MALFORMED),
        ("Bearer ", Fault.MALFORMED),
        ("Bearer  a.b.c", Fault.MALFORMED),
        ("Bearer é", Fault.MALFORMED),
        ("Bearer " + "x" * 9000, Fault.TOO_LONG),
    ],
)
async def test_an_authorization_header_of_another_form_is_refused(desk, authorization, fault):
    error = await refused(desk.verifier.verify(RequestProof(authorization, "POST", URL)))
    assert error.fault is fault
    assert error.status == 401


async def test_without_a_token_the_challenge_names_no_error(desk):
    error = await refused(desk.verifier.verify(RequestProof(None, "POST", URL)))
    assert error.headers == {"WWW-Authenticate": "Bearer"}


async def test_the_challenge_follows_the_scheme_that_was_used(desk):
    error = await refused(desk.verifier.verify(RequestProof("DPoP a.b.c", "POST", URL)))
    assert error.challenge == 'DPoP error="invalid_token", algs="ES256"'
    error = await desk.refusal("a.b.c")
    assert error.challenge == 'Bearer error="invalid_token"'


async def test_whatever_breaks_is_a_refusal(forger, clock):
    class Broken:
        generation = 0

        async def key(self, *_names):
            raise ZeroDivisionError("canary")

    desk = Desk(forger.config(), clock=clock, jwks=Broken())
    error = await desk.refusal(forger.sign())
    assert (error.fault, error.status, error.code) == (Fault.INTERNAL, 401, "invalid_token")
    assert "canary" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "change", [{"sub": "canary\n"}, {"exp": "canary"}, {"org": "canary"}, {"cnf": ["canary"]}]
)
async def test_a_refusal_says_nothing_of_the_token(desk, forger, change):
    claims = forger.claims(client_id="canary", **change)
    for token in (
        forger.sign(claims=claims),
        forger.sign(claims=as_json(claims) + b"canary"),
        forger.sign(forger.header(kid="canary"), claims),
        "canary." + forger.sign(claims=claims),
    ):
        error = await desk.refusal(token)
        told = "".join(traceback.format_exception(error)) + repr(error) + str(error.headers)
        assert "canary" not in told
        assert error.__context__ is None
        assert error.__cause__ is None
        places = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
        assert not any(place.endswith(("compact.py", "claims.py")) for place in places)


async def test_a_principal_keeps_the_officer_out_of_its_repr(desk, forger):
    principal = await desk.bearer(forger.sign(claims=forger.claims(sub="canary", jti="canary-2")))
    assert "canary" not in repr(principal)
    proof = RequestProof("Bearer canary", "GET", "https://canary.test", ("canary",), b"canary")
    assert "canary" not in repr(proof)


async def test_the_library_alone_would_have_let_these_pass(forger):
    """Why the wrapper exists; when this fails, the library has grown stricter."""
    options = {"verify_exp": False}
    for token in (
        forger.sign(forger.header(typ="JWT")),
        forger.sign(forger.header(crit=["unknown"])),
        forger.sign(claims=forger.claims(exp=..., aud=...)),
        forger.sign(claims=as_json(forger.claims())[:-1] + b',"org":"HR-AS"}'),
    ):
        assert jwt.decode(
            token, forger.jwk(), algorithms="ES256XX", audience=AUDIENCE, options=options
        )


def test_production_refuses_the_development_issuer(forger, clock):
    with pytest.raises(IdentityConfigError, match="development"):
        Desk(forger.config(is_development=True, require_binding=True), production=True)


def test_production_refuses_tokens_without_binding(forger, clock):
    with pytest.raises(IdentityConfigError, match="require_binding"):
        Desk(forger.config(require_binding=False), production=True)
    assert Desk(forger.config(require_binding=True), production=True)


def test_two_issuers_of_one_name_are_refused(forger):
    with pytest.raises(IdentityConfigError, match="share one name"):
        Desk(forger.config(), forger.config(countries=frozenset({"BA"})))


def test_token_errors_are_gateway_errors():
    from gateway.errors import GatewayError

    assert issubclass(TokenError, GatewayError)
    assert TokenVerifier.__doc__
