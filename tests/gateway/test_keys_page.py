# SPDX-License-Identifier: EUPL-1.2
"""The page on root keys, done line by line: what it shows works as shown."""

import re
import shlex
import tomllib
from pathlib import Path

from click.testing import CliRunner

from anonymise.keyring.file_vault import FileVault
from gateway.cli import cuvar
from gateway.settings.keys import KeysSettings
from tests.anonymise.backends import CHEAP
from tests.gateway.house import copy

PAGE = (Path(__file__).parents[2] / "docs/anonymisation/keys.md").read_text(encoding="utf-8")
SETTINGS = re.search(r"    \[keys\]\n(?:    .*\n)+", PAGE)[0].replace("\n    ", "\n").strip()


def test_the_pages_commands_hold_two_ceremonies(house_template, tmp_path, monkeypatch):
    folder = copy(house_template, tmp_path / "house")
    (folder / "keyset.json").unlink()
    FileVault.create(folder / "keyset.json", "only for the tests", ["BA", "RS"], work=CHEAP)
    custodians = next(line for line in SETTINGS.splitlines() if line.startswith("custodians"))
    path = folder / "cuvar.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[keys]\n", f"[keys]\n{custodians}\n"), encoding="utf-8")
    monkeypatch.chdir(folder)
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) == 12
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "cuvar"
        done = CliRunner().invoke(cuvar, words[1:], input="y\n", env={"CUVAR_CONFIG": str(path)})
        assert done.exit_code == 0, (line, done.output, done.exception)
    assert "BA    2  from" in done.output
    assert "custodians: BA-AS/boris, BA-DPA/ana, RS-DPA/vera" in done.output


def test_the_pages_settings_are_settings():
    table = tomllib.loads(SETTINGS)["keys"]
    assert set(table) <= set(KeysSettings.model_fields)
    assert set(table["token"]) == {"module", "label"}
