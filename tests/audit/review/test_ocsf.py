# SPDX-License-Identifier: EUPL-1.2
"""Events of OCSF: every line fits the schema, none names anybody."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from audit import Asked, Kind, Operation, Owner, Verdict
from audit.errors import LogCorruptError
from audit.merkle import leaf_hash
from audit.review.ocsf import ocsf_lines
from tests.audit.making import ORIGIN, new_sealer, plain, sealed
from tests.audit.review.holding import Held, accesses, detail

SCHEMA = Path(__file__).parents[3] / "docs/formats/ocsf.schema.json"
ACTIONS = ["find", "read", "list", "count", "consult", "trace", "reidentify"]


def asked(action):
    return Asked(action=action, view="full", categories=(), named=True)


@pytest.fixture
def log():
    kinds = [plain(kind=kind, owner=None, requester=None) for kind in Kind]
    ops = [plain(op=op) for op in Operation] + [plain(op=op, owner=None) for op in Operation]
    verdicts = [plain(decision=verdict, policy=None) for verdict in Verdict]
    asks = [plain(asked=asked(action)) for action in ACTIONS]
    bare = [plain(owner=Owner("BA", None), op=None, count=None, correlation=None)]
    return Held([*accesses(8), *kinds, *ops, *verdicts, *asks, *bare])


def events(log):
    return [json.loads(line) for line in ocsf_lines(log, 0, len(log.held))]


def test_every_kind_act_and_verdict_fits_the_published_classes(log):
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for event in events(log):
        validator.validate(event)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


@pytest.mark.parametrize("name", ["class_uid", "metadata", "actor", "src_endpoint", "time"])
def test_the_schema_refuses_an_event_without_what_the_class_requires(log, name):
    event = events(log)[0]
    del event[name]
    assert not jsonschema_rs.is_valid(json.loads(SCHEMA.read_text(encoding="utf-8")), event)


def test_no_officer_no_person_and_no_case_is_exported():
    canary = detail(0, officer="CANARY-1", unit="CANARY-2", persons=["CANARY-3"], reason="CANARY-4")
    log = Held([sealed(new_sealer(), json.dumps(canary).encode()), *accesses(4)])
    told = b"".join(ocsf_lines(log, 0, 5)).decode()
    for name in ("CANARY", "officer-", "PERSON", "CASE", "unit-", '"user"', '"ip"'):
        assert name not in told


def test_an_event_leads_back_to_its_entry(log):
    first = events(log)[0]
    assert first["unmapped"]["log"] == {
        "origin": ORIGIN,
        "index": 0,
        "leaf": leaf_hash(log.held[0].envelope).hex(),
    }
    assert first["unmapped"]["purpose"] == "law_enforcement"
    assert first["unmapped"]["legal_basis"] == "CIR-20"
    assert first["metadata"]["correlation_uid"] == "0d7b6d3e"
    assert (first["class_uid"], first["action"]) == (6005, "Allowed")


def test_a_refusal_is_denied_and_blocked(log):
    refused = events(log)[3]
    assert (refused["action_id"], refused["disposition"], refused["status"]) == (
        2,
        "Blocked",
        "Failure",
    )


def test_a_damaged_entry_stops_the_export(log):
    log.change(2, envelope=b"{}")
    with pytest.raises(LogCorruptError, match="entry 2"):
        events(log)
