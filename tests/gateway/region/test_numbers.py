# SPDX-License-Identifier: EUPL-1.2
"""No number in the region is valid.

The checksums are written here from the published algorithms, in plain Python, and share nothing
with gateway.region.numbers. Each is first shown to accept a number that is known to be valid in
form, so that a checker which accepts nothing can't pass.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date

import numpy as np
import pytest

from gateway.region import numbers
from gateway.region.datafiles import COUNTRIES, nations
from gateway.region.local import Local
from gateway.region.native import read_register
from gateway.region.papers import papers_frame
from gateway.region.randomness import stream

_D = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
_P = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
]


def _is_digits(text, length):
    return len(text) == length and text.isascii() and text.isdigit()


def jmbg_valid(text):
    if not _is_digits(text, 13):
        return False
    d = [int(c) for c in text]
    total = sum((7 - i) * (d[i] + d[i + 6]) for i in range(6))
    rest = 11 - total % 11
    return d[12] == (0 if rest > 9 else rest)


def oib_valid(text):
    if not _is_digits(text, 11):
        return False
    product = 10
    for c in text[:10]:
        total = (int(c) + product) % 10 or 10
        product = total * 2 % 11
    return (product + int(text[10])) % 10 == 1


def luhn_valid(text, length):
    if not _is_digits(text, length):
        return False
    total = 0
    for i, c in enumerate(reversed(text)):
        n = int(c) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


def svnr_valid(text):
    if not _is_digits(text, 10) or text[0] == "0":
        return False
    weights = (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)
    return sum(w * int(c) for w, c in zip(weights, text, strict=True)) % 11 == int(text[3])


def iran_valid(text):
    if not _is_digits(text, 10) or len(set(text)) == 1:
        return False
    rest = sum(int(c) * (10 - i) for i, c in enumerate(text[:9])) % 11
    return int(text[9]) == (rest if rest < 2 else 11 - rest)


def turkey_valid(text):
    if not _is_digits(text, 11) or text[0] == "0":
        return False
    d = [int(c) for c in text]
    tenth = ((d[0] + d[2] + d[4] + d[6] + d[8]) * 7 - (d[1] + d[3] + d[5] + d[7])) % 10
    return d[9] == tenth and d[10] == sum(d[:10]) % 10


def verhoeff_valid(text):
    if not _is_digits(text, 12) or text[0] in "01":
        return False
    state = 0
    for i, c in enumerate(reversed(text)):
        state = _D[state][_P[i % 8][int(c)]]
    return state == 0


def ukraine_valid(text):
    if not _is_digits(text, 10):
        return False
    weights = (-1, 5, 7, 9, 4, 6, 10, 5, 7)
    return sum(w * int(c) for w, c in zip(weights, text, strict=False)) % 11 % 10 == int(text[9])


def albania_valid(text):
    """Decade letter, YMMDD that is a day (month + 50 for women), three digits, letter."""
    if len(text) != 10 or not (text[0].isalpha() and text[9].isalpha() and text[1:9].isdigit()):
        return False
    year = 1900 + 10 * (ord(text[0]) - ord("A")) + int(text[1])
    month = int(text[2:4]) % 50
    try:
        date(year, month, int(text[4:6]))
    except ValueError:
        return False
    return True


def pakistan_valid(text):
    """5-7-1 digits; the first is the province, 1 to 8."""
    parts = text.split("-")
    return [len(part) for part in parts] == [5, 7, 1] and text[0] in "12345678"


def syria_valid(text):
    return _is_digits(text, 11) and 1 <= int(text[:2]) <= 14


def iraq_valid(text):
    return _is_digits(text, 12) and text[:2] in {"19", "20"}


def bangladesh_valid(text):
    return _is_digits(text, 17) and text[:2] in {"19", "20"}


def egypt_valid(text):
    return _is_digits(text, 14) and text[0] in "23"


def libya_valid(text):
    return _is_digits(text, 12) and text[0] in "12"


def mrz_digit(field):
    values = {"<": 0, **{str(n): n for n in range(10)}}
    values |= {chr(65 + n): 10 + n for n in range(26)}
    return sum(values[c] * (7, 3, 1)[i % 3] for i, c in enumerate(field)) % 10


def mrz_valid(line):
    composite = line[:10] + line[13:20] + line[21:43]
    return int(line[9]) == mrz_digit(line[:9]) and int(line[43]) == mrz_digit(composite)


VALID = [
    (jmbg_valid, "0101006500006"),
    (oib_valid, "33392005961"),
    (lambda text: luhn_valid(text, 11), "01013099997"),
    (svnr_valid, "1237010180"),
    (iran_valid, "0499370899"),
    (turkey_valid, "10000000146"),
    (verhoeff_valid, "234123412346"),
    (ukraine_valid, "1759013776"),
    (albania_valid, "J00101999W"),
    (pakistan_valid, "34201-0891231-8"),
]


@pytest.mark.parametrize(("check", "number"), VALID)
def test_each_checker_accepts_a_valid_specimen(check, number):
    assert check(number)


def test_the_mrz_checker_accepts_the_specimen_of_icao_9303():
    assert mrz_valid("L898902C36UTO7408122F1204159ZE184226B<<<<<10")


_OF_NATION = {
    "TR": turkey_valid,
    "IR": iran_valid,
    "IN": verhoeff_valid,
    "PS": lambda text: luhn_valid(text, 9),
    "UA": ukraine_valid,
    "AL": albania_valid,
    "RS": jmbg_valid,
    "BA": jmbg_valid,
    "MK": jmbg_valid,
    "ME": jmbg_valid,
    "PK": pakistan_valid,
    "SY": syria_valid,
    "IQ": iraq_valid,
    "BD": bangladesh_valid,
    "EG": egypt_valid,
    "LY": libya_valid,
}
_LENGTH = {"TR": 11, "IR": 10, "IN": 12, "PS": 9, "UA": 10, "AL": 10, "RS": 13, "PK": 15, "SY": 11}


@pytest.fixture
def births():
    rng = np.random.default_rng(5)
    return rng.integers(-14000, 19000, 4000), rng.integers(0, 2, 4000)


@pytest.mark.parametrize("code", sorted(_OF_NATION))
def test_no_identity_number_of_a_nation_validates(code, births):
    shape = next(row.identity for row in nations() if row.code == code)
    made = numbers.number_of_shape(stream(1, code), shape, *births).tolist()
    assert not any(_OF_NATION[code](number) for number in made)
    assert len(set(made)) > 3000 or code == "XX"
    assert {len(number) for number in made} == {_LENGTH.get(code, len(made[0]))}


@pytest.mark.parametrize("region", [1, 2, 4, 6, 50])
def test_no_jmbg_validates_yet_each_begins_with_the_birth_date(region, births):
    days, female = births
    made = numbers.jmbg(stream(1, "jmbg"), days, female, np.full(len(days), region)).tolist()
    assert not any(jmbg_valid(number) for number in made)
    for number, day in list(zip(made, days.tolist(), strict=True))[:200]:
        born = date.fromordinal(date(1970, 1, 1).toordinal() + day)
        assert number[:7] == f"{born:%d%m}{born.year % 1000:03}"
        assert number[7:9] == f"{region:02}"


def test_no_oib_amka_or_svnr_validates(births):
    days, _ = births
    rng = stream(1, "others")
    oib = numbers.oib(rng, len(days)).tolist()
    amka = numbers.with_luhn(rng, numbers.amka_body(rng, days)).tolist()
    svnr = numbers.svnr(rng, days).tolist()
    assert not any(oib_valid(number) for number in oib)
    assert not any(luhn_valid(number, 11) for number in amka)
    assert not any(svnr_valid(number) for number in svnr)
    assert {len(n) for n in oib} == {11}
    assert {len(n) for n in amka} == {11}
    assert {len(n) for n in svnr} == {10}


_NATIONAL = {
    "BA": jmbg_valid,
    "HR": oib_valid,
    "RS": jmbg_valid,
    "ME": jmbg_valid,
    "AL": albania_valid,
    "GR": lambda text: luhn_valid(text, 11),
    "AT": svnr_valid,
    "SI": jmbg_valid,
    "MK": jmbg_valid,
}


def _held(region, country, source):
    """Everything in the native column that is written from this source."""
    for table in read_register(country).tables:
        for column in table.columns:
            if column.sources == (source,):
                query = f'SELECT "{column.name}" FROM "{table.name}"'  # noqa: S608  own schema
                with closing(sqlite3.connect(region.register(country))) as connection:
                    rows = connection.execute(query).fetchall()
                return [str(row[0]) for row in rows if row[0] is not None]
    raise AssertionError(source)


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_national_number_of_a_register_validates(region, country):
    found = _held(region, country, "national_number")
    assert len(found) > 5
    assert not any(_NATIONAL[country](number) for number in found)


@pytest.mark.parametrize("country", ["HR", "GR", "AT"])
def test_no_machine_readable_line_of_a_register_validates(region, country):
    found = _held(region, country, "doc_mrz")
    assert len(found) > 50
    assert {len(line) for line in found} == {44}
    assert not any(mrz_valid(line) for line in found)


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_identity_card_of_a_register_has_a_valid_number(region, country):
    codes = [row.code for row in nations()]
    local = Local(region.plan, region.world, region.journeys.of(country), country)
    who = local.seen.person
    held = papers_frame(local, region.documents)["doc_number"].values.tolist()
    assert {number for number in held if number} == {*_held(region, country, "doc_number")}
    checked = 0
    for number, nation, kind in zip(
        held, region.world.nation[who].tolist(), region.world.document[who].tolist(), strict=True
    ):
        valid = _OF_NATION.get(codes[nation])
        if kind == 1 and valid is not None:
            checked += 1
            assert not valid(number)
    assert checked > 5
