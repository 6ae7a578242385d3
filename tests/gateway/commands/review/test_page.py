# SPDX-License-Identifier: EUPL-1.2
"""docs/review.md, typed in as it stands."""

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from gateway.commands.review import review

PAGE = Path(__file__).parents[4] / "docs/review.md"


def test_the_commands_of_the_page_work_in_the_order_of_the_page(office, monkeypatch):
    monkeypatch.chdir(office.folder)
    office.log.rename("copy.sqlite")
    shown = "".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    typed = shown.splitlines()
    assert len(typed) == 15
    for line in typed:
        program, group, *arguments = shlex.split(line)
        assert (program, group) == ("cuvar", "review")
        done = CliRunner().invoke(review, arguments)
        assert done.exit_code == 0, (line, done.output, done.exception)
    assert len(list(Path("proofs").iterdir())) == 2
