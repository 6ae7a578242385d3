# SPDX-License-Identifier: EUPL-1.2
"""The inner loops against the same thing worked out plainly."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from anonymise.errors import ReleaseExtraError
from anonymise.release import compiled
from anonymise.release.distinct import distinct
from anonymise.release.encode import pack_costs
from anonymise.release.loops.nearest import nearest
from anonymise.release.loops.tables import Units
from tests.anonymise.release.tables import adult


@pytest.fixture(scope="module")
def some():
    rows, hierarchies = adult(400)
    return Units(rows.codes, rows.sensitive, rows.counts), hierarchies


def apart(units, hierarchies):
    """Cost of the common box of every two units."""
    n = len(units.codes)
    total = np.zeros((n, n))
    for a, hierarchy in enumerate(hierarchies):
        total += hierarchy.cost[units.codes[:, a, None], units.codes[None, :, a]]
    np.fill_diagonal(total, np.inf)
    return total


def test_few_units_get_their_nearest_exactly_and_half_of_another_value(some):
    units, hierarchies = some
    random = np.array([1], np.uint64)
    near = nearest(units, pack_costs(hierarchies), 8, 6, 512, random)
    cost = apart(units, hierarchies)
    unlike = np.where(units.sensitive[:, None] != units.sensitive[None], cost, np.inf)
    for u in range(len(near)):
        assert cost[u, near[u, :4]] == pytest.approx(np.sort(cost[u])[:4], abs=1e-5)
        assert unlike[u, near[u, 4:]] == pytest.approx(np.sort(unlike[u])[:4], abs=1e-5)


def test_many_units_get_near_ones_and_none_twice(some):
    units, hierarchies = some
    alike = Units(units.codes, np.zeros_like(units.sensitive), units.weight)
    near = nearest(alike, pack_costs(hierarchies), 8, 6, 64, np.array([1], np.uint64))
    cost = apart(alike, hierarchies)
    best = np.sort(cost, axis=1)[:, :8].mean()
    assert np.take_along_axis(cost, near, axis=1).mean() < 1.4 * best
    assert all(len(set(line)) == len(line) for line in near.tolist())


def test_distinct_rows_are_ranked_also_where_no_number_holds_them():
    random = np.random.default_rng(5)
    columns = [random.integers(0, 3, 500).astype(np.int32) * 1000 for _ in range(9)]
    first, rank = distinct(columns, [4096] * 9)  # 4096 ** 9 is beyond 64 bits
    table = np.stack(columns, axis=1)
    expected, where = np.unique(table, axis=0, return_inverse=True)
    assert np.array_equal(table[first], expected)
    assert np.array_equal(rank, where.reshape(-1))


def test_without_numba_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ReleaseExtraError, match=r"cuvar\[release\]"):
        compiled.inner(lambda: None)


def test_machine_code_of_other_sources_is_never_run(tmp_path, monkeypatch):
    """numba keeps a loop's machine code while the file of its callee changes."""
    shutil.copytree(
        compiled.LOOPS.parents[1],
        tmp_path / "anonymise",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    loops = tmp_path / "anonymise/release/loops"
    (loops / "callee.py").write_text(
        "from anonymise.release.compiled import inner\n@inner\ndef answer(x):\n    return x + 1\n",
        encoding="utf-8",
    )
    (loops / "caller.py").write_text(
        "from anonymise.release.compiled import compiled\n"
        "from anonymise.release.loops.callee import answer\n"
        "@compiled\ndef ask(x):\n    return answer(x)\n",
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-c",
        "from anonymise.release.loops.caller import ask; print(ask(1))",
    ]
    printed = []
    for number in (1, 1, 2):
        text = (loops / "callee.py").read_text(encoding="utf-8")
        (loops / "callee.py").write_text(text.replace("x + 1", f"x + {number}"), encoding="utf-8")
        printed.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert printed == ["2\n", "2\n", "3\n"]
    assert len(list((loops / "__pycache__").glob("loops-*"))) == 2


def test_without_a_folder_to_write_to_nothing_is_kept(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setattr(compiled, "LOOPS", blocked)
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert compiled._place("0" * 16) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiled._place.cache_clear()
    assert compiled._place("0" * 16) == tmp_path / "cuvar" / f"loops-{'0' * 16}"
    compiled._place.cache_clear()
