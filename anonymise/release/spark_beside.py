# SPDX-License-Identifier: EUPL-1.2
"""Releases by Spark, which lives in an environment of its own beside ours.

`cuvar release create --engine spark` comes here; what is made is the same to the byte.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from anonymise.errors import ReleaseError, ReleaseExtraError
from anonymise.release.create import Made
from anonymise.release.manifest import Draft
from anonymise.release.part import Wish
from anonymise.release.verdict import Found

PROGRAM: Final = "anonymise.release.spark_program"
_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Work:
    """A release to be made; see `create.create`."""

    source: Path
    hierarchies: Path
    wish: Wish
    out: Path

    def line(self, master: str) -> str:
        """As the program reads it."""
        paths = {name: str(getattr(self, name).absolute()) for name in _PATHS}
        return json.dumps({**paths, "wish": asdict(self.wish), "master": master}) + "\n"


_PATHS: Final = ("source", "hierarchies", "out")


def make_by_spark(python: Path, master: str, works: Sequence[Work]) -> list[Made | ReleaseError]:
    """Make releases, one after the other in one session; each with what came of it.

    Args:
        python: The interpreter of the environment that has pyspark.
        master: Where Spark is; `local[*]` is this machine.
        works: What to make.

    Raises:
        ReleaseExtraError: There is no such environment, or no Java.
        ReleaseError: Spark broke off.
    """
    if not python.is_file():
        raise ReleaseExtraError(
            "Spark lives in an environment of its own and there is none: `make .venv/spark.done`"
        )
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise ReleaseExtraError(
            "Spark needs Java 17 or newer: apt-get install openjdk-17-jre-headless"
        )
    done = subprocess.run(  # noqa: S603 - our own environment
        [python, "-m", PROGRAM],
        input="".join(work.line(master) for work in works),
        env={**os.environ, "PYTHONPATH": str(_ROOT), "PYSPARK_PYTHON": str(python)},
        check=False,
        capture_output=True,
        text=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(answers) != len(works):
        raise ReleaseError(
            "Spark broke off, and nothing stands under the name; see that Java is 17 or newer and "
            "that Spark reaches the table"  # its own words may repeat values
        )
    return [
        ReleaseError(answer["refused"])
        if "refused" in answer
        else _made(Draft(work.out), answer["found"])
        for work, answer in zip(works, answers, strict=True)
    ]


def _made(draft: Draft, found: dict[str, object]) -> Made:
    lists = {
        "sizes": tuple((size, many) for size, many in found["sizes"]),  # type: ignore[attr-defined]
        "strange": (),
    }
    return Made(draft, draft.manifest(), Found(**{**found, **lists}))  # type: ignore[arg-type]
