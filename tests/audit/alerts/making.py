# SPDX-License-Identifier: EUPL-1.2
"""Accesses, made directly: what is not said is an honest look-up of an officer on duty."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit.alerts import Access, Context, Searched, Seed, View, scan
from audit.alerts.context import Duty, Person, Span
from audit.alerts.names import code, fold
from audit.vocabulary import Kind

LOG = "audit.example/BA/2026h2"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=5)
SEED = Seed(X25519PrivateKey.from_private_bytes(b"\x07" * 32))


def access(index=0, at=NOON, **more):
    subject = more.pop("officer", "officer-1")
    base = Access(
        index=index,
        leaf=hashlib.sha256(str(index).encode()).digest(),
        at=at,
        kind=Kind.ACCESS,
        question=f"question-{index}",
        org="BA-BP",
        role="border_officer",
        issuer="https://issuer.example",
        subject=subject,
        officer=subject,
        unit="unit-a",
        owner="BA",
        action="find",
        view="full",
        purpose="asylum_procedure",
        hit=False,
        refused=False,
        case_no="",
        searched=Searched(),
        persons=frozenset(),
        sure=frozenset(),
        seen=(),
    )
    return replace(base, **{k: frozenset(v) if k in _SETS else v for k, v in more.items()})


_SETS = {"persons", "sure"}


def searched(surnames="", forenames="", born="", document="", reference=""):
    return Searched(fold(surnames), fold(forenames), born, code(document), reference)


def person(owner="", reference="", **named):
    return Person(owner, reference, searched(**named))


def always(officer="", unit="", purpose=""):
    return Duty(officer, unit, purpose, Span(NOON - timedelta(days=90), NOON + timedelta(days=90)))


def during(officer, start, hours):
    return Duty(officer, "", "", Span(start, start + timedelta(hours=hours)))


def scanned(accesses, until=LATER, past=(), **context):
    return scan(View(LOG, list(accesses), Context(**context), until), SEED, past)


def raised(rule, accesses, until=LATER, **context):
    """The alerts of one rule."""
    return [a for a in scanned(accesses, until, **context).alerts if a.rule == rule]
