# SPDX-License-Identifier: EUPL-1.2
"""The house rules that no linter knows."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
MODULES = [path for path in TRACKED if path.suffix == ".py"]
LONGEST = 400
LONGEST_TEST = 500
# Written in two halves so that this file does not hold what it looks for.
HOSTS = ["registry." + "npmjs", "pypi." + "org", "files." + "pythonhosted", "deb." + "debian"]
PACKAGES = {"policies", "gateway", "anonymise", "audit"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_is_short_and_says_its_licence(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= (LONGEST_TEST if "tests" in path.parts else LONGEST)
    assert not lines or lines[0] == "# SPDX-License-Identifier: EUPL-1.2"


def test_no_file_names_a_registry_or_a_machine():
    found = [
        (path.name, host)
        for path in TRACKED
        if path.suffix not in {".png", ".svg"}
        for host in HOSTS
        if host in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert not found


def test_every_dependency_is_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    for group in project["dependency-groups"].values():
        wanted += group
    told = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8").lower()
    names = [re.split(r"[\[<>=]", entry)[0].strip().lower() for entry in wanted]
    assert not [
        name
        for name in names
        if name not in told and not name.startswith(("pytest-", "types-", "uvloop"))
    ]


def test_lock_files_hold_hashes_and_no_addresses():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_every_decision_has_its_own_number():
    numbers = [path.name[:4] for path in (ROOT / "docs/adr").glob("*.md")]
    assert len(set(numbers)) == len(numbers)


def test_links_in_the_pages_lead_somewhere():
    broken = [
        (page.name, target)
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
