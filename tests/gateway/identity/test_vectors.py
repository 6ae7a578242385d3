# SPDX-License-Identifier: EUPL-1.2
"""The vectors of docs/formats/tokens.md, and that the document lists every fault."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.identity import Fault, IssuerConfig
from tests.gateway.identity.forge import Desk

ROOT = Path(__file__).parents[3]
VECTORS = json.loads((ROOT / "tests/vectors/tokens/verify.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
async def test_each_vector_is_judged_as_written(case, clock):
    issuer = VECTORS["issuer"]
    config = IssuerConfig(
        issuer=issuer["iss"],
        jwks_url=None,
        audience=issuer["audience"],
        countries=frozenset(issuer["countries"]),
        organisations=frozenset(issuer["organisations"]),
        keys=json.dumps(issuer["jwks"]),
    )
    desk = Desk(config, clock=clock)
    clock.now = case["now"]
    der = bytes.fromhex(VECTORS["client_certificate_hex"])
    if case["fault"] is None:
        assert (await desk.bearer(case["token"], der)).binding == "mtls"
    else:
        assert (await desk.refusal(case["token"], der)).fault == case["fault"]


def test_the_document_names_every_fault():
    text = (ROOT / "docs/formats/tokens.md").read_text()
    assert [fault for fault in Fault if f"`{fault}`" not in text] == []
