# SPDX-License-Identifier: EUPL-1.2
"""A name and a document number through every endpoint, good and bad (invariant 7).

They may come back in the one answer that is allowed to hold them, and stand sealed in the log;
nowhere else: no log line, metric, trace, error body, address or envelope.
"""

import json

import pytest

from gateway.questions import ACTIONS
from tests.gateway import house as houses
from tests.gateway.small import CANARY_NAME, CANARY_NUMBER
from tests.gateway.test_pipeline import border

CANARIES = (CANARY_NAME, "Zvoncicanary", "ZVONCICANARY", CANARY_NUMBER)


def holds(text):
    return [canary for canary in CANARIES if canary.lower() in text.lower()]


BAD = {
    "an unknown key": {**border(), CANARY_NAME: CANARY_NUMBER},
    "a wrong type": border(owners=CANARY_NAME),
    "an unknown owner": border(owners=["XX"], subject={"doc_number": CANARY_NUMBER}),
    "an unknown dataset": border(dataset="zvoncicanary"),
    "an unknown purpose": border(purpose="zvoncicanary"),
    "a name as basis": border(basis=CANARY_NUMBER),
    "a wildcard": border(subject={"doc_number": CANARY_NUMBER + "*"}),
    "too long": border(subject={"doc_number": CANARY_NUMBER * 200}),
    "two ways": border(subject={"doc_number": CANARY_NUMBER, "surnames": CANARY_NAME}),
    "as case number": border(case_no=CANARY_NAME),
    "as cursor": border(after=CANARY_NUMBER),
}


async def everything(house):
    metrics = await house.client.get("/metrics")
    ready = await house.client.get("/readyz")
    envelopes = json.dumps(await house.everything())
    lines = house.output.getvalue().decode()
    return {"metrics": metrics.text, "ready": ready.text, "log": envelopes, "lines": lines}


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_refused_or_broken_question_echoes_nothing(action, house):
    token = house.token("BA-BP", "border_officer")
    for name, question in BAD.items():
        answer = await house.ask(action, question, token=token)
        assert answer.status_code in {403, 422}, (name, answer.text)
        assert not holds(answer.text), name
        assert not holds(str(answer.headers)), name
    raw = f'{{"{CANARY_NAME}": '.encode()
    for body in (raw, CANARY_NUMBER.encode() * 20_000):
        answer = await house.ask(action, body, token=token)
        assert answer.status_code in {413, 422}
        assert not holds(answer.text)
    for place, text in (await everything(house)).items():
        assert not holds(text), place


async def test_names_in_addresses_headers_and_tokens_are_told_to_nobody(house):
    client = house.client
    answers = [
        await client.get(f"/v1/{CANARY_NAME}"),
        await client.get(f"/v1/logs/{CANARY_NUMBER}/checkpoint"),
        await client.post(f"/v1/find?name={CANARY_NAME}", content=b"{}"),
        await client.get("/readyz", headers={"x-name": CANARY_NUMBER, "host": "Zvoncicanary"}),
        await house.ask("find", border(), token=CANARY_NUMBER),
        await client.request(CANARY_NUMBER, "/v1/find"),
        await client.get(
            f"/v1/logs/{house.log('BA').origin}/receipts/{CANARY_NUMBER}",
            headers={"authorization": f"Bearer {house.token('BA-BP', 'border_officer')}"},
        ),
        await house.get(f"/v1/logs/{CANARY_NAME}/checkpoint", token=house.token("BA-BP", "x")),
    ]
    for answer in answers:
        assert not holds(answer.text)
        assert not holds(str(answer.headers))
    for place, text in (await everything(house)).items():
        assert not holds(text), place


async def test_a_good_answer_leaves_the_name_in_the_answer_and_the_sealed_detail_only(house):
    await house.attest("presence", org="BA-BP")
    token = house.token("BA-BP", "border_officer")
    answer = await house.ask("find", border(), token=token)
    assert holds(answer.text)
    for place, text in (await everything(house)).items():
        assert not holds(text), place
    entry = (await house.stored("BA"))[-1]
    assert not holds(entry.sealed.blob.decode("latin-1"))
    detail = house.opened(entry, "BA")
    assert detail["query"]["subject"]["surnames"] == CANARY_NAME
    for file in house.folder.rglob("*"):
        if file.is_file() and "registers" not in file.parts:
            assert not holds(file.read_bytes().decode("latin-1")), file.name


async def test_traces_of_good_and_bad_questions_hold_no_name(house_folder):
    text = (house_folder / "cuvar.toml").read_text(encoding="utf-8")
    text += '[telemetry]\ntraces = "file"\ntrace_file = "spans.jsonl"\nsample_ratio = 1.0\n'
    (house_folder / "cuvar.toml").write_text(text, encoding="utf-8")
    async with houses.running(house_folder) as house:
        await house.attest("presence", org="BA-BP")
        token = house.token("BA-BP", "border_officer")
        assert (await house.ask("find", border(), token=token)).status_code == 200
        for question in BAD.values():
            await house.ask("find", question, token=token)
        await house.ask("find", border(), token=CANARY_NUMBER)
    spans = (house_folder / "spans.jsonl").read_text(encoding="utf-8")
    assert not holds(spans)
    documents = [json.loads(line)["resourceSpans"] for line in spans.splitlines()]
    named = {
        span["name"]
        for resources in documents
        for resource in resources
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }
    assert {"request", "identity", "question", "decide", "fetch", "treat", "record"} <= named
