# SPDX-License-Identifier: EUPL-1.2
"""pymerkle's tree in memory: appends, inclusion proofs, memory. Runs in an environment of its own.

    python merkle_proofs.py SIZE PROOFS

Prints JSON.
"""

import json
import resource
import sys
from statistics import median
from time import perf_counter

from pymerkle import InmemoryTree

size, proofs = int(sys.argv[1]), int(sys.argv[2])
tree = InmemoryTree(algorithm="sha256")
start = perf_counter()
for n in range(size):
    tree.append_entry(b"entry-%d" % n)
appended = perf_counter() - start
times = []
for n in range(proofs):
    index = n * 2_654_435_761 % size + 1
    start = perf_counter()
    tree.prove_inclusion(index, size)
    times.append(perf_counter() - start)
print(
    json.dumps(
        {
            "append_rate": size / appended,
            "proof_ms": median(times) * 1e3,
            "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
