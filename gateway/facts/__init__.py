# SPDX-License-Identifier: EUPL-1.2
"""What is known about a guard now: surely true, possibly true, or false.

Three sources answer (the vocabulary's guards.csv names which): the question itself
(token, agreements), the fact register (cases, approvals, consents, captures, referrals as
attested by the systems that own them), and the owner's register (traits of the record).
A source that does not answer yields "possible", which stops allow lines and fires deny lines.
"""

from gateway.facts.attestation import Attestation, FactRegisterError, Scope
from gateway.facts.question import question_facts
from gateway.facts.record import TRAITS_OF, RecordFacts
from gateway.facts.register import FactRegister

__all__ = [
    "TRAITS_OF",
    "Attestation",
    "FactRegister",
    "FactRegisterError",
    "RecordFacts",
    "Scope",
    "question_facts",
]
