# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy explain`: the same reasons in sentences and as JSON, stated or from an entry."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from gateway.cli import cuvar
from gateway.commands.policy.explain import ExplainError
from gateway.policy.explaining import explain_lines, stated_facts
from policies import PolicyError, Question, Truth, example_rules, load_rules
from tests.gateway.house import REASON, today
from tests.gateway.small import CANARY_NAME

ASKED = {
    "org": "HR-AS",
    "role": "asylum_officer",
    "action": "find",
    "dataset": "registrations",
    "owner": "BA",
    "categories": "record",
    "view": "hit",
    "purpose": "asylum_procedure",
}


def run(*more, **changes):
    options = [part for k, v in {**ASKED, **changes}.items() for part in (f"--{k}", v) if v]
    command = ["policy", "explain", "--rules", str(example_rules()), *options, *more]
    done = CliRunner().invoke(cuvar, command)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_what_is_allowed_names_the_lines_with_file_and_law():
    said = run(sure="case_number,claim_here")
    assert said.splitlines()[0].endswith("for asylum_procedure on EUR-01: allowed.")
    assert "✓ BA allows it: BA-A02 (BA/rules.csv:" in said
    assert "EUR-16" in said
    assert "✓ HR-AS may ask it: HR-Q03 (HR/asking.csv:" in said
    assert "with duties: cap_5, human_decides" in said
    assert "✕" not in said


def test_what_is_refused_names_the_condition_that_failed_and_the_nearest_line():
    said = run(sure="claim_here")
    assert said.splitlines()[0].endswith("refused.")
    assert "✕ no line of BA allows it" in said
    assert "an open case of the own system is bound to the purpose" in said
    other = run(
        org="BA-BP",
        role="border_officer",
        action="read",
        dataset="persons",
        categories="security",
        view="full",
        purpose="border_check",
        sure="presence",
    )
    assert "nearest: BA-O01 (BA/rules.csv:2;" in other
    assert "would allow it with another category: direct_identifier" in other


def test_a_denial_says_under_which_facts_it_speaks():
    said = run(sure="case_number,claim_here", maybe="suspended")
    assert "✕ BA or the common floor forbids it: F01 (floor.csv:" in said
    assert "because, surely or possibly, suspended" in said
    assert "forbids it, unless it is sure not to be so: suspended" in said


def test_a_check_before_any_line_ends_it():
    said = run(role="border_officer")
    assert said.splitlines()[-1].startswith("✕ this organisation may not hold that role")
    assert "Q-WORD" in run(purpose="curiosity", basis="EUR-01")


def test_the_same_as_json():
    told = json.loads(run("--json", sure="case_number,claim_here"))
    assert told["allowed"] is True
    (cell,) = told["cells"]
    assert (cell["category"], cell["view"], cell["granted"]) == ("record", "hit", True)
    lines = [line for one in cell["conditions"] for line in one["lines"]]
    assert {line["id"] for line in lines} == {"BA-A02", "HR-Q03"}
    assert all(line["line"] > 1 and line["law"] for line in lines)
    assert told["told"] == run(sure="case_number,claim_here").splitlines()


def test_what_is_missing_or_unknown_is_said():
    with pytest.raises(ExplainError, match="--owner"):
        run(owner="")
    with pytest.raises(PolicyError, match="seen_at_night"):
        run(sure="seen_at_night")


def test_unstated_facts_stand_as_the_help_says():
    words = load_rules(example_rules(), on=today()).vocabulary
    facts = stated_facts(words, ["presence"], ["verified"])
    assert (facts["presence"], facts["verified"]) == (Truth.TRUE, Truth.POSSIBLE)
    assert (facts["case_number"], facts["suspended"]) == (Truth.FALSE, Truth.FALSE)
    assert (facts["deceased"], facts["consent_given"]) == (Truth.FALSE, Truth.TRUE)


def test_every_example_of_the_folder_is_explained_as_it_is_decided():
    rules = load_rules(example_rules(), on=today())
    for example in rules.examples:
        question = Question(
            **{
                name: getattr(example.question, name)
                for name in Question.__slots__
                if name != "_hash"
            }
        )
        found = rules.explain(question, example.owner, example.facts)
        decision = rules.decide_record(question, example.owner, example.facts)
        said = list(explain_lines(rules, found))
        assert said[0].endswith("allowed." if decision.allowed else "refused.")
        for name, cell in decision.cells.items():
            if found.cells:
                assert f"{name}: {cell.view or 'refused'}" in said


async def test_an_entry_is_decided_again(house):
    question = {
        "dataset": "registrations",
        "owners": ["RS"],
        "categories": ["record"],
        "view": "hit",
        "purpose": "border_check",
        "basis": "CIR-20",
        "reason": REASON,
        "subject": {"surnames": CANARY_NAME, "forenames": "Amir", "date_of_birth": "1985-04-03"},
    }
    token = house.token("BA-BP", "border_officer")
    await house.ask("find", question, token=token)
    refused = house.log("RS").size - 1
    await house.attest("presence", org="BA-BP")
    await house.ask("find", question, token=token)

    async def explained(index, *more, country="RS"):
        config, entry = str(house.folder / "cuvar.toml"), f"{house.log(country).origin}/{index}"
        command = ["policy", "explain", "--entry", entry, "--config", config, *more]
        return await asyncio.to_thread(CliRunner().invoke, cuvar, command)

    first, second = (await explained(refused)).output, (await explained(refused + 1)).output
    assert "says deny by" in first
    assert "under the same rules." in first
    assert first.splitlines()[2].endswith("refused.")
    assert second.splitlines()[2].endswith("allowed.")
    told = json.loads((await explained(refused + 1, "--json")).output)
    assert (told["entry"]["index"], told["allowed"]) == (refused + 1, True)
    assert CANARY_NAME not in first + second
    await house.ask("find", {"nonsense": 1}, token=token)
    bad = await explained(house.log("BA").size - 1, country="BA")
    assert isinstance(bad.exception, ExplainError)
