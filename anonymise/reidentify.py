# SPDX-License-Identifier: EUPL-1.2
"""Turning one pseudonym back into a surrogate: one value, one permission, one time.

Law rule GDP-39: reversal is a request that others granted, never a view. There is no call for two
values. The permission is spent before the value is told, in the ledger that the caller keeps for
good, so that two processes can't share one. Who granted it, and on what reason, the gateway
knows (docs/formats/facts.md); here it counts that it is in force and unspent.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from anonymise.domain import Domain
from anonymise.errors import PermissionExpiredError, PermissionSpentError, ReidentificationError
from anonymise.keyring import Keyring


class SpentPermissions(Protocol):
    """Where spent permissions are kept for good; the gateway has the SQL one."""

    async def spend(self, grant: str, until: datetime) -> bool:
        """Mark a grant as spent, durably; False when it was spent before."""
        ...


@dataclass(frozen=True, slots=True)
class Permission:
    """A grant to turn one pseudonym back.

    Attributes:
        grant: Identity of the grant; two permissions from one grant are one permission.
        domain: Of the pseudonym.
        pseudonym: The one value that it is about.
        granted_by: Who granted it; at least one.
        valid_from: Aware time.
        valid_to: Aware time; exclusive.
    """

    grant: str
    domain: Domain
    pseudonym: bytes = field(repr=False)
    granted_by: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime


async def reidentify(
    keyring: Keyring, permission: Permission, spent: SpentPermissions, *, now: datetime
) -> bytes:
    """The surrogate behind the one pseudonym of a permission.

    Raises:
        ReidentificationError: nobody granted it.
        PermissionExpiredError: it is not in force at this time.
        PermissionSpentError: its grant was used before.
        RootDestroyedError: the root of the domain is gone; nobody can turn it back.
        KeyringError, PseudonymError: no such root, or this is no pseudonym; the grant is unspent.
    """
    if not permission.grant or not all(permission.granted_by) or not permission.granted_by:
        raise ReidentificationError("nobody granted this; ask for it, with a reason, first")
    if not permission.valid_from <= now < permission.valid_to:
        raise PermissionExpiredError(
            "the permission is not in force at this time; ask for a new one"
        )
    # Worked out first and told last: whatever fails before the ledger answered spends nothing.
    surrogate = keyring.domain_cipher(permission.domain).reverse(permission.pseudonym)
    if not await spent.spend(permission.grant, permission.valid_to):
        raise PermissionSpentError("the permission was used before; ask for a new one")
    return surrogate
