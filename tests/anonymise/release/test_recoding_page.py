# SPDX-License-Identifier: EUPL-1.2
"""The example of docs/anonymisation/recoding.md prints what the page says."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_example_of_the_page_prints_what_stands_below_it():
    page = (ROOT / "docs/anonymisation/recoding.md").read_text(encoding="utf-8")
    example, printed = re.findall(r"```(?:python|text)\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == printed
