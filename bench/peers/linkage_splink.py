# SPDX-License-Identifier: EUPL-1.2
"""splink on DuckDB, trained on itself as its guide says. An environment and process of its own.

    python linkage_splink.py A.csv B.csv PAIRS.csv

The prior is given (half of A is in B), u comes from random pairs, m from pairs with the same
document number and from pairs with the same birth date: better than its own estimate, which locks
on to blocks of common names (matching.md section 2).
"""

import logging
import sys

import pandas as pd
import splink.comparison_library as cl
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

LEAST = 0.01  # match probability of a pair that is written
RULES = [
    block_on("date_of_birth"),
    block_on("document_number"),
    block_on("substr(surnames, 1, 4)", "birth_year"),
    block_on("substr(given_names, 1, 4)", "birth_year"),
    block_on("substr(surnames, 1, 4)", "substr(given_names, 1, 4)"),
    block_on("surnames", "nationality", "birth_year"),
    block_on("given_names", "nationality", "birth_year"),
]


def read(path: str) -> pd.DataFrame:
    """A list with plain names; empty cells are null."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in ("given_names", "surnames"):
        split = frame[column].str.normalize("NFKD").str.lower()
        frame[column] = split.str.replace(r"[^\w ]", "", regex=True)
    frame["birth_year"] = frame["date_of_birth"].str[:4]
    frame["unique_id"] = frame["id"]
    return frame.replace("", None)


def main() -> None:
    """Train, score, write."""
    logging.disable()
    first, second = read(sys.argv[1]), read(sys.argv[2])
    compared = [
        cl.JaroWinklerAtThresholds("given_names", [0.95, 0.88, 0.7]),
        cl.JaroWinklerAtThresholds("surnames", [0.95, 0.88, 0.7]),
        cl.DateOfBirthComparison(
            "date_of_birth",
            input_is_string=True,
            datetime_thresholds=[1, 1],
            datetime_metrics=["day", "year"],
        ),
        cl.ExactMatch("document_number"),
    ]
    compared += [
        cl.ExactMatch(column) for column in ("sex", "nationality") if first[column].notna().any()
    ]
    api = DuckDBAPI()
    linker = Linker(
        [
            api.register(first, dataset_display_name="a"),
            api.register(second, dataset_display_name="b"),
        ],
        SettingsCreator(
            link_type="link_only",
            comparisons=compared,
            blocking_rules_to_generate_predictions=RULES,
            probability_two_random_records_match=0.5 / len(second),
        ),
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=7)
    for rule in (block_on("document_number"), block_on("date_of_birth")):
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, fix_probability_two_random_records_match=True
        )
    found = linker.inference.predict(threshold_match_probability=LEAST).as_pandas_dataframe()
    pairs = found[["unique_id_l", "unique_id_r", "match_weight"]]
    pairs.columns = ["id_a", "id_b", "score"]
    pairs.to_csv(sys.argv[3], index=False)


if __name__ == "__main__":
    main()
