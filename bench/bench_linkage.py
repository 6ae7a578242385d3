# SPDX-License-Identifier: EUPL-1.2
"""How well two registers are linked: febrl4 and the migrant set, beside three other linkers.

The bars are held against the half of the migrant set that nobody tuned on (bench/linkage). The
first rows say how harsh it is. Steps: the gateway's index alone, and the owner's full comparison.
The gap between name cultures is that of F1 at one threshold for all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from anonymise.linkage.evaluate import Figures
from bench.figure import Figure, at_least, at_most
from bench.linkage import anchors
from bench.linkage.febrl import blocks, read_febrl
from bench.linkage.peers import OURS, PEERS, call, peer, told
from bench.linkage.registers import make_registers
from bench.linkage.write import write_registers
from gateway.linkage.lists import read_list, read_truth
from gateway.linkage.pairs_file import write_pairs
from gateway.linkage.quality import Quality, Step, judge, shipped_matcher

NAME = "linkage"
FULL = "full date of birth"
CULTURE = "culture: "
SHOWN = ("date of birth missing", "document", "other script", "script", "tradition", "one name")
FEBRL_PEERS = ("rapidfuzz, plain blocking", "splink")


def _silent(_what: str, _done: int, _of: int) -> None:
    """Nobody watches."""


def run() -> list[Figure]:
    """All tables."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        return [*_febrl(folder), *_migrants(folder)]


def _febrl(folder: Path) -> Iterator[Figure]:
    call("linkage_febrl.py", folder)
    matcher = replace(shipped_matcher(), blocks=blocks)
    for label, number, bar in (("without the number", False, 0.995), ("with it", True, 0.999)):
        first, second = (read_febrl(folder / name, number=number) for name in ("A.csv", "B.csv"))
        truth = read_truth(folder / "truth.csv", first, second)
        quality = judge(first, second, truth, matcher, _silent)
        yield Figure(f"febrl4, {label}: the index alone, F1", quality.index.whole.linked.f1, "")
        whole = quality.compared.whole
        yield at_least("  compared in full, F1", whole.linked.f1, "", bar)
        yield Figure("  precision", whole.linked.precision, "")
        yield Figure("  recall", whole.linked.recall, "")
    for name in FEBRL_PEERS:
        figures = peer(folder, name).figures()
        yield Figure(f"febrl4, with the number, no address: {name}, F1", figures.linked.f1, "")


def _migrants(folder: Path) -> Iterator[Figure]:
    registers = make_registers("held_out")
    write_registers(registers, folder)
    yield Figure("migrant set: exact name and birth date, F1", anchors.exact_name(registers).f1, "")
    document = anchors.document_alone(registers)
    yield Figure("  document number alone, F1", document.f1, "")
    yield Figure("  spellings of whole names", anchors.spellings(registers.first), "")
    first, second = (read_list(folder / name) for name in ("A.csv", "B.csv"))
    truth = read_truth(folder / "truth.csv", first, second)
    quality = judge(first, second, truth, shipped_matcher(), _silent)
    write_pairs(folder / OURS, quality, truth)
    yield from _ours(quality)
    cultures = _cultures(first.kinds["culture"])
    for name in PEERS:
        found = peer(folder, name)
        yield from told(name, found.figures())
        by_culture = {one: found.figures(those) for one, those in cultures.items()}
        yield Figure("  gap between name cultures, F1", _gap(by_culture), "")


def _ours(quality: Quality) -> Iterator[Figure]:
    index, compared = quality.index, quality.compared
    yield at_least("step 1, the index alone: F1", index.whole.linked.f1, "", 0.75)
    yield from _rest(index)
    yield Figure("  gap between name cultures, F1", _gap(_of_cultures(index)), "")
    yield at_least("step 2, the full comparison: F1", compared.whole.linked.f1, "", 0.84)
    yield from _rest(compared, bar=0.33)
    yield at_least("  full date of birth: F1", compared.subsets[FULL].linked.f1, "", 0.90)
    yield from _missed("  full date of birth", compared.subsets[FULL], 0.20)
    for name, figures in compared.subsets.items():
        if name.startswith(SHOWN):
            yield Figure(f"  {name}: F1", figures.linked.f1, "")
            yield from _missed(f"  {name}", figures)
    cultures = _of_cultures(compared)
    for name, figures in cultures.items():
        yield Figure(f"  {name}, {figures.mated:,} mated: F1", figures.linked.f1, "")
        yield from _missed(f"  {name}", figures)
    yield at_most("  gap between name cultures, F1", _gap(cultures), "", 0.05)


def _rest(step: Step, bar: float | None = None) -> Iterator[Figure]:
    yield Figure("  precision", step.whole.linked.precision, "")
    yield Figure("  recall", step.whole.linked.recall, "")
    yield from _missed(" ", step.whole, bar)
    for grade, linked in step.grades.items():
        yield Figure(f"  graded {grade} or better: precision", linked.precision, "")
        yield Figure(f"  graded {grade} or better: recall", linked.recall, "")


def _missed(label: str, figures: Figures, bar: float | None = None) -> Iterator[Figure]:
    one = figures.identified[0]
    if one is None:
        return
    name = f"{label} FNIR@1%"
    yield Figure(name, one.fnir, "") if bar is None else at_most(name, one.fnir, "", bar)


def _of_cultures(step: Step) -> dict[str, Figures]:
    return {name: its for name, its in step.subsets.items() if name.startswith(CULTURE)}


def _cultures(kinds: Mapping[str, str]) -> dict[str, frozenset[str]]:
    return {
        culture: frozenset(name for name, its in kinds.items() if its == culture)
        for culture in sorted(set(kinds.values()))
    }


def _gap(cultures: Mapping[str, Figures]) -> float:
    scores = [figures.linked.f1 for figures in cultures.values()]
    return max(scores) - min(scores)
