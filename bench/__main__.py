# SPDX-License-Identifier: EUPL-1.2
"""Run the benches: print each one's table, write bench/out/NAME.json.

Exit status: 0 when every bar is met, 1 when one is missed, 2 when no bench has the name asked for.
The JSON file is a list of {figure, value, unit, bar, met}; the machine's own figures come first.
"""

import argparse
import json
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import bench
from bench.figure import Figure
from bench.machine import machine

HERE = Path(__file__).parent
OUT = HERE / "out"


def benches() -> dict[str, ModuleType]:
    """The benches there are, by name."""
    found: dict[str, ModuleType] = {}
    for entry in pkgutil.iter_modules(bench.__path__):
        if entry.name.startswith("bench_"):
            module = getattr(__import__(f"bench.{entry.name}"), entry.name)
            found[module.NAME] = module
    return found


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def table(name: str, figures: list[Figure]) -> str:
    """The figures as text, columns aligned."""
    rows = [("figure", "value", "unit", "bar", "met")]
    marks = {True: "yes", False: "NO", None: ""}
    rows += [(f.figure, _number(f.value), f.unit, f.bar or "", marks[f.met]) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join([f"== {name}", *(line.rstrip() for line in lines)])


def main(arguments: list[str]) -> int:
    """Run what was asked for; see the module's text for the status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="run this bench alone")
    only = parser.parse_args(arguments).only
    known = benches()
    if only is not None and only not in known:
        print(f"no bench {only}; there are {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    OUT.mkdir(exist_ok=True)
    missed = False
    for name in sorted(known) if only is None else [only]:
        figures = [*machine(OUT), *known[name].run()]
        print(table(name, figures), flush=True)
        written = json.dumps([figure.as_json() for figure in figures], indent=1)
        (OUT / f"{name}.json").write_text(written + "\n", encoding="utf-8")
        missed |= any(figure.met is False for figure in figures)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
