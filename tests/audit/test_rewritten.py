# SPDX-License-Identifier: EUPL-1.2
"""Logs written anew by somebody with every right but a witness: found all the same."""

import asyncio
import shutil
from datetime import timedelta

import pytest

from tests.audit.making import (
    NOON,
    ORIGIN,
    SIGNER,
    STRANGER,
    Clock,
    opened,
    plain,
)
from tests.audit.tampering import edited, entries, rewrite, verify

REWRITES = {
    "edit": lambda found: [*found[:5], edited(found[5]), *found[6:]],
    "drop": lambda found: [*found[:5], *found[6:]],
    "drop the first": lambda found: found[1:],
    "truncate": lambda found: found[:599],
    "reorder": lambda found: [found[1], found[0], *found[2:]],
    "insert": lambda found: [*found[:5], found[5], *found[5:]],
    "replace the tail": lambda found: [*found[:-1], edited(found[-2])],
    "empty": lambda _found: [],
}


@pytest.mark.parametrize("name", REWRITES)
def test_a_log_with_everything_recomputed_but_not_signed_is_found(copy, name):
    rewrite(copy, REWRITES[name](entries(copy)))
    report = verify(copy)
    assert any("signed checkpoint is over 600" in f.what for f in report.findings)


@pytest.mark.parametrize("name", REWRITES)
def test_a_log_signed_by_another_key_is_found(copy, name):
    rewrite(copy, REWRITES[name](entries(copy)), STRANGER)
    assert any("no known key" in f.what for f in verify(copy).findings)


@pytest.mark.parametrize("name", REWRITES)
def test_a_log_rewritten_by_the_holder_of_its_key_is_found_with_an_old_checkpoint(
    master, copy, name
):
    rewrite(copy, REWRITES[name](entries(copy)), SIGNER)
    report = verify(copy, checkpoint=master[1][-1])
    assert not report.ok
    assert any("earlier checkpoint" in f.what for f in report.findings)


def test_an_old_copy_looks_whole_and_an_old_checkpoint_finds_it(master, copy, tmp_path):
    shutil.copy(copy, tmp_path / "yesterday.db")

    async def go_on():
        async with opened(f"sqlite:///{copy}", clock=Clock(NOON + timedelta(hours=1))) as log:
            await log.append([plain()])
            return await log.checkpoint()

    today = asyncio.run(go_on())
    assert verify(tmp_path / "yesterday.db").ok
    report = verify(tmp_path / "yesterday.db", checkpoint=today)
    assert [f.what[:58] for f in report.findings] == [
        "the log has 600 entries, the earlier checkpoint 601: entri"
    ]
    assert verify(copy, checkpoint=master[1][0]).ok


def test_an_entry_of_another_log_is_named(copy):
    found = entries(copy)
    found[5] = found[5].replace(ORIGIN.encode(), b"audit.example/HR/2026h2")
    rewrite(copy, found, SIGNER)
    report = verify(copy)
    assert [(f.index, f.what) for f in report.findings] == [
        (5, "the entry belongs to the log audit.example/HR/2026h2")
    ]
