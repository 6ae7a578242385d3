# SPDX-License-Identifier: EUPL-1.2
"""A release made by Spark, in local mode, is the one that this machine makes, to the byte."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from anonymise.release.columns import Columns
from anonymise.release.manifest import Draft
from tests.anonymise.release import making
from tests.environments import environment

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns
from anonymise.release.create import create
from anonymise.release.part import Wish
from anonymise.release.spark import on_spark
from anonymise.release.verdict import Limits
folder = Path(sys.argv[1])
engine = on_spark("local[2]", {"spark.sql.shuffle.partitions": "2"})
def make(table, columns, out):
    wish = Wish(columns, Limits(5, 2), steps=0.2)
    create(folder / table, folder / "hierarchies", wish, folder / out, lambda *_: None, engine)
make("table.csv", Columns(("age", "sex"), "needs", "nationality"), "spark.csv")
try:
    make("bad.csv", Columns(("age", "sex", "nationality"), "needs"), "bad-out.csv")
except ReleaseError as error:
    print(error)
"""


@pytest.mark.long
def test_spark_makes_the_same_release(tmp_path):
    if shutil.which("java") is None:
        pytest.fail("no Java: apt-get install openjdk-17-jre-headless")
    within = Columns(("age", "sex"), "needs", "nationality")
    draft = making.made(tmp_path, "here.csv", l=2, columns=within)
    making.write(tmp_path / "bad.csv", [making.HEADER, ("canary", "F", "AF", "none")])
    done = subprocess.run(
        [environment("spark"), "-c", PROGRAM, tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": str(environment("spark"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    made = Draft(tmp_path / "spark.csv")
    assert made.path.read_bytes() == draft.path.read_bytes()
    assert made.manifest() == draft.manifest()
    for part in ("known.csv", "control.csv"):
        assert (made.kept / part).read_bytes() == (draft.kept / part).read_bytes()
    assert "column age: 1 rows" in done.stdout
    assert "canary" not in done.stdout
    assert not (tmp_path / "bad-out.csv").exists()
