# SPDX-License-Identifier: EUPL-1.2
"""rapidfuzz with plain blocking, as most people would link two lists. An environment of its own.

    python linkage_rapidfuzz.py A.csv B.csv PAIRS.csv

Blocks: birth date; first four letters of a name with the birth year; document number. Score: the
better of Jaro-Winkler in order and with the names swapped, a birth date's relation, sex,
nationality and document number, added up (matching.md section 2).
"""

import csv
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from rapidfuzz.distance import JaroWinkler

LATER = 0.55  # pairs below are of no interest


def read(path: str) -> dict[str, dict[str, str]]:
    """Rows by identifier, names plain: no marks, small letters."""
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
        rows = {row["id"]: row for row in csv.DictReader(file)}
    for row in rows.values():
        for name in ("given_names", "surnames"):
            split = unicodedata.normalize("NFKD", row[name]).casefold()
            row[name] = "".join(c for c in split if c.isalnum() or c == " ")
    return rows


def blocks(row: dict[str, str]) -> Iterator[str]:
    """What a record is looked up by."""
    born = row["date_of_birth"]
    if born:
        yield born
    for name in f"{row['given_names']} {row['surnames']}".split():
        if born:
            yield f"{name[:4]} {born[:4]}"
    if row["document_number"]:
        yield row["document_number"]


def score(a: dict[str, str], b: dict[str, str]) -> float:
    """How alike two records are, 0 to 1; a missing field counts for nothing."""
    straight = JaroWinkler.similarity(a["given_names"], b["given_names"])
    straight += JaroWinkler.similarity(a["surnames"], b["surnames"])
    crossed = JaroWinkler.similarity(a["given_names"], b["surnames"])
    crossed += JaroWinkler.similarity(a["surnames"], b["given_names"])
    found = 0.25 * max(straight, crossed)
    one, other = a["date_of_birth"], b["date_of_birth"]
    if one and one == other:
        found += 0.15 if one.endswith("-01-01") else 0.3
    elif one and one[:4] == other[:4]:
        found += 0.1
    elif one and one[5:] == other[5:]:
        found += 0.12
    found += 0.05 * (a["sex"] == b["sex"]) + 0.05 * (a["nationality"] == b["nationality"])
    if a["document_number"]:
        found += 0.4 * (a["document_number"] == b["document_number"])
    return found


def main() -> None:
    """Score all pairs of a block."""
    first, second = read(sys.argv[1]), read(sys.argv[2])
    held: dict[str, list[str]] = defaultdict(list)
    for identifier, row in second.items():
        for block in blocks(row):
            held[block].append(identifier)
    with open(sys.argv[3], "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        rows = csv.writer(file)
        rows.writerow(["id_a", "id_b", "score"])
        for identifier, row in first.items():
            others = {other for block in blocks(row) for other in held.get(block, ())}
            for other in sorted(others):
                found = score(row, second[other])
                if found >= LATER:
                    rows.writerow([identifier, other, f"{found:.6f}"])


if __name__ == "__main__":
    main()
