# SPDX-License-Identifier: EUPL-1.2
"""One line of a rule file, as written and with its zones expanded: docs/formats/rules.md, "Lines".

A line is what a country signs: who, whose data, which form, why, when, with which duties, under
which law. `policies.ruleset` reads and checks it; `policies.matcher` hands it to casbin.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.table import AND, NONE

COLUMNS = (
    "id",
    "role",
    "org",
    "owner",
    "dataset",
    "category",
    "view",
    "action",
    "purpose",
    "guards",
    "eft",
    "duties",
    "law",
    "status",
    "note",
)
POLICY = COLUMNS[:-2]
"""What casbin sees of a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A checked line; list columns hold ids only, or "*" alone.

    `org` holds asker names: an organisation, or "UNHCR/BA" for an office stationed in a country.
    """

    file: str
    number: int
    id: str
    role: tuple[str, ...]
    org: tuple[str, ...]
    owner: tuple[str, ...]
    dataset: tuple[str, ...]
    category: tuple[str, ...]
    view: tuple[str, ...]
    action: tuple[str, ...]
    purpose: tuple[str, ...]
    guards: tuple[str, ...]
    eft: str
    duties: tuple[str, ...]
    law: tuple[str, ...]
    status: str
    note: str

    def policy(self) -> list[str]:
        """The line as casbin stores it, in the order of the model's policy definition."""
        return [
            self.id,
            join(self.role),
            join(self.org),
            join(self.owner),
            join(self.dataset),
            join(self.category),
            join(self.view),
            join(self.action),
            join(self.purpose),
            join(self.guards),
            self.eft,
            join(self.duties),
            join(self.law),
        ]


def join(parts: tuple[str, ...]) -> str:
    """A list cell: "a + b", or "-" for nothing."""
    return AND.join(parts) if parts else NONE
