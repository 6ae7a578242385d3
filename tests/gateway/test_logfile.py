# SPDX-License-Identifier: EUPL-1.2
"""Entries and receipts are read beside the gateway that writes them, from either store."""

import pytest

from audit import ProofError, verify_receipt
from gateway.logfile import read_entry, read_receipt
from tests.audit.conftest import log_database, place, postgres_place, sqlite_place
from tests.audit.making import ORIGIN, SIGNER, fill, opened

__all__ = ["log_database", "place", "postgres_place", "sqlite_place"]


async def test_an_entry_and_its_receipt_are_read_while_a_gateway_writes(place):
    async with opened(place.url) as log:
        positions = await fill(log, 300)
        for index in (0, 255, 256, 299):
            address = f"{ORIGIN}/{index}"
            assert (await read_entry(place.url, address)).index == index
            receipt = await read_receipt(place.url, address)
            leaf = positions[index].leaf_hash
            assert verify_receipt(receipt.encode(), leaf, SIGNER.verifier, ORIGIN)[0] == index
        await fill(log, 1)


async def test_what_no_log_holds_is_told_as_that(place):
    for address in (f"{ORIGIN}/0", "audit.example/HR/2026h2/0"):
        with pytest.raises(ProofError):
            await read_entry(place.url, address)
