# SPDX-License-Identifier: EUPL-1.2
"""Two registers and who is in both."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.linkage.dice import Dice
from bench.linkage.half import Half, Lists, read_half
from bench.linkage.person import make_person
from bench.linkage.record import Record, register

SEED = 7


@dataclass(frozen=True, slots=True)
class Registers:
    """Two lists by identifier, and the pairs that are one person."""

    first: dict[str, Record]
    second: dict[str, Record]
    truth: tuple[tuple[str, str], ...]


def make_registers(
    half: Half, *, size: int = 20_000, shared: int = 10_000, seed: int = SEED
) -> Registers:
    """A half's registers: `size` persons in each, `shared` of them in both."""
    lists = read_half(half)
    people = Dice.of(f"{half} people {seed}")
    persons = [make_person(lists, people) for _ in range(2 * size - shared)]
    dice = Dice.of(f"{half} records {seed}")
    first, second, pairs = [], [], []
    for number, person in enumerate(persons):
        country = dice.among(lists.countries)
        if number < size:
            first.append(register(person, country, lists, dice))
        if number >= size - shared:
            other = _elsewhere(country, lists, dice) if number < size else country
            second.append(register(person, other, lists, dice))
        if size - shared <= number < size:
            pairs.append((len(first) - 1, len(second) - 1))
    names_a, names_b = _shuffled("A", size, dice), _shuffled("B", size, dice)
    return Registers(
        _by_id(names_a, first),
        _by_id(names_b, second),
        tuple(sorted((names_a[a], names_b[b]) for a, b in pairs)),
    )


def _elsewhere(country: str, lists: Lists, dice: Dice) -> str:
    while (other := dice.among(lists.countries)) == country:
        pass
    return other


def _shuffled(letter: str, size: int, dice: Dice) -> list[str]:
    names = [f"{letter}{number:06d}" for number in range(size)]
    dice.stream.shuffle(names)
    return names


def _by_id(names: list[str], records: Iterable[Record]) -> dict[str, Record]:
    return dict(sorted(zip(names, records, strict=True)))
