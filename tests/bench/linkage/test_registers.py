# SPDX-License-Identifier: EUPL-1.2
"""The migrant set: the same each time, harsh, and of two halves that share nothing but the head."""

import tomllib

import pytest

from bench.linkage import anchors
from bench.linkage.half import DATA, read_half
from bench.linkage.registers import make_registers
from bench.linkage.write import write_registers
from gateway.linkage.lists import read_list, read_truth
from gateway.linkage.quality import judge, shipped_matcher

HALVES = ("train", "held_out")


@pytest.fixture(scope="module")
def registers():
    return make_registers("held_out", size=2400, shared=1200)


def test_a_half_is_the_same_each_time():
    made = make_registers("train", size=40, shared=20)
    assert made == make_registers("train", size=40, shared=20)
    assert made != make_registers("train", size=40, shared=20, seed=8)
    assert made != make_registers("held_out", size=40, shared=20)


def test_nobody_is_registered_twice_by_the_same_country(registers):
    for first, second in registers.truth:
        assert registers.first[first].country != registers.second[second].country


def test_the_halves_share_no_name_but_the_head_of_the_lists():
    train, held = (
        tomllib.loads((DATA / f"{half}_names.toml").read_text(encoding="utf-8")) for half in HALVES
    )
    common = tomllib.loads((DATA / "common.toml").read_text(encoding="utf-8"))
    for culture, names in train.items():
        for kind in ("men", "women", "surnames"):
            ours, theirs = set(names[kind].split()), set(held[culture][kind].split())
            assert not ours & theirs
            assert not (ours | theirs) & set(common[culture].get(kind, "").split())


def test_no_tradition_is_spelled_alike_in_both_halves():
    train, held = map(read_half, HALVES)
    alike = [
        name
        for name, table in train.passports.items()
        if name in held.passports and held.passports[name].table == table.table
    ]
    assert not alike


def test_the_set_is_as_harsh_as_the_one_that_the_bars_were_set_on(registers):
    assert anchors.exact_name(registers).f1 <= 0.15
    assert anchors.document_alone(registers).f1 <= 0.23
    assert anchors.spellings(registers.first) >= 0.95 * len(registers.first)


def test_the_shipped_matcher_does_not_fall_back_on_names_that_it_never_saw(registers, tmp_path):
    write_registers(registers, tmp_path)
    first, second = (read_list(tmp_path / name) for name in ("A.csv", "B.csv"))
    truth = read_truth(tmp_path / "truth.csv", first, second)
    quality = judge(first, second, truth, shipped_matcher(), lambda *_: None)
    assert quality.index.whole.linked.f1 >= 0.80
    assert quality.compared.whole.linked.f1 >= 0.85
    assert quality.compared.grades["strong"].precision >= 0.98
