# SPDX-License-Identifier: EUPL-1.2
"""The OpenAPI document describes every answer: schemathesis asks the running gateway."""

import subprocess
import sys
import time

import httpx2
import pytest

from gateway.commands.token import STRONG
from gateway.identity import DevIssuer
from gateway.openapi import API_WORDS
from tests.gateway import house as houses

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="session")
def served_api(house_template, tmp_path_factory, unused_tcp_port_factory):
    folder, url = houses.serve_at(
        house_template, tmp_path_factory.mktemp("api"), unused_tcp_port_factory()
    )
    process = houses.start(folder)
    for _ in range(600):
        try:
            httpx2.get(f"{url}/readyz")
            break
        except httpx2.TransportError:
            assert process.poll() is None, (folder / "stderr.log").read_text()
            time.sleep(0.05)
    issuer = DevIssuer(folder / "issuer", issuer=houses.ISSUER, audience=houses.AUDIENCE)
    yield url, issuer
    process.terminate()
    process.wait()


@pytest.mark.long
@pytest.mark.parametrize(
    ("org", "role", "only"),
    [("BA-BP", "border_officer", ()), ("BA-DO", "dpo", ("--include-path-regex", "^/v1/policy"))],
)
def test_no_question_gives_a_500_or_an_undocumented_answer(served_api, org, role, only):
    url, issuer = served_api
    token = issuer.issue(
        org=org,
        country="BA",
        roles=(role,),
        officer="o",
        life_s=600,
        acr=STRONG,
        auth_time=int(time.time()),
    )
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--checks", ",".join(CHECKS), "--max-examples", "15", "--no-color"),
        *("--phases", "examples,coverage,fuzzing", "--generation-database", "none"),
        *only,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_words_of_the_api_are_those_of_its_models():
    assert {"owners", "purpose", "subject", "surnames", "reference"} <= API_WORDS
