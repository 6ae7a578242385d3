# SPDX-License-Identifier: EUPL-1.2
"""The logs over HTTP: proofs for everybody known, entries only for those who may read them all."""

import json

import pytest

from audit.checkpoint import parse_checkpoint
from audit.layout import parse_path, read_bundle, read_details
from audit.merkle import leaf_hash
from audit.note import NoteVerifier, split_note
from audit.receipt import verify_receipt
from audit.store import Cosigned
from tests.gateway.house import REASON
from tests.gateway.test_pipeline import border

ENTRIES, DETAILS = "tile/entries/000.p/{}", "details/000.p/{}"


@pytest.fixture
async def asked(house):
    """A house in which BA's officer asked at home and abroad."""
    token = house.token("BA-BP", "border_officer")
    await house.ask("find", border(), token=token)
    abroad = border(dataset="registrations", owners=["RS"], categories=["record"], view="hit")
    await house.ask("find", abroad, token=token)
    return house


def officer(house):
    return house.token("BA-BP", "border_officer")


def dpo(house, country="BA", **more):
    return house.token(f"{country}-DO", "dpo", **{"strong": True, **more})


async def resource(house, path, token, country="BA"):
    return await house.get(f"/v1/logs/{house.log(country).origin}/{path}", token=token)


async def verifier(house, country="BA"):
    listed = (await house.get("/v1/logs", token=officer(house))).json()["logs"]
    origin = house.log(country).origin
    return NoteVerifier.parse(next(log["vkey"] for log in listed if log["log"] == origin))


async def test_every_log_is_listed_with_its_key(asked):
    listed = (await asked.get("/v1/logs", token=officer(asked))).json()["logs"]
    assert {log["country"]: log["size"] for log in listed} == asked.sizes()
    assert not any(log["closed"] for log in listed)
    assert (await asked.client.get("/v1/logs")).status_code == 401


async def test_receipts_are_for_those_in_good_standing(asked):
    origin = asked.log("BA").origin
    found = await resource(asked, "receipts/1", officer(asked))
    entry = (await asked.stored("BA"))[1]
    leaf = leaf_hash(entry.envelope)
    _, checkpoint = verify_receipt(found.content, leaf, await verifier(asked), origin)
    assert checkpoint.size == asked.log("BA").size
    for index in ("%D9%A1", "0001", "-1", "999999", "", "1/"):
        assert (await resource(asked, f"receipts/{index}", officer(asked))).status_code == 404
    assert (await asked.client.get(f"/v1/logs/{origin}/receipts/1")).status_code == 401
    other = await asked.get("/v1/logs/test.invalid/XX/2026h2/receipts/1", token=officer(asked))
    assert other.status_code == 404


async def test_tiles_of_hashes_are_for_anybody_known_and_may_be_kept(asked):
    size, stored = asked.log("BA").size, await asked.stored("BA")
    for width in (1, size):
        found = await resource(asked, f"tile/0/000.p/{width}", officer(asked))
        assert found.status_code == 200, found.text
        assert found.headers["content-type"] == "application/octet-stream"
        assert found.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert found.content == b"".join(leaf_hash(e.envelope) for e in stored[:width])
    for path in (
        f"tile/0/000.p/{size + 1}",
        "tile/0/000",
        "tile/1/000.p/1",
        "tile/0/001.p/1",
        "tile/0/0.p/1",
        "tile/0/000.p/0",
        "tile/00/000.p/1",
        "tile/64/000.p/1",
        "tile/-1/000.p/1",
        "tile",
        "",
        "../BA/2026h2/checkpoint",
    ):
        assert (await resource(asked, path, officer(asked))).status_code == 404, path
    unknown = f"/v1/logs/{asked.log('BA').origin}/tile/0/000.p/1"
    assert (await asked.client.get(unknown)).status_code == 401


async def test_the_checkpoint_is_the_cosigned_one_where_there_is_one(asked):
    log, token = asked.log("BA"), officer(asked)
    newest = await resource(asked, "checkpoint", token)
    assert newest.headers["content-type"] == "text/plain; charset=utf-8"
    assert newest.headers["cache-control"] == "private, max-age=2"
    assert newest.text == await log.checkpoint()
    kept = newest.text + newest.text.splitlines(keepends=True)[-1]
    await asked.runtime.log.save_cosigned(log.origin, Cosigned(log.size, kept))
    await asked.ask("find", border(), token=token)
    assert (await resource(asked, "checkpoint", token)).text == kept
    signed = (await resource(asked, "checkpoint?signed=log", token)).content
    assert parse_checkpoint(split_note(signed)[0]).size == log.size


