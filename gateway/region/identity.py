# SPDX-License-Identifier: EUPL-1.2
"""How one register writes a person's names and date of birth, with everything that goes wrong.

Names: the register's letters, read or heard, one of three romanisations, slips of the pen, swapped
parts, an alias, a father's name for a surname, a single name. Births: 1 January for a known year,
day and month swapped, years slipped, minors written down as adults and the reverse. Each rate is a
parameter of gateway.region.rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from gateway.region.columns import Codes, Days, Frame, Several, Words, flags
from gateway.region.datafiles import nations, read_rows
from gateway.region.lexicon import ROMANISATIONS, lexicon
from gateway.region.local import Local
from gateway.region.orthography import write
from gateway.region.randomness import MISSING, Flags, Ints, Texts, choose, texts, thin
from gateway.sources.spelling import mrz

__all__ = ["Written", "identity_frame"]

_KEYS: Final = "qwertyuiopasdfghjklzxcvbnm"
_SPELLINGS: Final = 2 * ROMANISATIONS
_CONFUSED: Final = {
    "AF": "PK IR",
    "PK": "AF IN",
    "IR": "AF",
    "SY": "IQ PS",
    "IQ": "SY",
    "PS": "SY",
    "MA": "DZ",
    "DZ": "MA",
    "TN": "LY",
    "LY": "TN",
    "EG": "SY",
    "SD": "EG",
    "BD": "IN",
    "IN": "PK",
    "ER": "SD",
    "XK": "AL",
    "AL": "XK",
    "XX": "SY",
}
_MAJORITY: Final = 18


@lru_cache(maxsize=65536)
def _mrz(name: str) -> str:
    """`mrz`, short of its work where a name is plain letters already."""
    return name.upper() if name.isascii() and name.isalpha() else mrz(name)


@dataclass(frozen=True, slots=True)
class Written:
    """Names as written, and their forms for searching, side by side."""

    shown: Texts
    searched: Texts


class _Speller:
    """Every entry that this country needs, in its six spellings: three read, three heard."""

    def __init__(self, country: str, entries: Ints) -> None:
        book = lexicon()
        self._place = np.zeros(len(book.romanised) + 1, dtype=np.int64)
        self._place[entries] = np.arange(len(entries))
        rows: list[str] = []
        for entry in entries.tolist():
            culture = book.culture[int(book.culture_of[entry])]
            rows.extend(
                write(name, culture, country, heard=heard)
                for heard in (False, True)
                for name in book.romanised[entry]
            )
        self._shown = texts(rows)
        self._searched = texts([_mrz(row) for row in rows])

    def spell(self, entries: Ints, style: Ints) -> Written:
        """These entries, each in its style; entries of -1 give an arbitrary name."""
        where = self._place[entries] * _SPELLINGS + style
        return Written(self._shown[where], self._searched[where])


def _joined(first: Written, second: Written, both: Flags) -> Written:
    shown, searched = first.shown, first.searched
    shown[both] = shown[both] + " " + second.shown[both]
    searched[both] = searched[both] + " " + second.searched[both]
    return Written(shown, searched)


def _slipped(rng: np.random.Generator, name: Written, where: Flags) -> Written:
    """One slip of the pen in each of the chosen names."""
    rows = np.flatnonzero(where)
    kinds = rng.integers(0, 4, len(rows)).tolist()
    spots = rng.random(len(rows)).tolist()
    keys = rng.integers(0, len(_KEYS), len(rows)).tolist()
    for row, kind, spot, key in zip(rows.tolist(), kinds, spots, keys, strict=True):
        text = name.shown[row]
        if text is None or len(text) < 3:  # noqa: PLR2004  too short to slip in
            continue
        at = 1 + int(spot * (len(text) - 2))
        letter = text[at - 1] if not text.isascii() else _KEYS[key]
        changed = (
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[: at - 1] + text[at].lower() + text[at - 1].lower() + text[at + 1 :],
            text[:at] + letter + text[at + 1 :],
        )[kind]
        changed = changed.upper() if text.isupper() else changed[0].upper() + changed[1:]
        searched = _mrz(changed)
        if searched:
            name.shown[row], name.searched[row] = changed, searched
    return name


def _styles(rng: np.random.Generator, local: Local) -> Ints:
    """Romanisation and whether it was heard, as a number below six."""
    world, who, rates = local.world, local.seen.person, local.rates
    other = thin(rng, rates.other_romanisation, local.count)
    heard = (world.document[who] < 0) | thin(rng, rates.heard_not_read, local.count)
    own = world.names.romanisation[who]
    drawn = (own + rng.integers(1, ROMANISATIONS, local.count)) % ROMANISATIONS
    return np.asarray(np.where(other, drawn, own) + ROMANISATIONS * heard)


def _previous(written: Written, mask: Flags) -> Words:
    shown = written.shown.copy()
    shown[~mask] = None
    return Words(shown)


@dataclass(frozen=True, slots=True)
class _Used:
    """Entry numbers of the names that a person gave here, and the true ones."""

    alias: Flags
    forename: Ints
    second: Ints
    surname: Ints
    true_forename: Ints
    true_surname: Ints


def _used(rng: np.random.Generator, local: Local) -> _Used:
    """An alias is another person's pair of names; a father's name may stand for the surname."""
    rates, names, who = local.rates, local.world.names, local.seen.person
    alias = thin(rng, rates.alias_used, local.count)
    borrowed = rng.permutation(local.count)
    forename, surname = names.forename[who], names.surname[who]
    father = (names.patronymic[who] >= 0) & thin(rng, rates.patronymic_as_surname, local.count)
    surname = np.where(father, names.patronymic[who], surname)
    return _Used(
        alias=alias,
        forename=np.where(alias, forename[borrowed], forename),
        second=np.where(alias, -1, names.forename2[who]),
        surname=np.where(alias, surname[borrowed], surname),
        true_forename=forename,
        true_surname=surname,
    )


def _names(local: Local) -> Frame:
    rng, rates, count = local.stream("names"), local.rates, local.count
    names, who = local.world.names, local.seen.person
    used = _used(rng, local)
    birth, earlier = names.birth_surname[who], names.previous_surname[who]
    needed = np.concatenate([used.true_forename, used.second, used.true_surname, birth, earlier])
    speller = _Speller(local.country, np.unique(needed[needed >= 0]))
    style = _styles(rng, local)
    given = speller.spell(used.forename, style)
    given = _joined(given, speller.spell(used.second, style), used.second >= 0)
    given = _slipped(rng, given, thin(rng, rates.typo_forename, count))
    family = speller.spell(used.surname, style)
    family = _slipped(rng, family, thin(rng, rates.typo_surname, count))
    single = names.single[who]
    swapped = ~single & thin(rng, rates.names_swapped, count)
    first, last = _arranged(given, family, swapped, single)
    return {
        "surnames": Words(last.shown),
        "forenames": Words(first.shown),
        "surnames_mrz": Words(last.searched),
        "forenames_mrz": Words(first.searched),
        "birth_names": _previous(speller.spell(birth, style), birth >= 0),
        "previous_names": _previous(speller.spell(earlier, style), earlier >= 0),
        "aliases": _aliases(rng, local, speller, used, style),
        "original_script": _script(rng, local),
    }


def _arranged(
    given: Written, family: Written, swapped: Flags, single: Flags
) -> tuple[Written, Written]:
    """Forenames and surnames as they stand; a single name stands as the surname."""
    first = Written(
        np.where(swapped, family.shown, given.shown),
        np.where(swapped, family.searched, given.searched),
    )
    last = Written(
        np.where(swapped | single, given.shown, family.shown),
        np.where(swapped | single, given.searched, family.searched),
    )
    first.shown[single], first.searched[single] = None, None
    return first, last


def _aliases(
    rng: np.random.Generator, local: Local, speller: _Speller, used: _Used, style: Ints
) -> Words:
    """The true name behind an alias that was found out, or another spelling of the name."""
    found_out = used.alias & thin(rng, 0.5, local.count)
    known = found_out | thin(rng, local.rates.alias_used, local.count)
    other = (style + 1) % ROMANISATIONS + ROMANISATIONS * (style >= ROMANISATIONS)
    spelled = np.where(used.alias, style, other)
    forenames = speller.spell(used.true_forename, spelled).shown
    made = forenames + " " + speller.spell(used.true_surname, spelled).shown
    made[~known] = None
    return Words(made)


def _script(rng: np.random.Generator, local: Local) -> Words:
    book, world, who = lexicon(), local.world, local.seen.person
    first, last = book.script[world.names.forename[who]], book.script[world.names.surname[who]]
    kept = thin(rng, local.rates.own_script_kept, local.count)
    has = kept & (first != None) & (last != None)  # noqa: E711  elementwise on an object array
    made = texts([None] * local.count)
    made[has] = first[has] + " " + last[has]
    return Words(made)


def _born(local: Local) -> Frame:
    rng, rates, count = local.stream("births"), local.rates, local.count
    world, who = local.world, local.seen.person
    born, year_only = world.born[who].copy(), world.year_only[who]
    age = local.ages(born)
    year = 365
    older = (age >= 15) & (age < _MAJORITY) & thin(rng, rates.minor_recorded_adult, count)  # noqa: PLR2004
    younger = (age >= _MAJORITY) & (age < 21) & thin(rng, rates.adult_recorded_minor, count)  # noqa: PLR2004
    born = born + year * (2 * younger - 3 * older)
    slips = rng.integers(1, 3, count) * np.where(rng.random(count) < 0.5, -1, 1)  # noqa: PLR2004
    born = born + year * slips * (~year_only & thin(rng, rates.dob_year_slipped, count))
    born = born + slips * (~year_only & thin(rng, rates.dob_day_slipped, count))
    swap = ~year_only & thin(rng, rates.dob_day_month_swapped, count)
    born = np.where(swap, _swapped(born), born)
    stamps = born.astype("datetime64[D]")
    january = stamps.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    guessed = year_only | thin(rng, rates.dob_made_first_january, count)
    born = np.where(guessed, january, born)
    born = np.minimum(born, local.seen.day)
    admitted = guessed & thin(rng, rates.year_only_admitted, count)
    unknown = thin(rng, rates.dob_unknown, count)
    return {
        "date_of_birth": Days(np.where(unknown, MISSING, born)),
        "dob_precision": Codes(
            np.where(unknown, 2, admitted.astype(np.int64)), ("day", "year", "unknown")
        ),
    }


def _swapped(days: Ints) -> Ints:
    """Day and month exchanged where both can be either."""
    stamps = days.astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    years = stamps.astype("datetime64[Y]")
    month = (months - years.astype("datetime64[M]")).astype(np.int64)
    day = (stamps - months).astype(np.int64)
    turned = years.astype("datetime64[M]") + np.minimum(day, 11)
    result = turned.astype("datetime64[D]").astype(np.int64) + month
    return np.where(day < 12, result, days)  # noqa: PLR2004  twelve months


def _nationalities(rng: np.random.Generator, local: Local) -> Several:
    codes = [row.code for row in nations()]
    nation = local.world.nation[local.seen.person]
    first = np.arange(len(codes))
    second = np.arange(len(codes))
    for code, others in _CONFUSED.items():
        options = [codes.index(other) for other in others.split()]
        first[codes.index(code)], second[codes.index(code)] = options[0], options[-1]
    confused = np.where(rng.random(local.count) < 0.6, first[nation], second[nation])  # noqa: PLR2004
    changed = thin(rng, local.rates.nationality_changed, local.count)
    shown = np.where(changed, confused, nation)
    extra = local.world.nation2[local.seen.person]
    extra = np.where(extra == shown, -1, extra)
    return Several(np.stack([shown, extra], axis=1), tuple(codes))


@lru_cache(maxsize=1)
def _cities() -> tuple[tuple[str, ...], Ints, Ints]:
    by_nation = {row["nation"]: row["cities"].split("|") for row in read_rows("data", "cities")}
    words: list[str] = []
    start, many = [], []
    for nation in nations():
        start.append(len(words))
        many.append(len(by_nation[nation.code]))
        words.extend(by_nation[nation.code])
    return tuple(words), np.asarray(start), np.asarray(many)


def identity_frame(local: Local) -> Frame:
    """Names, birth, sex, nationalities, and the facts of the person that rules turn on."""
    rng, world, who = local.stream("identity"), local.world, local.seen.person
    codes = tuple(row.code for row in nations())
    nationalities = _nationalities(rng, local)
    words, start, many = _cities()
    nation = world.nation[who]
    city = start[nation] + (rng.random(local.count) ** 1.6 * many[nation]).astype(np.int64)
    city = np.where(thin(rng, 0.12, local.count), -1, city)
    sex = np.where(thin(rng, 0.0008, local.count), 2, world.female[who])
    persecutor = world.persecutor[who]
    return {
        **_names(local),
        **_born(local),
        "place_of_birth": Codes(city, words),
        "sex": Codes(sex, ("M", "F", "X")),
        "nationalities": nationalities,
        "habitual_residence": Codes(world.residence[who], codes),
        "declared_persecutor": Codes(persecutor, codes),
        "deceased": flags(world.deceased[who] & thin(rng, 0.7, local.count)),
        "naturalised": flags(world.naturalised[who] & thin(rng, 0.7, local.count)),
        "blocked": flags(thin(rng, local.rates.blocked, local.count)),
        **_guardianship(rng, local),
    }


def _guardianship(rng: np.random.Generator, local: Local) -> Frame:
    world, who, rates = local.world, local.seen.person, local.rates
    alone = world.lone_minor[who] & (local.ages(world.born[who]) < _MAJORITY)
    choice = choose(rng, [rates.guardian_named, 1 - rates.guardian_named], local.count)
    guardian = alone & (choice == 0)
    return {
        "unaccompanied": flags(alone),
        "guardian_record": flags(guardian),
        "best_interest": flags(guardian & thin(rng, rates.best_interest_done, local.count)),
    }
