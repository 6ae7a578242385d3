# SPDX-License-Identifier: EUPL-1.2
"""The peer's appends, in an environment of its own (pymerkle is GPL and is not shipped).

    python bench/peers/pymerkle_appends.py FOLDER DURABLE BULK

Prints JSON: entries a second of its SQLite tree with its own commit for each, microseconds of one
append to its tree in memory, of entries of 520 bytes.
"""

import json
import os
import sys
from pathlib import Path
from time import perf_counter

from pymerkle import InmemoryTree, SqliteTree

SIZE = 520


def main() -> None:
    """Append so many durably, and so many in memory."""
    folder, durable, bulk = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    entries = [os.urandom(SIZE) for _ in range(max(durable, bulk))]
    tree = SqliteTree(str(folder / "pymerkle.sqlite"), algorithm="sha256")
    start = perf_counter()
    for entry in entries[:durable]:
        tree.append_entry(entry)
    rate = durable / (perf_counter() - start)
    tree.con.close()
    memory = InmemoryTree(algorithm="sha256")
    start = perf_counter()
    for entry in entries[:bulk]:
        memory.append_entry(entry)
    each = (perf_counter() - start) / bulk * 1e6
    print(json.dumps({"rate": rate, "each": each}))


if __name__ == "__main__":
    main()
