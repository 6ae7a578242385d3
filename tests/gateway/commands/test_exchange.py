# SPDX-License-Identifier: EUPL-1.2
"""`cuvar exchange`: written from answers, read with a reason for each refusal."""

import json

import pytest
from click.testing import CliRunner

from gateway.cli import cuvar
from gateway.exchange import ExchangeError
from tests.gateway.exchange.test_mapping import PERSON, REGISTRATION, answer


@pytest.fixture
def files(tmp_path):
    for name, row in {"p": PERSON, "r": REGISTRATION}.items():
        (tmp_path / f"{name}.json").write_bytes(answer(row))
    return tmp_path


def run(*words):
    return CliRunner().invoke(cuvar, ["exchange", *map(str, words)], catch_exceptions=False)


@pytest.mark.parametrize("form", ["eurodac", "umf"])
def test_what_was_written_is_read_again(files, form):
    given = ["--persons", files / "p.json", "--registrations", files / "r.json"]
    written = run("write", "--form", form, *given)
    assert written.exit_code == 0
    assert "left out, the form has no place for it: registrations.travel" in written.stderr
    (files / "made.json").write_text(written.stdout, encoding="utf-8")
    fields = json.loads(run("read", "--form", form, files / "made.json").stdout)
    assert fields["persons.direct_identifier.surnames"] == "Example"


def test_nothing_is_written_from_nothing():
    refused = run("write", "--form", "umf")
    assert refused.exit_code == 2
    assert "name at least one answer" in refused.stderr


def test_the_message_has_no_reasons_for_a_flag(files):
    refused = run(
        "write", "--form", "umf", "--persons", files / "p.json", "--security-reason", "armed"
    )
    assert "no security flag" in refused.stderr


def test_a_refusal_names_the_member_and_never_its_value(files):
    (files / "bad.json").write_text('{"surnames": [{"given": "Somebody"}]}', encoding="utf-8")
    with pytest.raises(ExchangeError) as caught:
        run("read", "--form", "eurodac", files / "bad.json")
    assert "surnames.0" in str(caught.value)
    assert "Somebody" not in str(caught.value)
