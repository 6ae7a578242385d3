# SPDX-License-Identifier: EUPL-1.2
"""The client's certificate over real TLS through uvicorn, and from a trusted proxy's header."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
from ipaddress import ip_network
from urllib.parse import quote_from_bytes

import aiohttp
import pytest
import uvicorn

from gateway.identity import (
    ClientCertificateProtocol,
    Fault,
    TokenError,
    TrustedProxy,
    certificate_thumbprint,
    request_proof,
)
from gateway.identity.mtls import EXTENSION, client_certificate
from tests.gateway.identity.forge import Desk, refused

PROXY = TrustedProxy((ip_network("10.0.0.0/8"),))
NEAR, FAR = ("10.1.2.3", 40_000), ("192.0.2.1", 40_000)


def header(der):
    return b":" + base64.b64encode(der) + b":"


@contextlib.asynccontextmanager
async def serving(app, authority, *, tls=True):
    """A real uvicorn on loopback that asks for, and does not insist on, a client certificate."""
    options = {}
    if tls:
        certificate = authority.server()
        options = {
            "ssl_certfile": certificate.cert,
            "ssl_keyfile": certificate.key,
            "ssl_ca_certs": authority.ca,
            "ssl_cert_reqs": ssl.CERT_OPTIONAL,
        }
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=ClientCertificateProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        **options,
    )
    server = uvicorn.Server(config)
    # serve() would take the process's signal handlers; the tests' runner keeps them
    task = asyncio.create_task(server._serve())
    while not server.started:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://localhost:{port}"
    finally:
        server.should_exit = True
        await task


async def show_thumbprint(scope, _receive, send):
    der = scope.get("extensions", {}).get(EXTENSION)
    body = json.dumps(certificate_thumbprint(der) if der else None).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def client(authority, certificate=None):
    context = ssl.create_default_context(cafile=str(authority.ca))
    if certificate is not None:
        context.load_cert_chain(certificate.cert, certificate.key)
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def get(session, url):
    async with session.get(url) as answer:
        return json.loads(await answer.read())


async def test_uvicorn_hands_over_the_clients_certificate(authority):
    certificate = authority.client("one.test")
    async with serving(show_thumbprint, authority) as url:
        async with client(authority, certificate) as session:
            expected = certificate_thumbprint(certificate.der)
            # the second question uses the same connection
            assert [await get(session, url) for _ in range(2)] == [expected] * 2
        async with client(authority) as session:
            assert await get(session, url) is None


async def test_two_connections_keep_their_certificates_apart(authority):
    one, two = authority.client("one.test"), authority.client("two.test")
    async with (
        serving(show_thumbprint, authority) as url,
        client(authority, one) as first,
        client(authority, two) as second,
    ):
        found = [await get(session, url) for session in (first, second, first)]
    assert found == [certificate_thumbprint(c.der) for c in (one, two, one)]


async def test_a_certificate_of_another_authority_is_refused_in_the_handshake(
    authority, tmp_path_factory
):
    from tests.servers.certificates import Authority

    stranger = Authority(tmp_path_factory.mktemp("stranger")).client("one.test")
    async with (
        serving(show_thumbprint, authority) as url,
        client(authority, stranger) as session,
    ):
        with pytest.raises(aiohttp.ClientError):
            await get(session, url)


async def test_without_tls_there_is_no_certificate(authority):
    async with serving(show_thumbprint, authority, tls=False) as url, client(authority) as session:
        assert await get(session, url) is None


async def test_a_bound_token_works_only_over_its_own_connection(authority, forger, clock):
    desk = Desk(forger.config(require_binding=True), clock=clock)
    mine, yours = authority.client("mine.test"), authority.client("yours.test")
    cnf = {"x5t#S256": certificate_thumbprint(mine.der)}
    token = forger.sign(claims=forger.claims(cnf=cnf))

    async def app(scope, _receive, send):
        try:
            proof = request_proof(scope, origin="https://cuvar.test")
            answer = {"org": (await desk.verifier.verify(proof)).org}
        except TokenError as error:
            answer = {"fault": error.fault}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async with serving(app, authority) as url:
        found = []
        for certificate in (mine, yours, None):
            async with client(authority, certificate) as session:
                session.headers["Authorization"] = f"Bearer {token}"
                found.append(await get(session, url))
    assert found == [{"org": "HR-BP"}, {"fault": "certificate"}, {"fault": "certificate"}]


async def test_a_bound_token_without_a_certificate_is_refused(forger, clock):
    desk = Desk(forger.config(require_binding=True), clock=clock)
    cnf = {"x5t#S256": certificate_thumbprint(b"mine")}
    token = forger.sign(claims=forger.claims(cnf=cnf))
    for der in (None, b"", b"yours"):
        assert (await refused(desk.bearer(token, der))).fault is Fault.CERTIFICATE
    assert (await desk.bearer(token, b"mine")).binding == "mtls"


def test_the_header_is_believed_only_from_the_proxy():
    assert client_certificate(None, [header(b"der")], NEAR, PROXY) == b"der"
    assert client_certificate(None, [header(b"der")], FAR, PROXY) is None
    assert client_certificate(b"own", [header(b"der")], FAR, PROXY) == b"own"
    assert client_certificate(None, [header(b"der")], None, PROXY) is None
    assert client_certificate(None, [header(b"der")], ("unix", 0), PROXY) is None
    assert client_certificate(b"own", [header(b"der")], NEAR, None) == b"own"


def test_the_proxys_own_certificate_is_never_the_clients():
    assert client_certificate(b"proxy", [], NEAR, PROXY) is None


def test_a_proxy_with_a_pinned_certificate_must_show_it():
    pinned = TrustedProxy(PROXY.networks, certificate_thumbprint(b"proxy"))
    assert client_certificate(b"proxy", [header(b"der")], NEAR, pinned) == b"der"
    assert client_certificate(b"other", [header(b"der")], NEAR, pinned) == b"other"
    assert client_certificate(None, [header(b"der")], NEAR, pinned) is None
    assert client_certificate(b"proxy", [header(b"der")], FAR, pinned) == b"proxy"


@pytest.mark.parametrize(
    "values",
    [
        [header(b"der"), header(b"der")],
        [b""],
        [b"::"],
        [b":"],
        [b"ZGVy"],
        [b":ZGVy"],
        [b":ZGV:"],
        [b":ZGVy===:"],
        [b":ZG Vy:"],
        [b":ZGVz=:"],
        [b":ZGX=:"],
        [b":\xff:"],
        [header(b"x" * 20_000)],
        [b"-----BEGIN CERTIFICATE-----%0Aabc"],
    ],
)
def test_a_broken_header_from_the_proxy_is_refused(values):
    with pytest.raises(TokenError) as caught:
        client_certificate(None, values, NEAR, PROXY)
    assert caught.value.fault is Fault.CERTIFICATE


def test_percent_encoded_pem_from_the_proxy_is_read(authority):
    certificate = authority.client("one.test")
    value = quote_from_bytes(certificate.cert.read_bytes(), safe="").encode()
    assert client_certificate(None, [value], NEAR, PROXY) == certificate.der
