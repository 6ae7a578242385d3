# SPDX-License-Identifier: EUPL-1.2
"""A country's root keys over time: which of them issues in a quarter, which may still go back.

Versions rise by one and are never used again. The newest root is active; the others are retired
and serve the quarters up to the one in which their successor began; a destroyed one serves none.
Both backends keep their roots by these rules; law rule GDP-31, docs/formats/keyset.md section 2.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from anonymise.domain import COUNTRY, EPOCH, MOST_VERSIONS
from anonymise.errors import (
    CeremonyError,
    KeysetExistsError,
    RootDestroyedError,
    RootNotServingError,
    UnknownCountryError,
)

FIRST_EPOCH = "0000q1"
"""The quarter from which a country's first root serves: all of them."""


class RootState(StrEnum):
    """What a root may still do."""

    ACTIVE = "active"
    RETIRED = "retired"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Root:
    """What is known of one root key without the key.

    Attributes:
        country: Whose data it covers.
        version: From 1; the key derivation binds it.
        since: First epoch that it serves.
        state: See `RootState`.
    """

    country: str
    version: int
    since: str
    state: RootState


Register = Mapping[str, tuple[Root, ...]]
"""By country, every root it ever had, oldest first."""


def sound(country: str, roots: Sequence[Root]) -> bool:
    """Whether these can be one country's roots; readers refuse any others."""
    if not COUNTRY.fullmatch(country) or not 1 <= len(roots) <= MOST_VERSIONS:
        return False
    states = [root.state for root in roots]
    return (
        [root.version for root in roots] == list(range(1, len(roots) + 1))
        and all(root.country == country and EPOCH.fullmatch(root.since) for root in roots)
        and all(before.since <= after.since for before, after in pairwise(roots))
        and states[-1] is RootState.ACTIVE
        and RootState.ACTIVE not in states[:-1]
    )


def roots_of(register: Register, country: str) -> tuple[Root, ...]:
    """Every root of a country.

    Raises:
        UnknownCountryError: it has none.
    """
    roots = register.get(country, ())
    if not roots:
        raise UnknownCountryError(
            f"there is no root key for {country}; make one with `cuvar keys create`"
        )
    return roots


def serving(roots: Sequence[Root], epoch: str) -> tuple[Root, ...]:
    """The roots that can have issued in an epoch, newest first; the first of them issues now."""
    ends = [after.since for after in roots[1:]]
    found = [
        root
        for root, end in zip(roots, [*ends, None], strict=True)
        if root.since <= epoch and (end is None or epoch <= end)
    ]
    return tuple(reversed(found))


def require_serving(roots: Sequence[Root], epoch: str, version: int) -> Root:
    """One root, where it may serve the epoch.

    Raises:
        RootDestroyedError: it was destroyed.
        RootNotServingError: there is none of this version, or it serves other epochs.
    """
    for root in serving(roots, epoch):
        if root.version == version:
            if root.state is RootState.DESTROYED:
                raise RootDestroyedError(
                    f"root key {version} of {root.country}, which served {epoch}, was destroyed; "
                    "its case numbers lead to nobody any more"
                )
            return root
    raise RootNotServingError(
        f"no root key of version {version} serves {epoch}; see `cuvar keys status`"
    )


def next_root(register: Register, country: str, since: str | None = None) -> Root:
    """What the next root of a country will be: its first without `since`, a successor with it.

    Raises:
        KeysetExistsError: a first one is asked for, and there is one.
        UnknownCountryError: a successor is asked for, and there is none to succeed.
        CeremonyError: country or epoch is malformed, or earlier than the predecessor's.
    """
    if not COUNTRY.fullmatch(country):
        raise CeremonyError("a country is written with two capital letters")
    if since is None:
        if register.get(country):
            raise KeysetExistsError(
                f"{country} has a root key, and keys are never replaced; see `cuvar keys rotate`"
            )
        return Root(country, 1, FIRST_EPOCH, RootState.ACTIVE)
    last = roots_of(register, country)[-1]
    if not EPOCH.fullmatch(since) or since < last.since:
        raise CeremonyError(
            f"name the quarter from which the new root serves: 2027q1, not before {last.since}"
        )
    return Root(country, last.version + 1, since, RootState.ACTIVE)


def to_destroy(register: Register, country: str, version: int, epoch: str) -> Root:
    """The root that may be destroyed in this epoch.

    Raises:
        UnknownCountryError: the country has no root.
        CeremonyError: there is none of this version, it is destroyed, active, or serves this epoch
            or a later one.
    """
    roots = roots_of(register, country)
    found = next((root for root in roots if root.version == version), None)
    if found is None or found.state is RootState.DESTROYED:
        raise CeremonyError(f"{country} has no root key {version} that could be destroyed")
    if found.state is RootState.ACTIVE or roots[version].since >= epoch:
        raise CeremonyError(
            f"root key {version} of {country} still serves; rotate first, and wait until the "
            "quarter in which its successor began is over"
        )
    return found


def keyset_digest(
    register: Register,
    custodians: Mapping[str, str],
    check: Callable[[Root], str | None],
    service: str | None,
) -> str:
    """SHA-256 of who keeps which roots: what approvals are bound to, and what the log names.

    Args:
        register: Every root.
        custodians: Name to public key.
        check: Check value of a root, None of a destroyed one: another root has another digest.
        service: Check value of the service secret, None where there is no keyset.
    """
    known = {
        country: [[root.version, root.since, str(root.state), check(root)] for root in roots]
        for country, roots in register.items()
    }
    text = json.dumps([dict(custodians), known, service], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


NO_KEYSET = keyset_digest({}, {}, lambda _root: None, None)
"""The digest where no keyset was made yet."""
