# SPDX-License-Identifier: EUPL-1.2
"""The country that `cuvar token` writes into a token where nobody named one."""

import base64
import json

import pytest
from click.testing import CliRunner

from gateway.cli import cuvar


def token(folder, org, *more):
    config = ("--config", str(folder / "cuvar.toml"))
    return CliRunner().invoke(
        cuvar, ["token", "--org", org, "--role", "caseworker", *more, *config]
    )


def country(done):
    assert done.exit_code == 0, done.output
    payload = done.stdout.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return next(value for name, value in claims.items() if name.endswith("country"))


@pytest.mark.parametrize(("org", "wanted"), [("BA-BP", "BA"), ("HR-CP", "HR"), ("FRONTEX", "INT")])
def test_an_organisation_of_one_country_needs_none_named(house_template, org, wanted):
    assert country(token(house_template, org)) == wanted


@pytest.mark.parametrize("org", ["UNHCR", "IOM", "ICRC"])
def test_one_that_works_in_several_is_asked_for_its_duty_station(house_template, org):
    refused = token(house_template, org)
    assert refused.exit_code == 2
    assert "--country BA" in refused.output
    assert country(token(house_template, org, "--country", "RS")) == "RS"


def test_an_organisation_that_nobody_knows_gets_no_token(house_template):
    assert token(house_template, "SPECTRE").exit_code == 2
