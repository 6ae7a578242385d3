# SPDX-License-Identifier: EUPL-1.2
"""The table of regions."""

from collections import Counter

from anonymise.regions import REGIONS, UNKNOWN_REGION, region_of


def test_every_country_has_one_region_and_every_code_is_two_capital_letters():
    assert len(REGIONS) == 250
    assert all(len(code) == 2 and code.isalpha() and code.isupper() for code in REGIONS)
    assert all(region.replace("_", "").isalpha() for region in REGIONS.values())


def test_no_region_but_the_uninhabited_one_stands_for_a_single_country():
    alone = {region for region, countries in Counter(REGIONS.values()).items() if countries == 1}
    assert alone == {"antarctica"}


def test_stateless_unlisted_and_strange_codes_look_alike():
    assert {region_of(code) for code in ("XX", "ZZ", "", "af", "AFG")} == {UNKNOWN_REGION}


def test_the_nine_countries_and_the_commonest_origins_lie_where_they_lie():
    southern = ["BA", "HR", "RS", "ME", "AL", "GR", "SI", "MK", "XK"]
    assert {region_of(code) for code in southern} == {"southern_europe"}
    assert region_of("AT") == "western_europe"
    assert {region_of(code) for code in ("AF", "PK", "IR", "BD")} == {"southern_asia"}
    assert {region_of(code) for code in ("SY", "IQ", "TR")} == {"western_asia"}
    assert region_of("MA") == "northern_africa"
