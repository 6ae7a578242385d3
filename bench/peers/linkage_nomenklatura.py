# SPDX-License-Identifier: EUPL-1.2
"""nomenklatura's matchers on given candidates. An environment and process of its own.

python linkage_nomenklatura.py A.csv B.csv PAIRS.csv CANDIDATES.csv ALGORITHM
"""

import csv
import sys

from followthemoney import EntityProxy, model
from linkage_rapidfuzz import candidates, read
from nomenklatura.matching import get_algorithm


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
    """Score the candidates."""
    first, second = read(sys.argv[1]), read(sys.argv[2])
    algorithm = get_algorithm(sys.argv[5])
    if algorithm is None:
        sys.exit(f"nomenklatura has no {sys.argv[5]}")
    config = algorithm.default_config()
    known: dict[str, EntityProxy] = {}
    with open(sys.argv[3], "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        rows = csv.writer(file)
        rows.writerow(["id_a", "id_b", "score"])
        for one, other in candidates(sys.argv[4]):
            for name, row in ((one, first[one]), (other, second[other])):
                if name not in known:
                    known[name] = entity(name, row)
            score = algorithm.compare(known[one], known[other], config).score
            rows.writerow([one, other, f"{score:.6f}"])


if __name__ == "__main__":
    main()
