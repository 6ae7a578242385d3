# SPDX-License-Identifier: EUPL-1.2
"""The migrant set: two registers of people who do not exist, with the truth known.

matching.md §2 says how harsh it is. `python -m bench.linkage.write` writes a half of it as CSV.
The **train** half is for tuning, the **held_out** half for the bars; they share the head of the
name lists (a Muhammad is in any list) and nothing else: neither names nor spelling tables.
"""
