# SPDX-License-Identifier: EUPL-1.2
"""Sender-constrained tokens through the whole gateway: DPoP, and mTLS over a real TLS server."""

import asyncio
import json
import ssl

import httpx2
import pytest

from audit.checkpoint import open_checkpoint
from audit.merkle import Span, verify_consistency
from audit.note import NoteVerifier, strict_base64
from gateway.identity import DevIssuer, DpopKey, certificate_thumbprint
from tests.gateway import house as houses
from tests.gateway.test_pipeline import border
from tests.servers.certificates import Authority


@pytest.fixture
async def bound_house(house_folder):
    """A house whose issuer's tokens are taken only when bound to their sender."""
    text = (house_folder / "cuvar.toml").read_text(encoding="utf-8")
    text = text.replace("require_binding = false", "require_binding = true")
    (house_folder / "cuvar.toml").write_text(text, encoding="utf-8")
    async with houses.running(house_folder) as found:
        yield found


async def sent(house, token, *, scheme="DPoP", proof=None):
    headers = {"authorization": f"{scheme} {token}", "content-type": "application/json"}
    if proof is not None:
        headers["dpop"] = proof
    body = json.dumps(border()).encode()
    return await house.client.post("/v1/find", content=body, headers=headers)


async def test_a_dpop_token_is_good_only_with_a_fresh_proof_of_its_own_key(bound_house):
    house, key = bound_house, DpopKey.generate()
    await house.attest("presence", org="BA-BP")
    token = house.token("BA-BP", "border_officer", jkt=key.jkt)
    url = f"{houses.URL}/v1/find"
    proof = key.proof("POST", url, token)
    assert (await sent(house, token, proof=proof)).status_code == 200
    assert (await sent(house, token, proof=proof)).status_code == 401, "replayed"
    assert (await sent(house, token)).status_code == 401, "without proof"
    assert (await sent(house, token, scheme="Bearer")).status_code == 401, "as bearer"
    other = DpopKey.generate().proof("POST", url, token)
    assert (await sent(house, token, proof=other)).status_code == 401, "another key"
    elsewhere = key.proof("POST", f"{houses.URL}/v1/read", token)
    assert (await sent(house, token, proof=elsewhere)).status_code == 401, "another address"
    bare = house.token("BA-BP", "border_officer")
    assert (await sent(house, bare, scheme="Bearer")).status_code == 401, "unbound"


async def test_a_certificate_bound_token_over_tls_is_good_only_with_its_certificate(
    house_template, tmp_path, unused_tcp_port
):
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    folder, url = houses.serve_at(house_template, tmp_path / "tls", unused_tcp_port)
    server, mine, yours = authority.server(), authority.client("mine"), authority.client("yours")
    text = (folder / "cuvar.toml").read_text(encoding="utf-8")
    url = url.replace("http://127.0.0.1", "https://localhost")
    text = text.replace("require_binding = false", "require_binding = true")
    plain = f"http://127.0.0.1:{unused_tcp_port}"
    text = text.replace(f'public_url = "{plain}"', f'public_url = "{url}"')
    text = text.replace(
        "[policies]",
        f'[gateway.tls]\ncertificate = "{server.cert}"\nkey = "{server.key}"\n'
        f'client_ca = "{authority.ca}"\n[policies]',
        1,
    )
    (folder / "cuvar.toml").write_text(text, encoding="utf-8")
    issuer = DevIssuer(folder / "issuer", issuer=houses.ISSUER, audience=houses.AUDIENCE)
    token = issuer.issue(
        org="BA-BP",
        country="BA",
        roles=("border_officer",),
        officer="o",
        x5t=certificate_thumbprint(mine.der),
    )
    process = houses.start(folder)
    found = {}
    try:
        for name, certificate in (("mine", mine), ("yours", yours), ("none", None)):
            context = ssl.create_default_context(cafile=str(authority.ca))
            if certificate is not None:
                context.load_cert_chain(certificate.cert, certificate.key)
            async with httpx2.AsyncClient(base_url=url, verify=context, timeout=20) as client:
                for _ in range(400):
                    try:
                        await client.get("/healthz")
                        break
                    except httpx2.TransportError:
                        assert process.poll() is None, (folder / "stderr.log").read_text()
                        await asyncio.sleep(0.05)
                headers = {"authorization": f"Bearer {token}"}
                answer = await client.post("/v1/find", json=border(), headers=headers)
                found[name] = answer.status_code
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
    assert found == {"mine": 403, "yours": 401, "none": 401}  # 403: known, but nobody is present


async def test_two_checkpoints_and_a_proof_show_that_the_log_only_grew(house):
    token, origin = house.token("BA-BP", "border_officer"), house.log("BA").origin
    listed = (await house.get("/v1/logs", token=token)).json()["logs"]
    (vkey,) = [log["vkey"] for log in listed if log["log"] == origin]
    verifier, place, heads = NoteVerifier.parse(vkey), f"/v1/logs/{origin}", []
    for _ in range(2):
        for _ in range(3):
            await house.ask("find", border(), token=token)
        note = (await house.get(f"{place}/checkpoint", token=token)).content
        heads.append(open_checkpoint(note, verifier, origin))
    old, new = heads
    assert new.size == old.size + 3
    path = f"{place}/consistency/{old.size}/{new.size}"
    proof = (await house.get(path, token=token)).content.splitlines()
    hashes = [strict_base64(line) for line in proof]
    verify_consistency(Span(old.size, new.size), old.root, new.root, hashes)
    for bad in ("5/3", "0/999999", "x/3", "03/5"):
        answer = await house.get(f"{place}/consistency/{bad}", token=token)
        assert answer.status_code == 404
