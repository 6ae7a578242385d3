# SPDX-License-Identifier: EUPL-1.2
"""How often each thing happens in the synthetic region; every rate is a parameter here.

Sources of the defaults, in short: shares of children, women and lone minors after UNHCR Serbia
updates; shares without a document and of 1 January birthdays after German registration figures;
name differences between two registrations after the ALSPAC two-wave comparison; the rest are the
project's own assumptions (docs/region.md names which is which). None of them is a finding about
people: they only make the test bed as hard as real registers are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

__all__ = ["AS_OF", "REGION_VERSION", "Rates"]

AS_OF: Final = date(2026, 11, 24)
"""The day on which the region stands still unless another is asked for."""

REGION_VERSION: Final = "1"
"""Raised whenever the same seed gives other contents."""


@dataclass(frozen=True, slots=True)
class Rates:
    """All shares lie in 0..1 and are of persons unless the name says otherwise."""

    # Who travels together (shares of travelling units)
    lone_adult: float = 0.755
    lone_minor: float = 0.10
    couple: float = 0.03
    family: float = 0.065
    single_parent: float = 0.03
    siblings: float = 0.02
    lone_woman: float = 0.05
    twins: float = 0.03
    """of units with two children or siblings"""
    namesakes: float = 0.006
    """strangers with another person's name and year of birth"""
    separated_from_unit: float = 0.02
    """of registrations beyond the first: this member took another way"""

    # The journey
    hops: tuple[float, float, float, float] = (0.57, 0.26, 0.11, 0.06)
    window_days: int = 1095
    again_in_same_country: float = 0.05
    """of persons in a register: apprehended there a second time"""

    # Names as each register writes them (shares of registrations)
    double_forename: float = 0.25
    single_name: float = 0.04
    typo_surname: float = 0.03
    typo_forename: float = 0.03
    names_swapped: float = 0.04
    alias_used: float = 0.015
    other_romanisation: float = 0.40
    heard_not_read: float = 0.35
    """of registrations of documented persons; undocumented ones are always heard"""
    patronymic_as_surname: float = 0.07
    """only Afghan, Somali and Eritrean naming"""
    own_script_kept: float = 0.45
    previous_name: float = 0.02
    birth_name: float = 0.4
    """of wives who bear their husband's surname"""
    own_surname_kept: float = 0.45
    """of wives"""

    # Dates of birth (shares of registrations)
    dob_made_first_january: float = 0.02
    dob_day_month_swapped: float = 0.03
    dob_year_slipped: float = 0.04
    dob_day_slipped: float = 0.03
    dob_unknown: float = 0.003
    minor_recorded_adult: float = 0.03
    """of 15 to 17 year-olds"""
    adult_recorded_minor: float = 0.02
    """of 18 to 20 year-olds"""
    year_only_admitted: float = 0.5
    """of 1 January birthdays that come from a known year only: precision says so"""
    nationality_changed: float = 0.03
    second_nationality: float = 0.01

    # Documents and biometrics
    documented: float = 0.50
    document_typo: float = 0.05
    """of registrations with a passport"""
    document_alert: float = 0.006
    fingerprinted: float = 0.93
    photographed: float = 0.86
    security_flag: float = 0.002

    # What happens in a country (shares of persons in a register)
    stay: float = 0.55
    still_there: float = 0.30
    """of stays within a year, of persons at the last place known"""
    mean_stay_days: float = 17.0
    protection_note: float = 0.10
    trafficking: float = 0.06
    """of protection notes"""
    tracing_request: float = 0.01
    readmission: float = 0.035
    """of moves from one register's country to the next"""
    granted_avrr: float = 0.02

    # What is true of a record
    blocked: float = 0.006
    deceased: float = 0.001
    naturalised: float = 0.002
    retention_over: float = 0.012
    notice_missing: float = 0.06
    from_aid_body: float = 0.03
    from_abroad: float = 0.03
    from_eurodac: float = 0.12
    """only in the registers of member states"""
    persecutor_own_state: float = 0.30
    persecutor_other_state: float = 0.01
    resides_elsewhere: float = 0.08
    guardian_named: float = 0.7
    """of unaccompanied minors"""
    best_interest_done: float = 0.5
    """of unaccompanied minors"""

    def typo(self) -> float:
        """Share of registrations with a slip in either name."""
        return self.typo_surname + self.typo_forename
