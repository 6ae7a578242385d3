# SPDX-License-Identifier: EUPL-1.2
"""A release made by Spark, in local mode, is the one that this machine makes, to the byte."""

import shutil

import pytest

from anonymise.errors import ReleaseError, ReleaseExtraError
from anonymise.release.columns import Columns
from anonymise.release.gate import find
from anonymise.release.manifest import Draft
from anonymise.release.part import Wish
from anonymise.release.spark_beside import Work, make_by_spark
from anonymise.release.verdict import Limits
from tests.anonymise.release import making
from tests.environments import environment

WITHIN = Columns(("age", "sex"), "needs", "nationality")


@pytest.mark.long
def test_spark_makes_the_same_release(tmp_path):
    if shutil.which("java") is None:
        pytest.fail("no Java: apt-get install openjdk-17-jre-headless")
    draft = making.made(tmp_path, "here.csv", l=2, columns=WITHIN)
    making.write(tmp_path / "bad.csv", [making.HEADER, ("canary", "F", "AF", "none")])

    def work(table, columns, out):
        wish = Wish(columns, Limits(5, 2), steps=0.2)
        return Work(tmp_path / table, tmp_path / "hierarchies", wish, tmp_path / out)

    good, bad = make_by_spark(
        environment("spark"),
        "local[2]",
        [
            work("table.csv", WITHIN, "spark.csv"),
            work("bad.csv", making.COLUMNS, "bad-out.csv"),
        ],
    )
    made = Draft(tmp_path / "spark.csv")
    assert made.path.read_bytes() == draft.path.read_bytes()
    assert made.manifest() == draft.manifest() == good.manifest
    assert find(made.path, WITHIN).sizes == good.found.sizes
    for part in ("known.csv", "control.csv"):
        assert (made.kept / part).read_bytes() == (draft.kept / part).read_bytes()
    assert isinstance(bad, ReleaseError)
    assert "column age: 1 rows" in str(bad)
    assert "canary" not in str(bad)
    assert not (tmp_path / "bad-out.csv").exists()


def test_without_its_environment_spark_is_told_how_to_be_had(tmp_path):
    with pytest.raises(ReleaseExtraError, match=r"make \.venv/spark\.done"):
        make_by_spark(tmp_path / "python", "local[2]", [])
