# SPDX-License-Identifier: EUPL-1.2
"""Identity into less identity: views, pseudonyms, case numbers, protected tables.

    plan = compile_view("pseudonym", {"biographic.date_of_birth": "age_band"})
    domain = keyring.domain("BA", "UNHCR", "humanitarian_assistance", "2026q4")
    cipher = keyring.domain_cipher(domain)
    rows = plan.apply(records, ViewContext(today=today, case_nos=numbers))

Pure but for the keyset file. Knows no roles, no rules and no country's law: the gateway passes
in the permitted fields and what the recipient's domain looks like. Whatever is unknown here is
refused with an `AnonymiseError`, or comes out as nothing.
"""

from anonymise.anonymity import Anonymity
from anonymise.case_number import (
    CaseNumber,
    CaseNumbers,
    draw_number,
    format_case_no,
    parse_case_no,
)
from anonymise.context import ViewContext
from anonymise.crowd import ANY, WITHHELD, Crowd
from anonymise.domain import Domain, epoch_of
from anonymise.errors import (
    AnonymiseError,
    AnonymityError,
    CaseNumberError,
    ContextError,
    DisclosureError,
    DomainError,
    KeyringError,
    LedgerError,
    PlanError,
    PrivateTableError,
    PseudonymError,
    TableError,
    UnknownTreatmentError,
)
from anonymise.groups import SHARED_BY, tally
from anonymise.hit import BARE, Hit, shape_hit
from anonymise.keyring import Keyring
from anonymise.pseudonym import DomainCipher
from anonymise.treatment import TREATMENTS
from anonymise.value import Row, Value
from anonymise.view import HIT_FIELDS, ViewPlan, arrange, compile_view

__all__ = [
    "ANY",
    "BARE",
    "HIT_FIELDS",
    "SHARED_BY",
    "TREATMENTS",
    "WITHHELD",
    "AnonymiseError",
    "Anonymity",
    "AnonymityError",
    "CaseNumber",
    "CaseNumberError",
    "CaseNumbers",
    "ContextError",
    "Crowd",
    "DisclosureError",
    "Domain",
    "DomainCipher",
    "DomainError",
    "Hit",
    "Keyring",
    "KeyringError",
    "LedgerError",
    "PlanError",
    "PrivateTableError",
    "PseudonymError",
    "Row",
    "TableError",
    "UnknownTreatmentError",
    "Value",
    "ViewContext",
    "ViewPlan",
    "arrange",
    "compile_view",
    "draw_number",
    "epoch_of",
    "format_case_no",
    "parse_case_no",
    "shape_hit",
    "tally",
]
