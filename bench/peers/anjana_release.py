# SPDX-License-Identifier: EUPL-1.2
"""anjana's k-anonymity by global recoding, in an environment of its own.

    python anjana_release.py TABLE HIERARCHIES K SUPPRESSION COLUMN...

Prints the published table as CSV, then on standard error the processor seconds of its call.
"""

import sys
from pathlib import Path
from time import process_time

import pandas as pd
from anjana.anonymity import k_anonymity


def main() -> None:
    """Anonymise one table."""
    table, folder, k, suppression, *columns = sys.argv[1:]
    data = pd.read_csv(table, dtype=str)
    hierarchies = {
        name: dict(pd.read_csv(Path(folder) / f"{name}.csv", header=None, dtype=str))
        for name in columns
    }
    start = process_time()
    made = k_anonymity(data, [], columns, int(k), float(suppression), hierarchies)
    print(process_time() - start, file=sys.stderr)
    made.to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    main()
