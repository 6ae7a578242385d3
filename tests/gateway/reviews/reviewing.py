# SPDX-License-Identifier: EUPL-1.2
"""Steps of a review against a running house, and what the log holds of them."""

import json

from audit import Sealed, open_sealed, parse_envelope, read_private_key
from audit.alerts import STEPS, Queue, Step
from audit.ranges import ranges_of
from gateway.identity.request import request_proof
from tests.gateway.house import ISSUER, REASON
from tests.gateway.small import CANARY_NAME

OFFICER = "officer-zvonimir"
TEXT = "Canarytext: why was the file of Zvončićanary opened?"
LOOK = {
    "dataset": "persons",
    "owners": ["BA"],
    "categories": ["direct_identifier"],
    "view": "full",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": REASON,
    "case_no": "CASECANARY-7",
    "subject": {"surnames": CANARY_NAME, "forenames": "Amir", "date_of_birth": "1985-04-03"},
}


def dpo(house, country="BA", **more):
    told = {"strong": True, "officer": f"dpo-{country}", **more}
    return house.token(f"{country}-DO", "dpo", **told)


def officer(house, name=OFFICER, **more):
    return house.token("BA-BP", "border_officer", officer=name, **more)


async def looked_up(house, times=1):
    """Look-ups by the officer; the entries' numbers in the log of BA."""
    await house.attest("presence", org="BA-BP")
    found = []
    for _ in range(times):
        answer = await house.ask("find", LOOK, token=officer(house))
        assert answer.status_code == 200, answer.text
        entry = answer.headers["audit-entry"].split(",")[0].strip()
        found.append(int(entry.rpartition("/")[2]))
    return found


def current(house, country="BA"):
    return house.runtime.log.current(country)


async def post(house, step, body, *, token):
    return await house.ask(f"reviews/{step}", body, token=token)


async def mine(house, *, token):
    headers = {"authorization": f"Bearer {token}"}
    return await house.client.get("/v1/reviews/mine", headers=headers)


def alert_body(house, about, **more):
    base = {
        "log": current(house),
        "about": list(ranges_of(about)),
        "rule": "protected",
        "officer": {"issuer": ISSUER, "officer": OFFICER},
        "unit": "unit-a",
        "score": 90,
        "text": TEXT,
    }
    return {**base, **more}


async def raised(house, about=None, **more):
    """The id of a fresh alert."""
    about = await looked_up(house) if about is None else about
    answer = await post(house, "alert", alert_body(house, about, **more), token=dpo(house))
    assert answer.status_code == 200, answer.text
    return answer.json()["alert"]


def asking(alert, **more):
    return {
        "alert": alert,
        "officer": {"issuer": ISSUER, "officer": OFFICER},
        "text": TEXT,
        **more,
    }


def closing(alert, outcome="justified", **more):
    return {"alert": alert, "outcome": outcome, "text": TEXT, **more}


async def asked(house, alert):
    answer = await post(house, "question", asking(alert), token=dpo(house))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def stored(house, country="BA"):
    log = house.runtime.log.log(current(house, country))
    found = []
    for start in range(0, log.size, 1000):
        found += await log.read(start, min(start + 1000, log.size))
    return found


async def steps(house, country="BA", key=None):
    """The entries of steps, opened with a country's key."""
    found = []
    for entry in await stored(house, country):
        envelope = parse_envelope(entry.envelope)
        if envelope.kind in STEPS:
            detail = None if key is None else opened(house, entry.sealed, key)
            found.append(Step(entry.index, envelope, detail))
    return found


def opened(house, sealed: Sealed, key):
    return json.loads(open_sealed(sealed, read_private_key(house.folder / f"dpo/{key}.key")))


async def rebuilt(house, key=None):
    """The queue out of the log alone."""
    queue = Queue()
    for step in await steps(house, key=key):
        queue.take(step)
    return queue


async def last_entry(house, country="BA"):
    return parse_envelope((await stored(house, country))[-1].envelope)


async def verified(house, authorization):
    """The principal behind a token, as the running gateway takes him."""
    runtime = house.runtime
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/reviews/alert",
        "query_string": b"",
        "headers": [(b"authorization", authorization.encode())],
        "client": ("127.0.0.1", 1),
    }
    proof = request_proof(scope, origin=runtime.public_url, proxy=runtime.proxy)
    return await runtime.verifier.verify(proof)
