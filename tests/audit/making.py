# SPDX-License-Identifier: EUPL-1.2
"""What the tests of the log are made of: keys from fixed seeds, a clock to turn, entries."""

import asyncio
import contextlib
import hashlib
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit import (
    Envelope,
    Journal,
    Kind,
    LogKey,
    Operation,
    Owner,
    Pending,
    Requester,
    Sealer,
    Status,
    Verdict,
    encode_envelope,
    new_entry_id,
    verify_log,
)
from audit.ranges import indices_of
from audit.shards import parse_origin
from audit.state import unborn
from audit.store import Batch, create_store
from audit.verify.chain import UNOPENED

ORIGIN = "audit.example/BA/2026h2"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
VECTORS = Path(__file__).parent.parent / "vectors" / "log"
_numbers = itertools.count()


def seeded(text):
    return hashlib.sha256(text.encode()).digest()


def vectors(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


KEY = LogKey("audit.example/BA", Ed25519PrivateKey.from_private_bytes(seeded("log")))
SIGNER = KEY.signer(ORIGIN)
STRANGER_KEY = LogKey(KEY.name, Ed25519PrivateKey.from_private_bytes(seeded("stranger")))
STRANGER = STRANGER_KEY.signer(ORIGIN)
DPO_BA = X25519PrivateKey.from_private_bytes(seeded("dpo BA"))
DPO_HR = X25519PrivateKey.from_private_bytes(seeded("dpo HR"))
DPOS = {"BA": DPO_BA.public_key(), "HR": DPO_HR.public_key()}


class Clock:
    """A clock that stands until it is turned; each reading moves it by a microsecond."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        self.now += timedelta(microseconds=1)
        return self.now


def envelope(**changed):
    told = {
        "id": new_entry_id(NOON, next(_numbers).to_bytes(10, "big")),
        "kind": Kind.ACCESS,
        "t": NOON,
        "log": ORIGIN,
        "requester": Requester("HR", "HR-BP", "border_officer"),
        "owner": Owner("BA", "persons"),
        "op": Operation.CONSULT,
        "purpose": "border_check",
        "basis": "CIR-20",
        "decision": Verdict.ALLOW,
        "view": "full",
        "fields": ("biographic.sex", "direct_identifier.surnames"),
        "rules": ("BA-A03", "HR-Q03"),
        "policy": "a" * 64,
        "duties": ("notify_owner",),
        "count": 1,
        "status": Status.HIT,
        "correlation": "0d7b6d3e",
    }
    return Envelope(**{**told, **_of_kind(changed), **changed})


def _of_kind(changed):
    """What an erasure, or the end of a hold, must say to count."""
    kind = changed.get("kind")
    if kind not in ("erasure", "hold-lifted", "legal-hold"):
        return {}
    own = Owner(changed.get("log", ORIGIN).split("/")[-2], "log")
    said = {"owner": own, "op": Operation.ADMINISTER, "status": Status.DONE}
    if kind == "erasure":
        count = sum(1 for _ in indices_of(changed.get("about", ())))
        said |= {"op": Operation.ERASE, "basis": "GDP-ORDER", "count": count}
        said["requester"] = Requester(own.country, f"{own.country}-SA", None)
    return said


def plain(**changed):
    """An entry without a detail."""
    return Pending(encode_envelope(envelope(**changed)))


def sealed(sealer, detail=b"officer 17 asked about person 4711", to=("BA", "HR"), **changed):
    """An entry with a detail."""
    found = sealer.seal(detail, to)
    told = envelope(detail=found.commitment.hex(), keys=tuple(to), **changed)
    return Pending(encode_envelope(told), found)


def new_sealer():
    return Sealer(DPOS, Clock())


async def fill(log, count, batch=50):
    """Append plain entries in groups."""
    done = []
    for start in range(0, count, batch):
        done += await log.append([plain(count=n) for n in range(start, min(start + batch, count))])
    return done


def create_empty(url, origins=(ORIGIN,), key=KEY):
    """A store with logs without any entry, so that tests count from 0."""
    heads = [unborn(o, n, key_of(o, key).signer(o)).head for n, o in enumerate(origins)]
    asyncio.run(create_store(url, [Batch(None, head, (), ()) for head in heads]))


def key_of(origin, key=KEY):
    """The same private key under the country's name."""
    return LogKey(parse_origin(origin).key_name, key.private)


class OneLog:
    """One log with the journal around it, as most tests want it."""

    def __init__(self, journal, origin):
        self.journal = journal
        self._log = journal.log(origin)

    def __getattr__(self, name):
        return getattr(self._log, name)

    async def append(self, entries):
        return await self.journal.append(entries)

    async def erase_details(self, indices):
        return await self.journal.erase_details(self.origin, indices)

    @property
    def healthy(self):
        return self.journal.healthy

    @property
    def queue_depth(self):
        return self.journal.queue_depth


@contextlib.asynccontextmanager
async def opened(url, origin=ORIGIN, key=KEY, **options):
    """A log, closed at the end of the block."""
    options = {"clock": Clock(), **options}
    journal = await open_journal(url, origin, key, **options)
    try:
        yield OneLog(journal, origin)
    finally:
        await journal.close()


async def open_journal(url, origin=ORIGIN, key=KEY, **options):
    """A journal of one country."""
    country = parse_origin(origin).country
    return await Journal.open(url, keys={country: key_of(origin, key)}, **options)


async def until(condition):
    """Wait until something becomes true; the test's own time limit ends it otherwise."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.01)


def judged(url, **options):
    """What the verifier says; most logs of these tests lack an opening, so as to count from 0."""
    report = verify_log(str(url), vkey=SIGNER.vkey, origin=ORIGIN, **options)
    return replace(report, findings=tuple(f for f in report.findings if f.what != UNOPENED))


async def verified(url, **options):
    """The same, from a thread of its own."""
    return await asyncio.to_thread(judged, url, **options)
