# SPDX-License-Identifier: EUPL-1.2
"""Document and national numbers: the right shape, and never a valid one.

Where a published checksum exists, its digit is computed and then moved, so the number fails it.
Where none exists, the number holds something that no issued one can: a province, year or month
that is not there. `AAnnn#` shapes come from nations.csv: `#` is a random digit, all else stands for
itself. A test recomputes every checksum independently and finds no valid number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from gateway.region.randomness import Ints, Texts, texts

__all__ = ["amka_body", "jmbg", "mrz_lines", "number_of_shape", "oib", "svnr", "with_luhn"]

_ZERO: Final = 48
_VERHOEFF_D: Final = np.array(
    [
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
)
_VERHOEFF_STEP: Final = np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4])
_VERHOEFF_INVERSE: Final = np.array([0, 4, 3, 2, 1, 5, 6, 7, 8, 9])
_MRZ_WEIGHTS: Final = np.array([7, 3, 1])
_LETTER_A: Final = ord("A")
_FILLER: Final = ord("<")


def _joined(characters: Ints) -> Texts:
    """Rows of character codes as strings."""
    rows, width = characters.shape
    flat = np.ascontiguousarray(characters.astype(np.uint32))
    return texts(flat.view(f"U{width}").reshape(rows).tolist())


def _digits(rng: np.random.Generator, count: int, width: int) -> Ints:
    return rng.integers(0, 10, (count, width))


def _wrong(rng: np.random.Generator, right: Ints) -> Ints:
    """A digit that differs from the right one."""
    return (right + rng.integers(1, 10, len(right))) % 10


def _with_wrong(rng: np.random.Generator, body: Ints, right: Ints, at: int) -> Texts:
    moved = np.insert(body, at, _wrong(rng, right), axis=1)
    return _joined(moved + _ZERO)


def _calendar(days: Ints) -> tuple[Ints, Ints, Ints]:
    stamps = days.astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    years = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
    return years, months.astype(np.int64) % 12 + 1, (stamps - months).astype(np.int64) + 1


def _two(values: Ints) -> Ints:
    return np.stack([values // 10 % 10, values % 10], axis=1)


def jmbg(rng: np.random.Generator, days: Ints, female: Ints, region: Ints) -> Texts:
    """DDMMYYY RR BBB K of the Yugoslav family (JMBG, EMBG, EMŠO), K wrong.

    K is 11 minus the weighted sum modulo 11, and 0 where that is 10 or 11.
    """
    years, months, day = _calendar(days)
    serial = rng.integers(0, 500, len(days)) + 500 * female
    body = np.concatenate(
        [
            _two(day),
            _two(months),
            (years // 100 % 10)[:, None],
            _two(years % 100),
            _two(region),
            (serial // 100)[:, None],
            _two(serial % 100),
        ],
        axis=1,
    )
    weights = np.array([7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
    check = 11 - (body @ weights) % 11
    return _with_wrong(rng, body, np.where(check > 9, 0, check), 12)  # noqa: PLR2004


def oib(rng: np.random.Generator, count: int) -> Texts:
    """Eleven digits of the Croatian OIB, ISO 7064 MOD 11,10 wrong."""
    body = _digits(rng, count, 10)
    state = np.full(count, 10)
    for place in range(10):
        state = (state + body[:, place]) % 10
        state = np.where(state == 0, 10, state) * 2 % 11
    return _with_wrong(rng, body, (11 - state) % 10, 10)


def with_luhn(rng: np.random.Generator, body: Ints) -> Texts:
    """Digits followed by a wrong Luhn digit (AMKA, nine-digit Palestinian numbers)."""
    doubled = body.copy()
    doubled[:, ::-1][:, ::2] *= 2
    doubled = np.where(doubled > 9, doubled - 9, doubled)  # noqa: PLR2004  digit sum of 10..18
    return _with_wrong(rng, body, -doubled.sum(axis=1) % 10, body.shape[1])


def amka_body(rng: np.random.Generator, days: Ints) -> Ints:
    """DDMMYY and four serial digits of a Greek AMKA."""
    years, months, day = _calendar(days)
    return np.concatenate(
        [_two(day), _two(months), _two(years % 100), _digits(rng, len(days), 4)], axis=1
    )


def svnr(rng: np.random.Generator, days: Ints) -> Texts:
    """Austrian social-insurance number NNNK DDMMYY, K wrong."""
    years, months, day = _calendar(days)
    serial = rng.integers(1, 10, (len(days), 1))
    body = np.concatenate(
        [serial, _digits(rng, len(days), 2), _two(day), _two(months), _two(years % 100)], axis=1
    )
    check = body @ np.array([3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11
    return _with_wrong(rng, body, check % 10, 3)


def _ir(rng: np.random.Generator, days: Ints, _female: Ints) -> Texts:
    body = _digits(rng, len(days), 9)
    rest = body @ np.arange(10, 1, -1) % 11
    return _with_wrong(rng, body, np.where(rest < 2, rest, 11 - rest), 9)  # noqa: PLR2004


def _tckn(rng: np.random.Generator, days: Ints, _female: Ints) -> Texts:
    body = _digits(rng, len(days), 9)
    body[:, 0] = body[:, 0] % 9 + 1
    tenth = (body[:, ::2].sum(axis=1) * 7 - body[:, 1::2].sum(axis=1)) % 10
    tenth = _wrong(rng, tenth)
    body = np.concatenate([body, tenth[:, None]], axis=1)
    return _with_wrong(rng, body, body.sum(axis=1) % 10, 10)


def _verhoeff(rng: np.random.Generator, days: Ints, _female: Ints) -> Texts:
    body = _digits(rng, len(days), 11)
    body[:, 0] = body[:, 0] % 8 + 2
    permuted = np.arange(10)
    state = np.zeros(len(days), dtype=np.int64)
    for place in range(11):
        permuted = _VERHOEFF_STEP[permuted] if place else _VERHOEFF_STEP
        state = _VERHOEFF_D[state, permuted[body[:, 10 - place]]]
    return _with_wrong(rng, body, _VERHOEFF_INVERSE[state], 11)


def _luhn9(rng: np.random.Generator, days: Ints, _female: Ints) -> Texts:
    return with_luhn(rng, _digits(rng, len(days), 8))


def _rnokpp(rng: np.random.Generator, days: Ints, _female: Ints) -> Texts:
    body = _digits(rng, len(days), 9)
    check = body @ np.array([-1, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10
    return _with_wrong(rng, body, check, 9)


def _nid(rng: np.random.Generator, days: Ints, female: Ints) -> Texts:
    """Albanian: decade letter, YMMDD, serial, letter; month 13 to 19 (63 to 69 for women)."""
    years, _, day = _calendar(days)
    month = rng.integers(13, 20, len(days)) + 50 * female
    digits = np.concatenate(
        [(years % 10)[:, None], _two(month), _two(day), _digits(rng, len(days), 3)], axis=1
    )
    decade = 65 + np.clip((years - 1900) // 10, 0, 25)
    letter = rng.integers(65, 88, len(days))
    return _joined(
        np.concatenate([decade[:, None], digits + _ZERO, letter[:, None]], axis=1),
    )


def _home_jmbg(rng: np.random.Generator, days: Ints, female: Ints) -> Texts:
    return jmbg(rng, days, female, rng.integers(10, 96, len(days)))


_ALGORITHMS: Final[dict[str, Callable[[np.random.Generator, Ints, Ints], Texts]]] = {
    "@ir": _ir,
    "@tckn": _tckn,
    "@verhoeff": _verhoeff,
    "@luhn9": _luhn9,
    "@rnokpp": _rnokpp,
    "@nid": _nid,
    "@jmbg": _home_jmbg,
}


def number_of_shape(rng: np.random.Generator, shape: str, days: Ints, female: Ints) -> Texts:
    """One number a person.

    Args:
        rng: the stream to draw from.
        shape: a shape of nations.csv, or `@` and the name of an algorithm.
        days: dates of birth in days since 1970.
        female: 1 for women, 0 for men.
    """
    algorithm = _ALGORITHMS.get(shape)
    if algorithm is not None:
        return algorithm(rng, days, female)
    letters = np.array([ord(character) for character in shape])
    characters = np.tile(letters, (len(days), 1))
    free = letters == ord("#")
    characters[:, free] = rng.integers(0, 10, (len(days), int(free.sum()))) + _ZERO
    return _joined(characters)


def _mrz_check(fields: Ints) -> Ints:
    """Check digits of rows of character codes: weights 7 3 1, letters count from 10, `<` is 0."""
    values = np.where(fields >= _LETTER_A, fields - 55, np.where(fields == _FILLER, 0, fields - 48))
    weights = np.resize(_MRZ_WEIGHTS, fields.shape[1])
    return np.asarray(values @ weights % 10)


def _characters(values: Texts | list[str], width: int) -> Ints:
    fixed = np.array([value[:width].ljust(width, "<") for value in values], dtype=f"U{width}")
    return fixed.view(np.uint32).reshape(len(fixed), width).astype(np.int64)


def _six(days: Ints) -> Ints:
    years, months, day = _calendar(days)
    return np.concatenate([_two(years % 100), _two(months), _two(day)], axis=1) + _ZERO


def mrz_lines(numbers: Texts, issuers: Texts, births: Ints, women: Ints, expiries: Ints) -> Texts:
    """The second line of a TD3 machine-readable zone (ICAO 9303-4), number and composite wrong.

    The wrong digit is the right one plus one, so that a line depends on its row alone.
    """

    def checked(fields: Ints, shift: int) -> Ints:
        digit = (_mrz_check(fields) + shift) % 10 + _ZERO
        return np.concatenate([fields, digit[:, None]], axis=1)

    first = checked(_characters([n.replace("-", "") for n in numbers.tolist()], 9), 1)
    birth, end = checked(_six(births), 0), checked(_six(expiries), 0)
    optional = np.tile(np.append(np.full(14, _FILLER), _ZERO), (len(numbers), 1))
    composite = (_mrz_check(np.concatenate([first, birth, end, optional], axis=1)) + 1) % 10
    sex = np.where(women == 1, ord("F"), ord("M"))[:, None]
    issuer = _characters(issuers, 3)
    tail = (composite + _ZERO)[:, None]
    return _joined(np.concatenate([first, issuer, birth, sex, end, optional, tail], axis=1))
