# SPDX-License-Identifier: EUPL-1.2
"""What log lines, metrics and spans may say: one closed table of keys and their values.

Block-lists forget; this is an allow-list. A value passes only if its key is listed and the value
is a member of a closed set, a bounded number, an id the gateway made itself, or an exception,
of which only the class and the places in our own modules are told. Text is never passed through,
since any text may hold a name (architecture: no identity value in logs, traces, metrics).

`Words` holds the sets that depend on the rule set and the routes; an empty set allows nothing.
Used by logs.py, metrics.py and tracing.py.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from types import TracebackType
from typing import Any

from audit.errors import Trouble
from gateway.identity.errors import Fault

__all__ = [
    "Outcome",
    "Phase",
    "RulesRefusal",
    "SignalFields",
    "SourceState",
    "Words",
    "error_fields",
]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
_ROOMS = frozenset({"policies", "gateway", "anonymise", "audit"})
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_FRAMES = 12
_MOST_COUNT = 1_000_000
_MOST_INDEX = 1 << 53
_MOST_MS = 86_400_000.0


class Phase(StrEnum):
    """The steps of a question, as the pipeline walks them."""

    REQUEST = "request"
    IDENTITY = "identity"
    QUESTION = "question"
    DECIDE = "decide"
    FETCH = "fetch"
    TREAT = "treat"
    RECORD = "record"


class Outcome(StrEnum):
    """How a question ended for one owner."""

    ANSWERED = "answered"
    EMPTY = "empty"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class RulesRefusal(StrEnum):
    """Why a rule set was not taken."""

    UNREADABLE = "unreadable"
    SIGNATURE = "signature"
    RULES = "rules"
    OLDER = "older"
    DATES = "dates"
    RECORD = "record"


class SourceState(StrEnum):
    """What a register last did."""

    UP = "up"
    TIMEOUT = "timeout"
    DOWN = "down"
    OPEN = "open"
    WRONG = "wrong"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Words:
    """The closed sets that come from the rule set, the settings and the routes."""

    routes: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    datasets: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    issuers: frozenset[str] = frozenset()


class SignalFields:
    """The table: key → check. A check gives the value to show, or None to drop it."""

    def __init__(self, words: Words) -> None:
        self.words = words
        sets: Mapping[str, frozenset[str]] = {
            "route": words.routes,
            "owner": words.owners,
            "organisation": words.organisations,
            "dataset": words.datasets,
            "action": words.actions,
            "purpose": words.purposes,
            "view": words.views,
            "issuer": words.issuers,
            "method": METHODS,
            "phase": frozenset(Phase),
            "outcome": frozenset(Outcome),
            "fault": frozenset(Fault),
            "state": frozenset(SourceState),
            "trouble": frozenset(Trouble),
            "standing": frozenset({"fine", "alarm", "block"}),
            "refusal": frozenset(RulesRefusal),
        }
        self._sets = sets
        self._checks: dict[str, Callable[[Any], Any]] = {
            **{key: _member_of(words_of_key) for key, words_of_key in sets.items()},
            "correlation": _matching(_UUID7),
            "policy": _matching(_DIGEST),
            "status": _whole(100, 599),
            "port": _whole(0, 65_535),
            "count": _whole(0, _MOST_COUNT),
            "in_flight": _whole(0, _MOST_COUNT),
            "queue_depth": _whole(0, _MOST_COUNT),
            "retry_after_s": _whole(0, 86_400),
            "log_index": _whole(0, _MOST_INDEX),
            "log_size": _whole(0, _MOST_INDEX),
            "duration_ms": _duration,
        }

    def clean(self, key: str, value: Any) -> Any:
        """The value if this key may carry it, else None."""
        check = self._checks.get(key)
        return None if check is None else check(value)

    def label(self, key: str, value: Any) -> str:
        """A member of the key's closed set; whatever is not becomes `other`."""
        return str(value) if isinstance(value, str) and value in self._sets[key] else OTHER


def _member_of(words: frozenset[str]) -> Callable[[Any], Any]:
    return lambda value: str(value) if isinstance(value, str) and value in words else None


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], Any]:
    match = pattern.fullmatch
    return lambda value: value if isinstance(value, str) and match(value) else None


def _whole(least: int, most: int) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is int and least <= value <= most else None


def _duration(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(float(value), 3) if number and 0 <= value <= _MOST_MS else None


def error_fields(error: BaseException) -> dict[str, Any]:
    """An exception as it may be shown: its class, and where in our own modules it passed.

    Neither its text nor any local value is read. Frames of other people's code are left out.
    """
    kind = type(error)
    return {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "where": _own_frames(error.__traceback__),
    }


def _own_frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if isinstance(module, str) and module.partition(".")[0] in _ROOMS:
            name = PurePath(traceback.tb_frame.f_code.co_filename).stem
            frames.append(f"{module}:{traceback.tb_lineno}" if name else module)
        traceback = traceback.tb_next
    return frames[-_MOST_FRAMES:]
