# SPDX-License-Identifier: EUPL-1.2
"""Which real servers this test run talked to; tests/conftest.py prints it at the end."""

from __future__ import annotations

__all__ = ["lines", "used", "versions"]

_ORDER = ("PostgreSQL", "MariaDB", "SQLite", "oidc-provider")
_USED: dict[str, str] = {}


def used(name: str, version: str) -> None:
    """Notes that the real server `name` answered, with the version that it told."""
    _USED[name] = version


def versions() -> dict[str, str]:
    """The servers noted so far, by name."""
    return dict(_USED)


def lines() -> list[str]:
    """One line for each server used, the expected four first."""
    names = [*_ORDER, *sorted(set(_USED) - set(_ORDER))]
    return [f"real {name} {_USED[name]}" for name in names if name in _USED]
