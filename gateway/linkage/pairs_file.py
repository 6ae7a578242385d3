# SPDX-License-Identifier: EUPL-1.2
"""The scored pairs of an evaluation as a CSV file: docs/formats/linkage-pairs.md.

It holds identifiers and scores and no other value of a person. It is written beside its place and
put there when it is complete, readable by its owner alone.
"""

import csv
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from anonymise.errors import LinkageError
from anonymise.linkage.evaluate import Truth
from gateway.linkage.quality import Quality

COLUMNS: Final = (
    *("id_a", "id_b", "keys", "index_score", "index_grade"),
    *("score", "grade", "linked", "true"),
)
_FIGURES: Final = ".6f"


def write_pairs(path: Path, quality: Quality, truth: Truth) -> None:
    """Write all candidates, in the order of the first list.

    Raises:
        LinkageError: The folder is missing, full or not writable.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            for one in quality.pairs:
                rows.writerow(
                    (
                        one.first,
                        one.second,
                        " ".join(one.kinds),
                        format(one.index, _FIGURES),
                        one.index_grade,
                        format(one.score, _FIGURES),
                        one.grade,
                        int((one.first, one.second) in quality.linked),
                        int(one.second in truth.get(one.first, ())),
                    )
                )
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise LinkageError(
            f"{path.name} can't be written: {error.strerror}; name another place"
        ) from None
