# SPDX-License-Identifier: EUPL-1.2
"""Writes a half of the migrant set: A.csv, B.csv and truth.csv in a folder.

python -m bench.linkage.write --half train FOLDER
"""

import argparse
import csv
from collections.abc import Mapping
from dataclasses import astuple, fields
from pathlib import Path

from bench.linkage.record import Record
from bench.linkage.registers import SEED, Registers, make_registers


def write_registers(registers: Registers, folder: Path) -> None:
    """The three files."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "A.csv", registers.first)
    _write(folder / "B.csv", registers.second)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("id_a", "id_b"), *registers.truth])


def _write(path: Path, records: Mapping[str, Record]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["id", *(field.name for field in fields(Record))])
        rows.writerows([name, *astuple(record)] for name, record in records.items())


def main() -> None:
    """Write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.linkage.write", description=__doc__)
    parser.add_argument("--half", choices=["train", "held_out"], default="train")
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--shared", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    made = make_registers(asked.half, size=asked.size, shared=asked.shared, seed=asked.seed)
    write_registers(made, asked.folder)


if __name__ == "__main__":
    main()
