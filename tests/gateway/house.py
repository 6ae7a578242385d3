# SPDX-License-Identifier: EUPL-1.2
"""A whole gateway on small registers, with a client that asks over ASGI."""

import io
import json
import shutil
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx2

from anonymise.keyring.file_vault import FileVault
from audit import create_dpo_key, open_sealed, read_private_key
from audit.copies import origins
from audit.shards import parse_origin
from audit.verify import Job, verify_logs
from gateway.app import create_app
from gateway.commands.init import create_missing
from gateway.commands.token import STRONG
from gateway.facts import Attestation, Scope
from gateway.facts.attestation import attest
from gateway.identity import DevIssuer
from gateway.keyset import passphrase
from gateway.logkeys import read_log_keys
from gateway.opening import open_gateway, utc_now
from gateway.settings import load_settings
from gateway.store import Store
from policies import Truth
from tests.anonymise.backends import CHEAP
from tests.gateway.small import COUNTRIES, create_region

ISSUER, AUDIENCE = "https://development.invalid", "cuvar-test"
URL = "http://gateway.invalid"
REASON = "Test: a reason of more than thirty characters"


def settings_text(organisations):
    keys = "\n".join(f'{c} = "dpo/{c}.pub"' for c in COUNTRIES)
    courts = "\n".join(f'{c}-CT = "dpo/{c}-CT.pub"' for c in COUNTRIES)
    registers = "\n".join(
        f'[registers.{c}]\nurl = "sqlite:///region/registers/{c}.sqlite"\n'
        f'mapping = "region/mappings/{c}.yaml"\ntimeout_s = 5.0\n'
        for c in COUNTRIES
    )
    words = ", ".join(f'"{o}"' for o in sorted(organisations))
    countries = ", ".join(f'"{c}"' for c in (*COUNTRIES, "INT"))
    return f"""
[gateway]
mode = "development"
public_url = "{URL}"
[policies]
rules = "example"
mode = "development"
[log]
url = "sqlite:///log.sqlite"
origin = "test.invalid"
keys = "log-keys"
[log.dpo_keys]
{keys}
[log.court_keys]
{courts}
[keys]
keyset = "keyset.json"
passphrase = "only for the tests"
[state]
url = "sqlite:///state.sqlite"
[facts]
url = "sqlite:///facts.sqlite"
refresh_s = 3000.0
stale_after_s = 4000.0
{registers}
[limits]
officer_per_minute = 100000
organisation_per_minute = 100000
records_per_officer_per_hour = 1000000
looks_per_officer_per_hour = 1000000
[[issuers]]
issuer = "{ISSUER}"
jwks_file = "issuer/jwks.json"
audience = "{AUDIENCE}"
countries = [{countries}]
organisations = [{words}]
require_binding = false
strong_acr = ["{STRONG}"]
development = true
"""


def today():
    return datetime.now(UTC).date()


def prepare(folder, organisations):
    """A folder with everything that a gateway keeps; made once and copied for each test."""
    create_region(folder / "region")
    for country in COUNTRIES:
        for name in (country, f"{country}-CT"):
            create_dpo_key(folder / f"dpo/{name}.key", folder / f"dpo/{name}.pub", name)
    issuer = DevIssuer(folder / "issuer", issuer=ISSUER, audience=AUDIENCE)
    (folder / "issuer/jwks.json").write_text(issuer.jwks(), encoding="utf-8")
    (folder / "cuvar.toml").write_text(settings_text(organisations), encoding="utf-8")
    settings = load_settings(folder / "cuvar.toml")
    # Sealed cheaply: each test opens it, and what a dear one costs is for tests of the keyset.
    FileVault.create(
        folder / "keyset.json", passphrase(settings), sorted(settings.registers), work=CHEAP
    ).close()
    create_missing(settings)


def copy(template, folder):
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return folder


def serve_at(template, folder, port):
    """A copy of the house whose settings listen on a port; gives folder and address."""
    copy(template, folder)
    url = f"http://127.0.0.1:{port}"
    text = (folder / "cuvar.toml").read_text(encoding="utf-8")
    text = text.replace(f'public_url = "{URL}"', f'public_url = "{url}"\nport = {port}')
    (folder / "cuvar.toml").write_text(text, encoding="utf-8")
    return folder, url


