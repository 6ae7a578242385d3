# SPDX-License-Identifier: EUPL-1.2
"""Exact counts of the fixed layouts; retention that is over is not counted."""

from __future__ import annotations

from datetime import date

import pytest

from anonymise.statistics import LAYOUTS as NAMED
from gateway.sources import SourceQuestionError
from gateway.sources.tabulation import LAYOUTS

TODAY = date(2026, 11, 24)


async def test_arrivals_are_counted_by_week(source):
    table = await source.tabulate("arrivals", TODAY)
    assert table == {("2026-W18",): 1, ("2026-W22",): 2, ("unknown",): 1}


async def test_people_are_counted_by_age_sex_and_nationality(source):
    table = dict(await source.tabulate("age_sex_nationality", TODAY))
    assert sum(table.values()) == 5
    assert table[("18-59", "M", "AF")] == 2
    assert table[("5-11", "F", "AF")] == 1
    assert table[("unknown", "unknown", "unknown")] == 1
    assert [key[:2] for key in table if key[2] in {"SY", "PS"}] == [("12-17", "F")]


async def test_needs_are_counted_each(source):
    assert await source.tabulate("needs", TODAY) == {("SM",): 2, ("DS",): 1}


async def test_those_who_have_left_no_longer_occupy(source):
    table = await source.tabulate("occupancy", TODAY)
    assert table == {("TAB", "18-59", "M"): 1, ("VIZ", "12-17", "F"): 1}
    assert ("TAB", "0-4", "F") in await source.tabulate("occupancy", date(2026, 6, 30))


async def test_flows_and_claims_are_counted(source):
    owner = source.country
    flows = await source.tabulate("flows", TODAY)
    assert flows == {("RS", owner): 1, ("GR", owner): 2, ("unknown", owner): 1}
    assert await source.tabulate("claims", TODAY) == {("open",): 1, ("refused",): 1}


async def test_a_later_day_counts_fewer(source):
    later = await source.tabulate("age_sex_nationality", date(2029, 1, 1))
    assert sum(later.values()) == 4
    assert sum((await source.tabulate("age_sex_nationality", date(2031, 1, 1))).values()) == 1


@pytest.mark.parametrize("layout", ["law_enforcement_questions", "", "persons"])
async def test_what_is_no_layout_of_a_register_is_refused(source, layout):
    with pytest.raises(SourceQuestionError):
        await source.tabulate(layout, TODAY)
    with pytest.raises(SourceQuestionError):
        await source.members(layout, TODAY)


async def test_a_layout_whose_dataset_the_register_lacks_is_refused(source):
    with pytest.raises(SourceQuestionError, match="readmissions"):
        await source.tabulate("readmissions", TODAY)


async def test_every_layout_has_the_columns_that_the_gateway_names(source):
    assert LAYOUTS.keys() == NAMED.keys() - {"law_enforcement_questions"}
    for layout in LAYOUTS.keys() - {"readmissions"}:
        for key in await source.tabulate(layout, TODAY):
            assert len(key) == len(NAMED[layout].columns)


async def test_the_members_of_a_cell_are_those_who_are_counted_in_it(source):
    for layout in LAYOUTS.keys() - {"readmissions"}:
        members = await source.members(layout, TODAY)
        assert {key: len(whom) for key, whom in members.items()} == await source.tabulate(
            layout, TODAY
        )


async def test_one_person_has_one_reference_in_every_layout(source):
    everybody = frozenset().union(*(await source.members("age_sex_nationality", TODAY)).values())
    assert len(everybody) == 5
    for layout in ("needs", "occupancy"):
        for whom in (await source.members(layout, TODAY)).values():
            assert whom <= everybody


async def test_a_table_holds_no_name_of_anybody(source):
    for layout in LAYOUTS.keys() - {"readmissions"}:
        assert "Ahmadi" not in str(await source.tabulate(layout, TODAY))
