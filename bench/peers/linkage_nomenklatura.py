# SPDX-License-Identifier: EUPL-1.2
"""nomenklatura's matchers on candidates of plain blocking. An environment and process of its own.

    python linkage_nomenklatura.py A.csv B.csv PAIRS.csv ALGORITHM QUERIES

Slow, so only the first QUERIES persons of A are asked, in the order of the file.
"""

import csv
import sys
from collections import defaultdict
from itertools import islice

from followthemoney import EntityProxy, model
from linkage_rapidfuzz import blocks, read
from nomenklatura.matching import get_algorithm

LEAST = 0.05


def entity(identifier: str, row: dict[str, str]) -> EntityProxy:
    """A row as a Person of followthemoney."""
    made = model.make_entity("Person")
    made.id = identifier
    made.add("name", f"{row['given_names']} {row['surnames']}".strip())
    made.add("firstName", row["given_names"])
    made.add("lastName", row["surnames"])
    made.add("birthDate", row["date_of_birth"])
    made.add("gender", {"M": "male", "F": "female"}.get(row["sex"]))
    made.add("nationality", row["nationality"])
    made.add("passportNumber", row["document_number"])
    return made


def main() -> None:
    """Score the queries' candidates."""
    first, second = read(sys.argv[1]), read(sys.argv[2])
    algorithm = get_algorithm(sys.argv[4])
    if algorithm is None:
        sys.exit(f"nomenklatura has no {sys.argv[4]}")
    config = algorithm.default_config()
    held: dict[str, list[str]] = defaultdict(list)
    for identifier, row in second.items():
        for block in blocks(row):
            held[block].append(identifier)
    entities: dict[str, EntityProxy] = {}
    with open(sys.argv[3], "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        rows = csv.writer(file)
        rows.writerow(["id_a", "id_b", "score"])
        for identifier, row in islice(first.items(), int(sys.argv[5])):
            asked = entity(identifier, row)
            for other in sorted({one for block in blocks(row) for one in held.get(block, ())}):
                known = entities.setdefault(other, entity(other, second[other]))
                score = algorithm.compare(asked, known, config).score
                if score >= LEAST:
                    rows.writerow([identifier, other, f"{score:.6f}"])


if __name__ == "__main__":
    main()