def start(folder):
    """The gateway as a process of its own."""
    with (folder / "stderr.log").open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--config", str(folder / "cuvar.toml")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )


def _attested(fact, truth, *, by_unit="", minutes=60, uses=None, unused=None, **scope):
    now = datetime.now(UTC)
    start, end = now - timedelta(minutes=1), now + timedelta(minutes=minutes)
    return Attestation(fact, truth, Scope(**scope), start, end, "test", by_unit, uses, unused)


class House:
    """A running gateway; `ask` sends one question as somebody."""

    def __init__(self, folder, runtime, client, output):
        self.folder, self.runtime, self.client, self.output = folder, runtime, client, output
        self.issuer = DevIssuer(folder / "issuer", issuer=ISSUER, audience=AUDIENCE)

    def register(self, country):
        return self.folder / f"region/registers/{country}.sqlite"

    def token(self, org, role, *, country=None, officer="officer-1", strong=False, **more):
        return self.issuer.issue(
            org=org,
            country=country or org.partition("-")[0],
            roles=(role,),
            officer=officer,
            acr=STRONG if strong else None,
            auth_time=int(time.time()) if strong else None,
            **more,
        )

    async def ask(self, action, question, *, token):
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        return await self.client.post(f"/v1/{action}", content=body, headers=headers)

    async def attest(self, fact, truth=Truth.TRUE, **more):
        await self.attest_all([(fact, truth, more)])

    async def attest_all(self, facts):
        """Several at once: the register is read again but once."""
        store = Store(f"sqlite:///{self.folder}/facts.sqlite", name="facts")
        await attest(store, [_attested(fact, truth, **more) for fact, truth, more in facts])
        await store.close()
        await self.runtime.facts.refresh()

    def log(self, country="BA"):
        """The open log of a country."""
        journal = self.runtime.log
        return journal.log(journal.current(country))

    def sizes(self):
        """Entries of every open log, by country."""
        return {country: self.log(country).size for country in sorted(self.runtime.log.countries)}

    async def stored(self, country="BA"):
        log = self.log(country)
        return await log.read(0, log.size)

    async def entries(self, country="BA"):
        """What everybody entitled to a country's log may read in it, oldest first."""
        return [json.loads(entry.envelope) for entry in await self.stored(country)]

    async def newest(self, country="BA", key=None):
        """The newest entry of a country's log: its envelope, and its detail opened with `key`."""
        entry = (await self.stored(country))[-1]
        return json.loads(entry.envelope), self.opened(entry, key or country)

    def opened(self, entry, key):
        """What an officer, court or supervisor with this key reads of an entry; None if nothing."""
        private = read_private_key(self.folder / f"dpo/{key}.key")
        return json.loads(open_sealed(entry.sealed, private)) if entry.sealed else None

    async def everything(self):
        """The entries of all logs."""
        return [entry for country in self.sizes() for entry in await self.entries(country)]

    async def ready(self):
        """Readiness, apart from the witnesses that a house of the tests mostly lacks."""
        told = (await self.client.get("/readyz")).json()
        told["degraded"] = [name for name in told["degraded"] if name != "witnesses"]
        if told["status"] == "degraded" and not told["degraded"]:
            told["status"] = "ready"
        return told

    async def get(self, path, *, token):
        return await self.client.get(path, headers={"authorization": f"Bearer {token}"})


def reports(folder):
    """What the verifier says of every log that this gateway keeps, by country."""
    settings = load_settings(folder / "cuvar.toml")
    url, keys = settings.log.url.get_secret_value(), read_log_keys(settings)
    jobs = [
        Job(url, keys[parse_origin(origin).country].signer(origin).vkey, origin)
        for origin in origins(url)
    ]
    return {
        parse_origin(job.origin).country: report
        for job, report in zip(jobs, verify_logs(jobs), strict=True)
    }


@asynccontextmanager
async def running(folder, clock=utc_now):
    output = io.BytesIO()
    settings = load_settings(folder / "cuvar.toml")
    runtime = await open_gateway(settings, output, clock)
    app = create_app(runtime)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        runtime.running(),
        httpx2.AsyncClient(transport=transport, base_url=URL) as client,
    ):
        yield House(folder, runtime, client, output)
