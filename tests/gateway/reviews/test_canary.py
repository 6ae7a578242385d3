# SPDX-License-Identifier: EUPL-1.2
"""No officer, person, case number or text of a review stands anywhere but where it is sealed."""

import json

import pytest

from gateway.reviews.calls import CALLS
from gateway.reviews.secrecy import Secrecy, SecrecyError
from tests.gateway.house import ISSUER
from tests.gateway.reviews.reviewing import (
    OFFICER,
    TEXT,
    alert_body,
    asked,
    closing,
    dpo,
    mine,
    officer,
    post,
    raised,
    steps,
    stored,
)

CANARIES = (OFFICER, "dpo-BA", "Canarytext", "Zvončićanary", "CASECANARY", "Answercanary")


def holds(text):
    return [canary for canary in CANARIES if canary.lower() in text.lower()]


def everywhere(house):
    """Every file of the house but the registers, which are the countries' own."""
    for file in house.folder.rglob("*"):
        if file.is_file() and "region" not in file.parts:
            yield file.name, file.read_bytes().decode("latin-1")


async def test_at_no_step_does_a_file_a_log_line_or_a_metric_name_anybody(house):
    alert = await raised(house)
    await asked(house, alert)
    shown = await mine(house, token=officer(house))
    assert shown.json()["questions"][0]["question"] == TEXT
    for state in ("asked", "answered", "closed"):
        if state == "answered":
            body = {"alert": alert, "text": "Answercanary: a search for a lost child"}
            assert (await post(house, "answer", body, token=officer(house))).status_code == 200
        if state == "closed":
            told = await post(house, "close", closing(alert, "unjustified"), token=dpo(house))
            assert told.status_code == 200
        for name, content in everywhere(house):
            assert not holds(content), (state, name)
        for entry in await stored(house):
            assert not holds(entry.envelope.decode())
    assert not holds(house.output.getvalue().decode())
    assert not holds((await house.client.get("/metrics")).text)
    envelopes = [step.envelope for step in await steps(house)]
    assert all(e.purpose is None and e.fields == () and e.rules == () for e in envelopes)
    sealed = [step.detail["step"] for step in await steps(house, key="BA")]
    assert holds(json.dumps(sealed))


async def test_once_closed_nobody_is_kept_in_the_state(house):
    alert = await raised(house)
    await asked(house, alert)
    kept = await house.runtime.reviews.queue.kept(alert)
    assert len(kept.officer) == 32
    assert kept.question
    await post(house, "close", closing(alert), token=dpo(house))
    kept = await house.runtime.reviews.queue.kept(alert)
    assert kept.officer is None
    assert kept.question is None


@pytest.mark.parametrize("step", CALLS)
async def test_a_broken_call_echoes_nothing(house, step):
    bad = {**alert_body(house, [1]), "rule": "Zvončićanary", "Canarytext": OFFICER}
    for body in (bad, json.dumps(TEXT).encode(), f'{{"{OFFICER}": '.encode()):
        answer = await post(house, step, body, token=dpo(house))
        assert answer.status_code == 422
        assert not holds(answer.text)
    assert not holds(house.output.getvalue().decode())


class Keys:
    def __init__(self, byte):
        self.byte = byte

    def service_key(self, label):
        return bytes([self.byte]) * 16 + label.encode().ljust(16, b" ")[:16]


def test_a_question_is_read_with_its_own_keyset_and_alert_only():
    secrecy = Secrecy(Keys(1))
    kept = secrecy.hide("alert-1", TEXT)
    assert secrecy.show("alert-1", kept) == TEXT
    assert secrecy.hide("alert-1", TEXT) != kept
    for other, alert, changed in (
        (Secrecy(Keys(2)), "alert-1", kept),
        (secrecy, "alert-2", kept),
        (secrecy, "alert-1", kept[:-1] + bytes([kept[-1] ^ 1])),
        (secrecy, "alert-1", b""),
    ):
        with pytest.raises(SecrecyError):
            other.show(alert, changed)


def test_an_officer_is_known_again_and_confused_with_nobody():
    secrecy = Secrecy(Keys(1))
    assert secrecy.officer(ISSUER, OFFICER) == secrecy.officer(ISSUER, OFFICER)
    assert secrecy.officer("ab", "c") != secrecy.officer("a", "bc")
    assert secrecy.officer(ISSUER, OFFICER) != Secrecy(Keys(2)).officer(ISSUER, OFFICER)
