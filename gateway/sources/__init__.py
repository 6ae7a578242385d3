# SPDX-License-Identifier: EUPL-1.2
"""National registers: what they are asked, how each one's own schema is read, and how they fail.

Start with `open_source`; docs/formats/mapping.md describes the file that a country writes.
"""

from gateway.sources.errors import (
    MappingError,
    MappingProblem,
    Reason,
    SourceQuestionError,
    SourceUnavailableError,
)
from gateway.sources.guarded import open_source
from gateway.sources.mapping import RegisterMapping
from gateway.sources.mapping_file import load_mapping
from gateway.sources.question import (
    ByReference,
    BySurrogate,
    BySurrogates,
    Everything,
    Fetch,
    NamedPerson,
    Selector,
)
from gateway.sources.record import NEVER, TRAITS, Page, Record, Traits, Value
from gateway.sources.source import Finding, Limits, Source

__all__ = [
    "NEVER",
    "TRAITS",
    "ByReference",
    "BySurrogate",
    "BySurrogates",
    "Everything",
    "Fetch",
    "Finding",
    "Limits",
    "MappingError",
    "MappingProblem",
    "NamedPerson",
    "Page",
    "Reason",
    "Record",
    "RegisterMapping",
    "Selector",
    "Source",
    "SourceQuestionError",
    "SourceUnavailableError",
    "Traits",
    "Value",
    "load_mapping",
    "open_source",
]
