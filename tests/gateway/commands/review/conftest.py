# SPDX-License-Identifier: EUPL-1.2
"""A country's log on disk, its officer's key, and her desk."""

import asyncio
import base64
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands.review import review
from tests.audit.making import DPO_BA, DPO_HR, create_empty, opened
from tests.audit.review.holding import accesses


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A log of forty accesses, made once."""
    path = tmp_path_factory.mktemp("review") / "log.sqlite"
    url = f"sqlite:///{path}"
    create_empty(url)

    async def fill():
        async with opened(url) as log:
            await log.append(list(accesses(40)))

    asyncio.run(fill())
    return path


class Office:
    """A folder in which the officer types `cuvar review …`."""

    def __init__(self, folder, log):
        self.folder = folder
        self.officer = "BA"
        self.log = Path(shutil.copy(log, folder / "log.sqlite"))
        self.url = f"sqlite:///{self.log}"
        for name, key in (("BA", DPO_BA), ("HR", DPO_HR)):
            path = folder / f"{name}.key"
            text = base64.b64encode(key.private_bytes_raw()).decode()
            path.write_text(f"cuvar-dpo-private-1 {name} {text}\n")
            path.chmod(0o600)

    @property
    def desk(self):
        key, index = self.folder / f"{self.officer}.key", self.folder / "ba.idx"
        return ["--log", self.url, "--key", str(key), "--index", str(index)]

    def run(self, *arguments):
        """The result of a command; `ask` for one that must succeed."""
        return CliRunner().invoke(review, [*arguments, *self.desk])

    def ask(self, *arguments):
        done = self.run(*arguments)
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout


@pytest.fixture
def office(tmp_path, written):
    """A desk without an index."""
    return Office(tmp_path, written)


@pytest.fixture
def indexed(office):
    """A desk with an index."""
    office.ask("index", "build")
    return office
