# SPDX-License-Identifier: EUPL-1.2
"""Tokens of a real timestamping authority (`openssl ts`), fetched by HTTP, verified offline."""

import asyncio
import re
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from audit import Kind, parse_envelope
from audit.errors import TimestampError
from audit.timestamps import QUERY_TYPE, REPLY_TYPE, timestamp_query, verify_timestamp
from gateway.timestamping import Authority, AuthorityError, ask, stamp_logs
from tests.audit.making import ORIGIN, Clock, create_empty, open_journal, plain, until
from tests.gateway import house as houses

PAGE = Path(__file__).parents[2] / "docs/verify.md"
OPENSSL = shutil.which("openssl") or ""
NOTE = b"audit.example/x\n1\nAAAA\n\n\xe2\x80\x94 k AAAA\n"
CONFIG = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[leaf]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[tsa]
default_tsa = one
[one]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""


def openssl(folder, *words, given=None):
    done = subprocess.run(
        [OPENSSL, *words], cwd=folder, input=given, capture_output=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="session")
def tsa(tmp_path_factory):
    """A folder in which `openssl ts` is an authority with a root of its own."""
    assert OPENSSL, "install it: apt-get install openssl"
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "config").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    new = ("req", "-new", "-newkey", "rsa:2048", "-nodes", "-config", "config")
    openssl(
        folder,
        *(*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test root"),
        *("-extensions", "ca", "-days", "3650"),
    )
    openssl(folder, *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=test authority")
    openssl(
        folder,
        *("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "3650"),
        *("-CAcreateserial", "-extfile", "config", "-extensions", "leaf", "-out", "tsa.pem"),
    )
    return folder


def reply(folder, query):
    (folder / "query.tsq").write_bytes(query)
    openssl(
        folder,
        *("ts", "-reply", "-config", "config", "-section", "one"),
        *("-queryfile", "query.tsq", "-out", "reply.tsr"),
    )
    return (folder / "reply.tsr").read_bytes()


@pytest.fixture
def token(tsa):
    return reply(tsa, timestamp_query(NOTE).data)


@asynccontextmanager
async def serving(folder, *, spoil=False, status=200):
    asked = []

    async def answer(request):
        asked.append(request.content_type)
        body = reply(folder, timestamp_query(NOTE).data if spoil else await request.read())
        return web.Response(body=body, content_type=REPLY_TYPE, status=status)

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            yield session, f"http://127.0.0.1:{port}/", asked
    finally:
        await runner.cleanup()


def test_a_token_verifies_offline_and_openssl_agrees(tsa, token):
    when = verify_timestamp(token, NOTE, (tsa / "ca.pem").read_bytes())
    assert when.tzinfo is not None
    (tsa / "note").write_bytes(NOTE)
    (tsa / "token").write_bytes(token)
    told = openssl(tsa, "ts", "-verify", "-in", "token", "-data", "note", "-CAfile", "ca.pem")
    assert b"OK" in told


def test_a_token_is_of_one_checkpoint_and_one_authority(tsa, token, tmp_path):
    roots = (tsa / "ca.pem").read_bytes()
    with pytest.raises(TimestampError):
        verify_timestamp(token, NOTE + b"x", roots)
    with pytest.raises(TimestampError):
        verify_timestamp(token, NOTE, roots, nonce=1)
    openssl(
        tmp_path,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "other.pem"),
        *("-subj", "/CN=other", "-days", "10"),
    )
    with pytest.raises(TimestampError):
        verify_timestamp(token, NOTE, (tmp_path / "other.pem").read_bytes())
    with pytest.raises(TimestampError):
        verify_timestamp(token, NOTE, b"no certificate")


def test_no_changed_byte_of_a_token_passes_unseen(tsa, token):
    roots = (tsa / "ca.pem").read_bytes()
    when = verify_timestamp(token, NOTE, roots)
    for at in range(0, len(token), 41):
        changed = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        try:
            assert verify_timestamp(changed, NOTE, roots) == when  # a byte that nobody signs
        except TimestampError:
            continue
    with pytest.raises(TimestampError):
        verify_timestamp(token[:-1], NOTE, roots)


async def test_each_open_log_gets_one_token_a_day_and_an_entry(tsa, tmp_path):
    url = str(tmp_path / "log.db")
    await asyncio.to_thread(create_empty, url)
    journal = await open_journal(url)
    clock = Clock()
    try:
        await journal.append([plain()])
        async with serving(tsa) as (session, address, asked):
            authority = Authority(address, (tsa / "ca.pem").read_bytes(), tmp_path / "timestamps")
            assert await stamp_logs(journal, session, authority, clock) == [ORIGIN]
            assert await stamp_logs(journal, session, authority, clock) == []
        assert asked == [QUERY_TYPE]
        (entry,) = await journal.log(ORIGIN).read(1, 2)
    finally:
        await journal.close()
    envelope = parse_envelope(entry.envelope)
    assert (envelope.kind, envelope.link.size) == (Kind.TIMESTAMP, 1)
    place = authority.place(ORIGIN, "2026-11-24", "tsr")
    note = place.with_suffix(".checkpoint").read_bytes()
    assert verify_timestamp(place.read_bytes(), note, authority.roots)
    (shown,) = re.findall(r"^    (openssl ts .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    command = shown.replace("DAY", "2026-11-24").replace("ca.pem", str(tsa / "ca.pem")).split()
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=place.parent, check=True, capture_output=True
    )
    assert b"Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("how", "error"), [({"spoil": True}, TimestampError), ({"status": 500}, AuthorityError)]
)
async def test_an_answer_that_is_not_ours_is_no_token(tsa, tmp_path, how, error):
    async with serving(tsa, **how) as (session, address, _):
        authority = Authority(address, (tsa / "ca.pem").read_bytes(), tmp_path)
        with pytest.raises(error):
            await ask(session, authority, NOTE)


async def test_an_authority_that_is_down_is_told_so(tsa, tmp_path):
    async with aiohttp.ClientSession() as session:
        authority = Authority("http://127.0.0.1:9/", (tsa / "ca.pem").read_bytes(), tmp_path)
        with pytest.raises(AuthorityError, match="does not answer"):
            await ask(session, authority, NOTE)


async def test_a_running_gateway_fetches_them_and_one_that_cannot_says_so(house_folder, tsa):
    async with serving(tsa) as (_, address, asked):
        shutil.copy(tsa / "ca.pem", house_folder / "tsa.pem")
        with (house_folder / "cuvar.toml").open("a", encoding="utf-8") as settings:
            settings.write(
                f'[log.timestamps]\nurl = "{address}"\nroots = "tsa.pem"\nfolder = "tokens"\n'
            )
        async with houses.running(house_folder) as house:
            logs = len(house.runtime.log.countries)
            await until(lambda: len(asked) == logs)
            await until(lambda: house.output.getvalue().count(b"log.timestamped") == logs)
            kinds = [entry["kind"] for entry in await house.entries("BA")]
            assert kinds.count("timestamp") == 1
        assert len(list((house_folder / "tokens").rglob("*.tsr"))) == logs
        (house_folder / "tsa.pem").unlink()
        async with houses.running(house_folder) as house:
            await until(lambda: b"log.not_timestamped" in house.output.getvalue())
