# SPDX-License-Identifier: EUPL-1.2
"""Documents, biometric references and the register's own national number of each person.

A document belongs to the person and is seen again in each country, now and then with a wrong
digit; references to fingerprints and faces belong to each country's own system. Everything is
shaped right and valid nowhere (gateway.region.numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.region import numbers
from gateway.region.columns import Codes, Days, Frame, Numbers, Words, flags
from gateway.region.datafiles import COUNTRIES, nations
from gateway.region.local import Local
from gateway.region.randomness import MISSING, Flags, Ints, Texts, choose, stream, texts, thin
from gateway.region.world import Plan, World

__all__ = ["Documents", "issue_documents", "papers_frame"]

_JMBG_REGIONS: Final = {"BA": (1, 1), "ME": (2, 2), "MK": (4, 4), "RS": (6, 6), "SI": (50, 50)}
"""Register code of foreigners or of the state, where the number is of the JMBG family."""
_BIOMETRIC_AGE: Final = 6


@dataclass(frozen=True, slots=True)
class Documents:
    """Arrays over all persons; `number` is None for those without a document."""

    number: Texts
    expiry: Ints


def issue_documents(plan: Plan, world: World) -> Documents:
    """Every person's document; the same plan and world give the same numbers."""
    rng = stream(plan.seed, "documents")
    number = texts([None] * world.count)
    for nation, row in enumerate(nations()):
        for kind, shape in enumerate((row.passport, row.identity)):
            rows = np.flatnonzero((world.nation == nation) & (world.document == kind))
            if len(rows):
                number[rows] = numbers.number_of_shape(
                    rng, shape, world.born[rows], world.female[rows]
                )
    return Documents(number, plan.today + rng.integers(-900, 2400, world.count))


def _hex(rng: np.random.Generator, count: int, width: int) -> list[str]:
    drawn = rng.bytes(count * width // 2).hex()
    return [drawn[at : at + width] for at in range(0, count * width, width)]


def _misread(rng: np.random.Generator, number: Texts, where: Flags) -> Texts:
    """One digit of the chosen numbers replaced by the next one but one."""
    for row in np.flatnonzero(where).tolist():
        text = number[row]
        at = len(text) - 1 - int(rng.integers(0, 3))
        if text[at].isdigit():
            number[row] = text[:at] + str((int(text[at]) + 2) % 10) + text[at + 1 :]
    return number


def _papers(local: Local, documents: Documents) -> Frame:
    rng, rates, count = local.stream("papers"), local.rates, local.count
    world, who = local.world, local.seen.person
    number = documents.number[who]
    has = world.document[who] >= 0
    # Only passports: a slip in a number with a check digit could make it a valid one.
    passport = world.document[who] == 0
    number = _misread(rng, number, passport & thin(rng, rates.document_typo, count))
    scanned = texts([f"{local.country.lower()}-scan-{row:07d}" for row in range(count)])
    scanned[~(has & thin(rng, 0.6, count))] = None
    expiry = documents.expiry[who]
    issuer = np.where(has, world.nation[who], -1)
    alpha3 = tuple(row.alpha3 for row in nations())
    visa = has & thin(rng, 0.04, count)
    visas = texts([None] * count)
    visas[visa] = [f"V0{n:07d}" for n in rng.integers(0, 10**7, int(visa.sum())).tolist()]
    issued_on = expiry - 365 * np.where(world.document[who] == 0, 5, 10)
    return {
        "has_document": flags(has),
        "doc_type": Codes(world.document[who], ("passport", "identity_card")),
        "doc_authenticity": Codes(
            np.where(has, choose(rng, [0.86, 0.05, 0.09], count), -1),
            ("genuine", "forged", "unchecked"),
        ),
        "doc_number": Words(number),
        "doc_scan_ref": Words(scanned),
        "doc_issuer": Codes(issuer, alpha3),
        "doc_expiry": Days(np.where(has, expiry, MISSING)),
        "doc_issued_on": Days(np.where(has, issued_on, MISSING)),
        "doc_mrz": Words(_lines(local, number, expiry)),
        "visa_number": Words(visas),
        "visa_state": Codes(
            np.where(visa, choose(rng, [1.0] * len(COUNTRIES), count), -1), COUNTRIES
        ),
        "doc_alert": Codes(
            np.where(has, thin(rng, rates.document_alert, count), -1), ("no", "yes")
        ),
    }


def _lines(local: Local, number: Texts, expiry: Ints) -> Texts:
    """The machine-readable line of each passport, None for all else."""
    world, who = local.world, local.seen.person
    alpha3 = [row.alpha3 for row in nations()]
    line = texts([None] * local.count)
    rows = np.flatnonzero(world.document[who] == 0)
    if len(rows):
        line[rows] = numbers.mrz_lines(
            number[rows],
            texts([alpha3[nation] for nation in world.nation[who[rows]].tolist()]),
            world.born[who[rows]],
            world.female[who[rows]],
            expiry[rows],
        )
    return line


def _biometrics(local: Local) -> Frame:
    rng, rates, count = local.stream("biometrics"), local.rates, local.count
    old_enough = local.ages(local.world.born[local.seen.person]) >= _BIOMETRIC_AGE
    prefix = local.country
    fingers = texts([f"{prefix}-AF-{code}" for code in _hex(rng, count, 12)])
    faces = texts([f"{prefix}-FI-{code}" for code in _hex(rng, count, 12)])
    taken = old_enough & thin(rng, rates.fingerprinted, count)
    fingers[~taken] = None
    pictured = old_enough & thin(rng, rates.photographed, count)
    faces[~pictured] = None
    return {
        "has_biometrics": flags(taken | pictured),
        "fingerprint_ref": Words(fingers),
        "face_ref": Words(faces),
        "biometric_quality": Numbers(
            np.where(taken, choose(rng, [0.35, 0.3, 0.2, 0.1, 0.05], count) + 1, MISSING)
        ),
        "surrogate": Words(texts(_hex(rng, count, 32))),
        "security_flag": flags(thin(rng, rates.security_flag, count)),
    }


def _national_numbers(local: Local) -> Texts:
    """The number that this country gives to a foreigner, in its own shape."""
    rng, country = local.stream("national numbers"), local.country
    born = local.world.born[local.seen.person]
    female = local.world.female[local.seen.person]
    if country in _JMBG_REGIONS:
        low, high = _JMBG_REGIONS[country]
        return numbers.jmbg(rng, born, female, rng.integers(low, high + 1, local.count))
    if country == "HR":
        return numbers.oib(rng, local.count)
    if country == "GR":
        return numbers.with_luhn(rng, numbers.amka_body(rng, born))
    if country == "AT":
        return numbers.svnr(rng, born)
    return numbers.number_of_shape(rng, "@nid", born, female)


def papers_frame(local: Local, documents: Documents) -> Frame:
    """Document, biometric and number columns of every person in the register."""
    given = _national_numbers(local)
    given[~thin(local.stream("numbered"), 0.25, local.count)] = None
    return {
        **_papers(local, documents),
        **_biometrics(local),
        "national_number": Words(given),
    }
