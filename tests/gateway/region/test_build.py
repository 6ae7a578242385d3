# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing

import pytest

from gateway.region import Manifest, RegionError, build, create_region, read_manifest
from gateway.region.datafiles import COUNTRIES
from gateway.region.native import read_register


def _dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def _dumps(folder):
    return {path.name: _dump(path) for path in sorted(folder.rglob("*.sqlite"))}


def test_the_same_seed_gives_the_same_rows(tmp_path):
    for name in ("a", "b"):
        create_region(tmp_path / name, persons=150, seed=11)
    assert _dumps(tmp_path / "a") == _dumps(tmp_path / "b")
    assert len(_dumps(tmp_path / "a")) == 10


def test_another_seed_gives_other_rows_in_every_register(tmp_path):
    create_region(tmp_path / "a", persons=150, seed=11)
    create_region(tmp_path / "b", persons=150, seed=12)
    first, second = _dumps(tmp_path / "a"), _dumps(tmp_path / "b")
    assert all(first[name] != second[name] for name in first)


def test_two_processes_write_what_one_writes(tmp_path, monkeypatch):
    create_region(tmp_path / "one", persons=300, seed=5)
    monkeypatch.setattr(build, "_ALONE", 0)
    told = []
    create_region(
        tmp_path / "two", persons=300, seed=5, on_progress=lambda name, _rows: told.append(name)
    )
    assert _dumps(tmp_path / "one") == _dumps(tmp_path / "two")
    assert {*told} == {*COUNTRIES, "truth"}


def test_the_manifest_counts_every_row_and_digests_every_file(region):
    manifest = read_manifest(region.folder)
    assert manifest == Manifest(**json.loads(region.manifest.to_json()))
    files = {
        path.relative_to(region.folder).as_posix()
        for path in region.folder.rglob("*")
        if path.is_file()
    }
    assert {*manifest.sha256} == files - {"manifest.json"}
    for name, digest in manifest.sha256.items():
        assert hashlib.sha256((region.folder / name).read_bytes()).hexdigest() == digest
    for country in COUNTRIES:
        with closing(sqlite3.connect(region.register(country))) as connection:
            for table, rows in manifest.tables[country].items():
                query = f'SELECT count(*) FROM "{table}"'  # noqa: S608  own schema
                found = connection.execute(query).fetchone()[0]
                assert found == rows


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_register_is_whole_and_has_the_declared_tables(region, country):
    with closing(sqlite3.connect(region.register(country))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
    declared = {table.name for table in read_register(country).tables}
    assert {name for name in found if not name.startswith("sqlite_")} == declared


def test_nine_registers_have_nine_schemas():
    tables = [{table.name for table in read_register(country).tables} for country in COUNTRIES]
    for index, mine in enumerate(tables):
        for other in tables[index + 1 :]:
            assert mine != other


def test_an_interrupted_build_leaves_nothing(tmp_path):
    def stop(_name, _rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_region(tmp_path / "region", persons=50, seed=1, on_progress=stop)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_anything_in_it_is_refused_with_what_to_do(tmp_path):
    create_region(tmp_path / "region", persons=20, seed=1)
    with pytest.raises(RegionError, match="--force"):
        create_region(tmp_path / "region", persons=20, seed=2)
    assert read_manifest(tmp_path / "region").seed == 1


def test_force_replaces_a_region_and_leaves_no_trace_of_the_old_one(tmp_path):
    create_region(tmp_path / "region", persons=20, seed=1)
    create_region(tmp_path / "region", persons=20, seed=2, force=True)
    assert read_manifest(tmp_path / "region").seed == 2
    assert [path.name for path in tmp_path.iterdir()] == ["region"]


def test_force_never_replaces_what_is_no_region(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "kept.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(RegionError, match="holds no region"):
        create_region(tmp_path / "letters", persons=20, seed=1, force=True)
    assert (tmp_path / "letters" / "kept.txt").read_text(encoding="utf-8") == "kept"


def test_a_file_or_a_link_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for name in ("file", "link"):
        with pytest.raises(RegionError, match="not a folder"):
            create_region(tmp_path / name, persons=20, seed=1)


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "region").mkdir()
    create_region(tmp_path / "region", persons=20, seed=1)
    assert read_manifest(tmp_path / "region").persons == 20


@pytest.mark.parametrize(("persons", "seed"), [(0, 1), (-1, 1), (10, -1), (20_000_001, 1)])
def test_numbers_out_of_range_are_refused(tmp_path, persons, seed):
    with pytest.raises(RegionError, match="persons must be"):
        create_region(tmp_path / "region", persons=persons, seed=seed)


@pytest.mark.parametrize("persons", [1, 2, 3])
def test_the_smallest_regions_can_be_built(tmp_path, persons):
    manifest = create_region(tmp_path / "region", persons=persons, seed=4)
    assert manifest.tables["truth"]["person"] == persons