async def test_a_dpo_gets_the_envelopes_of_her_own_log_and_that_is_an_entry_first(asked):
    size, stored = asked.log("BA").size, await asked.stored("BA")
    found = await resource(asked, ENTRIES.format(size), dpo(asked))
    assert found.status_code == 200, found.text
    assert read_bundle(found.content) == [entry.envelope for entry in stored]
    assert found.headers["cache-control"] == "private, max-age=31536000, immutable"
    entry, detail = await asked.newest("BA")
    assert (entry["kind"], entry["requester"]["role"]) == ("review", "dpo")
    assert detail["query"] == {
        "log": asked.log("BA").origin,
        "bundle": parse_path(ENTRIES.format(size)).path,
    }
    assert asked.log("BA").size == size + 1


async def test_the_sealed_details_are_for_the_countrys_own_officer(asked):
    size, stored = asked.log("BA").size, await asked.stored("BA")
    found = await resource(asked, DETAILS.format(size), dpo(asked))
    assert found.status_code == 200, found.text
    assert found.headers["cache-control"] == "no-store"
    details = read_details(found.content)
    assert set(details) == {n for n, entry in enumerate(stored) if entry.sealed}
    assert all(details[n].blob == stored[n].sealed.blob for n in details)
    await asked.runtime.log.erase_details(asked.log("BA").origin, [size - 1])
    again = read_details((await resource(asked, DETAILS.format(size), dpo(asked))).content)
    assert set(details) - set(again) == {size - 1}


@pytest.mark.parametrize(
    ("org", "role", "country", "strong"),
    [
        ("BA-BP", "border_officer", "BA", True),
        ("BA-OP", "operator", "BA", True),
        ("BA-DO", "dpo", "BA", False),
        ("HR-DO", "dpo", "HR", True),
        ("BA-BP", "dpo", "BA", True),
        ("BA-DO", "dpo", "HR", True),
    ],
)
async def test_nobody_else_gets_a_bundle_and_the_try_is_an_entry(asked, org, role, country, strong):
    token = asked.token(org, role, country=country, strong=strong)
    for path in (ENTRIES.format(2), DETAILS.format(2)):
        found = await resource(asked, path, token)
        assert found.status_code == 403, (path, found.text)
        entry, _ = await asked.newest(country)
        assert (entry["kind"], entry["rules"]) == ("denial", ["not entitled"])


async def test_the_joint_supervisor_gets_envelopes_of_every_country_and_no_details(asked):
    token = asked.token("JSB", "joint_supervisor", country="INT", strong=True)
    for country in ("BA", "RS"):
        found = await resource(asked, ENTRIES.format(2), token, country)
        assert found.status_code == 200, found.text
        assert (await resource(asked, DETAILS.format(2), token, country)).status_code == 403


async def test_the_house_logs_entries_are_nobodys_over_http(asked):
    await asked.ask("find", border(), token="not-a-token")
    for token in (dpo(asked), asked.token("JSB", "joint_supervisor", country="INT", strong=True)):
        found = await resource(asked, ENTRIES.format(1), token, "GATEWAY")
        assert found.status_code == 403


async def test_without_a_log_no_bundle_leaves(asked):
    (asked.folder / "log.sqlite").unlink()
    found = await resource(asked, ENTRIES.format(2), dpo(asked))
    assert found.status_code == 503
    assert REASON not in found.text


async def test_requests_for_logs_have_a_name_in_the_signals(asked):
    await resource(asked, "checkpoint", officer(asked))
    lines = [json.loads(line) for line in asked.output.getvalue().splitlines()]
    routes = {line.get("route") for line in lines if str(line.get("event")).startswith("request")}
    metrics = (await asked.client.get("/metrics")).text
    assert 'route="/v1/logs/{path' in metrics, routes


async def test_a_path_with_a_line_feed_is_an_answer_that_the_description_knows(house):
    answer = await house.get("/v1/logs/a%0Ab", token=house.token("BA-BP", "border_officer"))
    document = (await house.client.get("/openapi.json")).json()
    told = document["paths"]["/v1/logs/{path}"]["get"]["responses"]["404"]["content"]
    schema = told["application/problem+json"]["schema"]
    assert answer.status_code == 404
    assert answer.json()["type"] in schema["properties"]["type"]["enum"]
