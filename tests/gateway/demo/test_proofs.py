# SPDX-License-Identifier: EUPL-1.2
"""The demonstration claims nothing that does not come out: each proof that fails ends it."""

import asyncio

import pytest

from audit import Journal, verify_log
from audit.note import merge_lines, signature_lines
from audit.policyfile import parse_policy
from audit.store import Cosigned
from audit.trust import requires
from audit.witness import AddCheckpoint, Book
from gateway.demo.authorities import AUTHORITIES, policy_file, witness_folder
from gateway.demo.build import DemoError
from gateway.demo.proofs import LOG, Proofs
from gateway.demo.server import running
from gateway.demo.tamper import copy_log, read_entries, write_anew
from tests.audit.making import KEY, NOON, ORIGIN, SIGNER, fill, opened

ENTRY = f"{ORIGIN}/3"


class Counter:
    """Hands out receipts of the demonstration's log, as the gateway does."""

    def __init__(self, url):
        self._url = url

    def text(self, _person, path):
        async def ask():
            async with opened(self._url) as log:
                return await log.receipt(int(path.rpartition("/")[2]))

        return asyncio.run(ask())


@pytest.fixture
def proofs(demo):
    """Proofs about a log of ten entries that no witness has seen."""
    url = f"sqlite:///{demo.folder / LOG}"
    Journal.create(url, keys={"BA": KEY}, now=NOON)

    async def write():
        async with opened(url) as log:
            await fill(log, 10)

    asyncio.run(write())
    return Proofs(demo.folder, Counter(url), {"BA": KEY}, [].append, patience_s=0)


def witness(folder):
    """Let every authority cosign the log as it stands, and keep the checkpoint."""

    async def cosign():
        async with opened(f"sqlite:///{folder / LOG}") as log:
            note = await log.checkpoint()
            for country in AUTHORITIES:
                with witness_folder(folder, country).app(prefix="", tell=print) as app:
                    request = AddCheckpoint(0, (), (await log.checkpoint()).encode())
                    answer = app._witness.add_checkpoint(request.body)
                note = merge_lines(note, signature_lines(answer.body.encode()))
            await log.journal.save_cosigned(ORIGIN, Cosigned(log.size, note))

    asyncio.run(cosign())


def test_each_policy_asks_for_three_authorities_and_the_owners(demo):
    for owner in ("BA", "AL", "GATEWAY"):
        policy = parse_policy(policy_file(demo.folder, owner).read_bytes())
        assert requires(policy, 3, "witness.dpa.invalid/BA")


def test_a_receipt_that_no_quorum_cosigned_ends_the_story(proofs):
    with pytest.raises(DemoError, match="no quorum of witnesses cosigned"):
        proofs.receipt(ENTRY)


def test_a_published_log_without_witnesses_ends_the_story(proofs):
    with pytest.raises(DemoError, match="not whole: not witnessed enough"):
        proofs.published(ENTRY)


def test_a_changed_byte_in_a_published_log_is_found_where_it_is(proofs, demo):
    witness(demo.folder)
    proofs.published(ENTRY)
    told = "\n".join(proofs.say.__self__)
    assert f"{ENTRY} says count 0 instead of 2" in told
    assert "entry 3: " in told


def test_a_log_written_anew_looks_whole_and_fits_nothing_that_was_kept(proofs, demo, tmp_path):
    witness(demo.folder)
    kept = proofs.receipt(ENTRY)
    copy = tmp_path / "copy.sqlite"
    copy_log(demo.folder / LOG, copy)
    forged = write_anew(copy, ENTRY, SIGNER)
    assert verify_log(str(copy), vkey=SIGNER.vkey).ok
    assert not verify_log(str(copy), vkey=SIGNER.vkey, checkpoint=kept.checkpoint).ok
    (entry,) = read_entries(copy, [ENTRY])
    assert entry.envelope == forged.entry


def test_every_witness_refuses_the_log_written_anew(proofs, demo):
    witness(demo.folder)
    kept = proofs.receipt(ENTRY)
    with running(demo.folder, demo.parts, keep=False):
        proofs.operator(kept, ENTRY, demo.witnesses)
    assert "BA (422), HR (422), RS (422)" in "\n".join(proofs.say.__self__)


def test_a_witness_that_takes_the_log_written_anew_ends_the_story(proofs, demo):
    witness(demo.folder)
    kept = proofs.receipt(ENTRY)
    forgetful = witness_folder(demo.folder, "HR").memory
    forgetful.unlink()
    Book.create(forgetful)
    with (
        pytest.raises(DemoError, match="witness of HR answers a forgery with 200"),
        running(demo.folder, demo.parts, keep=False),
    ):
        proofs.operator(kept, ENTRY, demo.witnesses)
