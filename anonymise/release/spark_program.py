# SPDX-License-Identifier: EUPL-1.2
"""Makes releases by Spark in Spark's own environment; started by `anonymise.release.spark_beside`.

Each line of standard input is a task as JSON, each line of standard output its answer: `found`, or
`refused` and why. One session serves all of them.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anonymise.errors import AnonymiseError
from anonymise.release.columns import Columns
from anonymise.release.create import create
from anonymise.release.part import Wish
from anonymise.release.spark import on_spark
from anonymise.release.verdict import Limits


def wish_of(members: dict[str, Any]) -> Wish:
    """A wish as `asdict` takes it apart."""
    columns = members["columns"]
    told = Columns(tuple(columns["quasi_identifiers"]), columns["sensitive"], columns["within"])
    return Wish(**{**members, "columns": told, "limits": Limits(**members["limits"])})


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    try:
        made = create(
            Path(task["source"]),
            Path(task["hierarchies"]),
            wish_of(task["wish"]),
            Path(task["out"]),
            lambda *_: None,
            on_spark(task["master"], _settings(task["master"])),
        )
    except AnonymiseError as error:
        return {"refused": str(error)}
    return {"found": asdict(made.found)}


def _settings(master: str) -> dict[str, str]:
    """One machine has no use for the two hundred parts that Spark cuts a table into."""
    parts = str(len(os.sched_getaffinity(0)))
    return {"spark.sql.shuffle.partitions": parts} if master.startswith("local") else {}


def main() -> int:
    """Answer every task; 0 when all were answered."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
