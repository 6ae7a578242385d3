# SPDX-License-Identifier: EUPL-1.2
"""What a pseudonym costs: batches through one domain's cipher, beside keyed hashes in a loop.

Bare is one hash a row in a Python loop, which is what a keyed hash would cost at the very least.
Keys of a domain come from a vault; what that costs in this process stands beside it. A PKCS#11
token is measured where one is at hand (SoftHSM); its domain keys are derived in it, rows are not.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from anonymise import Domain
from anonymise.keyring import FileVault, Keyring, create_token
from anonymise.keyring.document import Work
from bench.figure import Figure, at_most, interleaved, turns

NAME = "pseudonyms"
ROWS = 20_000
PAGE = 50
MOST_US = 0.2
_DOMAINS = 500


def run() -> list[Figure]:
    """The figures."""
    return [*_rows(), *_domains()]


def _rows() -> list[Figure]:
    people = [os.urandom(16) for _ in range(ROWS)]
    keyring = Keyring.of({"BA": os.urandom(32)})
    domain = keyring.domain("BA", "UNHCR", "humanitarian_assistance", "2026q4")
    cipher, key = keyring.domain_cipher(domain), os.urandom(32)
    page = people[:PAGE]
    assert len(set(cipher.pseudonyms(people))) == ROWS
    jobs: dict[str, Callable[[], object]] = {
        "batch": lambda: cipher.pseudonyms(people),
        "pages": lambda: [cipher.pseudonyms(page) for _ in range(ROWS // PAGE)],
        "one": lambda: [cipher.pseudonym(person) for person in people],
        "hashlib": lambda: [hashlib.sha256(key + person).digest() for person in people],
        "hmac": lambda: [hmac.new(key, person, "sha256").digest() for person in people],
        "digest": lambda: [hmac.digest(key, person, "sha256") for person in people],
    }
    # All of them only compute, so the thread's own clock keeps out what else the machine does.
    measured = turns(
        jobs,
        rounds=15,
        repeats=dict.fromkeys(jobs, 1),
        clocks=dict.fromkeys(jobs, time.thread_time),
    )
    took = {name: median(times) for name, times in measured.items()}
    us = {name: seconds / ROWS * 1e6 for name, seconds in took.items()}
    return [
        at_most("pseudonym a row, one batch of 20,000", us["batch"], "us", MOST_US),
        at_most("pseudonym a row, pages of 50", us["pages"], "us", MOST_US),
        Figure("pseudonym, one by one", us["one"], "us"),
        Figure("bare: hashlib SHA-256 a row, loop", us["hashlib"], "us"),
        Figure("bare: hmac.new a row, loop", us["hmac"], "us"),
        Figure("bare: hmac.digest a row, loop", us["digest"], "us"),
        Figure("hashlib loop / batch", us["hashlib"] / us["batch"], "x"),
        Figure("hmac.new loop / batch", us["hmac"] / us["batch"], "x"),
    ]


def _domains() -> list[Figure]:
    """A new domain's keys: two derivations; later answers find the cipher in the keyring."""
    with tempfile.TemporaryDirectory() as folder:
        made = FileVault.create(
            Path(folder) / "keyset.json", secrets.token_hex(), ["BA"], work=Work(n=1 << 14)
        )
    figures = _derived("encrypted file", Keyring(made))
    token = _token()
    return figures if token is None else [*figures, *_derived("SoftHSM token", token)]


def _derived(name: str, keyring: Keyring) -> list[Figure]:
    domains = [Domain("BA", f"ORG-{n}", "tracing", "2026q4") for n in range(_DOMAINS)]

    def fresh() -> None:
        keyring._ciphers.clear()  # noqa: SLF001 - as for a domain that was not asked for lately
        for domain in domains:
            keyring.domain_cipher(domain)

    def again() -> None:
        for domain in domains:
            keyring.domain_cipher(domain)

    took = interleaved({"fresh": fresh, "again": again}, rounds=5, repeats=1)
    us = {which: seconds / _DOMAINS * 1e6 for which, seconds in took.items()}
    return [
        Figure(f"keys of a new domain, {name}", us["fresh"], "us"),
        Figure(f"keys of a known domain, {name}", us["again"], "us"),
    ]


def _token() -> Keyring | None:
    from tests.servers import softhsm

    try:
        return create_token(softhsm.module(), softhsm.fresh_token(), softhsm.PIN, ["BA"])
    except AssertionError:
        return None
