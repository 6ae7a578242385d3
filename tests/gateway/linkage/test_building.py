# SPDX-License-Identifier: EUPL-1.2
"""The nation's half: from its register to a file in which nobody can be read."""

from dataclasses import replace

import pytest

from anonymise.errors import LinkageError
from anonymise.linkage.oprf import OprfBlinder, derive_key, evaluate
from gateway.linkage import building
from gateway.linkage.building import KeyHolder, NationsKey, Order, build
from gateway.linkage.index_file import IndexReader
from gateway.sources.errors import SourceUnavailableError
from tests.gateway.linkage.making import (
    EPOCH,
    NATIONS,
    NOW,
    Register,
    file_of,
    keys_of_values,
    people,
    values,
)


def quiet(_):
    return None


def read(path):
    with IndexReader(path) as reader:
        return reader.header, list(reader.blocks())


async def test_everybody_of_the_register_is_in_the_file_with_every_key(tmp_path):
    register = Register("BA", people(9))
    built = await file_of(register, tmp_path / "BA.index")
    header, blocks = read(tmp_path / "BA.index")
    assert header == built.header
    assert (header.country, header.epoch, header.made) == ("BA", EPOCH, "2027-01-02T03:04:05Z")
    expected = sum(len(keys_of_values(fields)) for fields in register.people.values())
    assert (header.persons, header.keys) == (9, expected)
    assert sum(len(block.counts) for block in blocks) == 9


async def test_two_processes_make_the_same_file_as_one(tmp_path, monkeypatch):
    register = Register("BA", people(2_100), page=1000)
    await file_of(register, tmp_path / "one.index")
    monkeypatch.setattr(building, "BLOCK_PERSONS", 1_500)
    await file_of(register, tmp_path / "two.index")

    def everybody(path):
        _, blocks = read(path)
        return sorted(one for block in blocks for one in taken_apart(block))

    assert len(read(tmp_path / "two.index")[1]) == 3
    assert everybody(tmp_path / "two.index") == everybody(tmp_path / "one.index")


def taken_apart(block):
    at = 0
    for number, count in enumerate(block.counts):
        own = slice(at, at + count)
        at += count
        yield (
            block.surrogates[number * 16 : number * 16 + 16],
            block.kinds[own],
            block.values[own.start * 32 : own.stop * 32],
        )


async def test_who_can_not_be_linked_is_counted_and_left_out(tmp_path):
    unknown = dict.fromkeys(values(0)) | {"direct_identifier.surnames": "Safi"}
    register = Register("BA", people(2) | {"x": unknown})
    built = await file_of(register, tmp_path / "BA.index")
    assert (built.header.persons, built.without_keys, built.without_surrogate) == (2, 1, 0)


async def test_who_has_no_surrogate_is_counted_and_left_out(tmp_path):
    class Bare(Register):
        async def fetch(self, wanted):
            page = await super().fetch(wanted)
            return replace(page, records=tuple(replace(r, surrogate=None) for r in page.records))

    built = await file_of(Bare("BA", people(3)), tmp_path / "BA.index")
    assert (built.header.persons, built.without_surrogate) == (0, 3)


async def test_a_register_that_stops_answering_leaves_no_file(tmp_path):
    register = Register("BA", people(9), fails_at="p0003")
    with pytest.raises(SourceUnavailableError):
        await file_of(register, tmp_path / "BA.index")
    assert list(tmp_path.iterdir()) == []


async def test_nothing_of_a_person_can_be_read_in_the_file(tmp_path):
    await file_of(Register("BA", people(30)), tmp_path / "BA.index")
    data = (tmp_path / "BA.index").read_bytes().lower()
    for fields in people(30).values():
        for value in ("direct_identifier.forenames", "document.doc_number"):
            assert fields[value].lower().encode() not in data
    assert NATIONS not in data


async def test_a_key_holder_makes_the_values_and_sees_none_of_the_keys(tmp_path):
    key, seen = derive_key(bytes(32), b"x"), []

    def holder(elements):
        seen.extend(elements)
        return [evaluate(key, element) for element in elements]

    for name in ("one", "two"):
        blinding = KeyHolder(OprfBlinder(holder, EPOCH))
        order = Order(EPOCH, tmp_path / f"{name}.index", NOW)
        await build(Register("BA", people(3)), order, blinding, quiet)
    (header, first), (_, second) = read(tmp_path / "one.index"), read(tmp_path / "two.index")
    assert header.blinding == "oprf"
    assert first == second
    assert len(set(seen)) == len(seen)


async def test_without_the_key_holder_there_is_no_file(tmp_path):
    def silent(_):
        raise LinkageError("the key holder does not answer")

    order = Order(EPOCH, tmp_path / "BA.index", NOW)
    with pytest.raises(LinkageError):
        await build(Register("BA", people(3)), order, KeyHolder(OprfBlinder(silent, EPOCH)), quiet)
    assert list(tmp_path.iterdir()) == []


def test_the_keys_of_a_nation_never_show():
    assert NATIONS.hex() not in repr(NationsKey(NATIONS))
