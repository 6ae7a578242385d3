# SPDX-License-Identifier: EUPL-1.2
"""The matcher's tables are its own: who makes the synthetic people does not grade himself."""

import csv
import re
from pathlib import Path

from anonymise.linkage.names import skeleton, tokens

_ROOT = Path(__file__).parents[3]
_OURS = _ROOT / "anonymise" / "linkage"
_TABLES = ("scripts.csv", "arabic.csv", "folds.csv", "particles.csv")


def rows(name):
    return list(csv.reader((_OURS / name).read_text(encoding="utf-8").splitlines()))


def test_the_matcher_reads_no_table_of_the_generators_nor_they_its():
    ours = "\n".join(path.read_text(encoding="utf-8") for path in sorted(_OURS.glob("*.py")))
    assert not re.search(r"gateway[./][a-z]|bench[./][a-z]|letters\.csv", ours)
    folders = (_ROOT / "gateway" / "region", _ROOT / "bench" / "linkage")
    makers = [path for folder in folders for path in folder.rglob("*.py")]
    assert makers
    for path in makers:
        text = path.read_text(encoding="utf-8")
        assert not [table for table in _TABLES if table in text], path.name


def test_no_table_of_the_matcher_holds_a_whole_name():
    lexicon = _ROOT / "gateway" / "region" / "names"
    names = {
        spelling.casefold()
        for path in lexicon.glob("*.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        for spelling in row["latin"].split("|")
        if len(spelling) > 4
    }
    assert names
    for table in _TABLES:
        told = {cell for row in rows(table)[1:] for cell in row[:2]}
        assert not told & names


def test_every_rule_has_its_three_cells_and_every_letter_its_latin():
    for table in ("scripts.csv", "arabic.csv", "folds.csv"):
        assert {len(row) for row in rows(table)} == {3}
    for _, letters, latin in rows("scripts.csv")[1:]:
        assert len(letters.split()) == len(latin.split())
        assert latin.isascii()


def test_every_particle_is_dropped_before_a_name():
    for particle, origin in rows("particles.csv")[1:]:
        assert tokens(f"{particle} Stanikzai") == ("stanikzai",), origin


def test_the_packaged_count_is_of_skeletons_alone():
    counted = rows("frequencies.csv")[1:]
    assert {row[0] for row in counted[:2]} == {"persons", "unlisted"}
    for name, bearers in counted[2:]:
        assert re.fullmatch("[A-Z]+", name)
        assert 0 < int(bearers) < 10000
    assert skeleton("muhammad") in {row[0] for row in counted}
