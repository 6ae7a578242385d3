# SPDX-License-Identifier: EUPL-1.2
"""Statistics: counts that cannot be subtracted, solved or averaged into a person.

    members = {("18-59", "M", "AF"): frozenset({"P-1", ...}), ...}
    table = protect_table(layout_of("age_sex_nationality"), members, minimum=10, key=secret,
                          answered=what_this_recipient_had)

Fixed layouts (`layouts`); small figures left out together with those that would tell them
(`suppress`), proved by linear programs (`audit_lp`); noise keyed to the cohort and rounding
(`noise`); refusal of what nearly repeats an answer (`ledger`); differential privacy for what is
published or repeated (`private`). Knows no recipient's rights and no register: the gateway brings
members and duties, and keeps the ledger's records in the log. Law rules GDP-36 to GDP-38.
"""

from anonymise.statistics.audit_lp import Protection, breaches, intervals, prove
from anonymise.statistics.chart import chart
from anonymise.statistics.cohort import Cohort, cohorts_of
from anonymise.statistics.cube import Cube, Tie, cube_of
from anonymise.statistics.layouts import ALL, LAYOUTS, NEEDS, Key, Layout, layout_of
from anonymise.statistics.ledger import MICRO, Answer, Answered, PrivateAnswer, Record, Refusal
from anonymise.statistics.private import (
    PrivateTable,
    closed_keys,
    private_note,
    private_table,
)
from anonymise.statistics.records import decode_record, encode_record
from anonymise.statistics.sheet import sheet
from anonymise.statistics.snapshot import Members, Snapshot, snapshot_of
from anonymise.statistics.table import (
    Overlap,
    Pattern,
    ProtectedTable,
    pattern_of,
    protect_table,
)

__all__ = [
    "ALL",
    "LAYOUTS",
    "MICRO",
    "NEEDS",
    "Answer",
    "Answered",
    "Cohort",
    "Cube",
    "Key",
    "Layout",
    "Members",
    "Overlap",
    "Pattern",
    "PrivateAnswer",
    "PrivateTable",
    "ProtectedTable",
    "Protection",
    "Record",
    "Refusal",
    "Snapshot",
    "Tie",
    "breaches",
    "chart",
    "closed_keys",
    "cohorts_of",
    "cube_of",
    "decode_record",
    "encode_record",
    "intervals",
    "layout_of",
    "pattern_of",
    "private_note",
    "private_table",
    "protect_table",
    "prove",
    "sheet",
    "snapshot_of",
]
