# SPDX-License-Identifier: EUPL-1.2
"""The process's own log lines: JSON, one a line, from an allow-list of events and fields.

What a field may say stands in signals.py; an event that is not in `Event` is written as
`unlisted` without any field. Whatever is dropped is counted, so that a wrong call shows in the
metrics instead of in a log. Other people's loggers (uvicorn, asyncio, SQLAlchemy) come through
the same gate with their name and level only: their messages may quote a path, a row or a
statement. Not to be confused with the transparency log in `audit/`.

Who relies on it: every module of gateway/ that has something to tell an operator.
"""

import logging
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog

from gateway.signals import SignalFields, error_fields

__all__ = ["AllowList", "Event", "EventLog", "open_log", "route_libraries"]

LIBRARIES = frozenset(
    {
        "aiohttp",
        "asyncio",
        "asyncmy",
        "asyncpg",
        "casbin",
        "concurrent",
        "fastapi",
        "opentelemetry",
        "py",
        "sqlalchemy",
        "starlette",
        "uvicorn",
    }
)
_LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class Event(StrEnum):
    """Everything that an operator is told about; a new event is added here first."""

    STARTED = "gateway.started"
    READY = "gateway.ready"
    NOT_READY = "gateway.not_ready"
    STOPPING = "gateway.stopping"
    STOPPED = "gateway.stopped"
    REQUEST = "request"
    TIMED_OUT = "request.timed_out"
    UNEXPECTED = "request.unexpected_error"
    TOKEN_REFUSED = "token.refused"  # noqa: S105 - an event's name, no password
    LIMITED = "question.limited"
    POLICIES_LOADED = "policies.loaded"
    POLICIES_UNSIGNED = "policies.unsigned_development_mode"
    POLICIES_REFUSED = "policies.refused"
    POLICIES_DIFFER = "policies.shadow_differs"
    POLICIES_WELL = "policies.well"
    SOURCE_CHANGED = "source.changed"
    FACTS_STALE = "facts.stale"
    FACTS_FRESH = "facts.fresh"
    KEYSET_UNNAMED = "keyset.not_named_by_the_log"
    CASE_NUMBER_UNFIT = "case_number.without_fitting_tag"
    KEYS_REFRESHED = "issuer.keys_refreshed"
    KEYS_UNAVAILABLE = "issuer.keys_unavailable"
    LOG_UNAVAILABLE = "log.unavailable"
    LOG_AVAILABLE = "log.available"
    LOG_TURNED = "log.turned"
    LOG_NOT_TURNED = "log.not_turned"
    WITNESSING = "log.witnessing"
    UNWATCHED = "log.unwatched"
    CLOCK_OFF = "clock.off"
    TIMESTAMPED = "log.timestamped"
    NOT_TIMESTAMPED = "log.not_timestamped"
    CRASH = "crash"
    LIBRARY = "library"
    UNLISTED = "unlisted"


class AllowList:
    """The structlog processor that lets only listed events and fields through."""

    def __init__(self, fields: SignalFields, on_drop: Callable[[], None]) -> None:
        self._clean = fields.clean
        self._on_drop = on_drop

    def __call__(
        self, _logger: Any, level: str, event_dict: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Build a new line from what is allowed; nothing is carried over by default."""
        event = event_dict.pop("event", None)
        listed = isinstance(event, Event)
        line: dict[str, Any] = {
            "t": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "event": event.value if isinstance(event, Event) else Event.UNLISTED.value,
        }
        if not listed:
            self._on_drop()
            return line
        for key, value in event_dict.items():
            if value is None:
                continue
            if key == "error" and isinstance(value, BaseException):
                line.update(error_fields(value))
            elif key == "library":
                line["library"] = value if value in LIBRARIES else "other"
            elif (shown := self._clean(key, value)) is not None:
                line[key] = shown
            else:
                self._on_drop()
        return line


class _Sink:
    """Writes finished lines. A full disk loses log lines, never an answer; the loss is counted."""

    def __init__(self, stream: BinaryIO, on_drop: Callable[[], None]) -> None:
        self._stream = stream
        self._on_drop = on_drop

    def write(self, line: bytes) -> None:
        """One line, at once."""
        try:
            self._stream.write(line + b"\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._on_drop()

    debug = info = warning = error = critical = write


def _render(_logger: Any, _level: str, line: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(line)


class EventLog:
    """Writes events. Fields that are not allowed are dropped and counted."""

    def __init__(self, logger: Any) -> None:
        self._debug: Callable[..., None] = logger.debug
        self._info: Callable[..., None] = logger.info
        self._warning: Callable[..., None] = logger.warning
        self._error: Callable[..., None] = logger.error

    def debug(self, event: Event, **fields: Any) -> None:
        """For whoever looks into one gateway."""
        self._debug(event, **fields)

    def info(self, event: Event, **fields: Any) -> None:
        """Ordinary life."""
        self._info(event, **fields)

    def warning(self, event: Event, **fields: Any) -> None:
        """Something an operator should look at in working hours."""
        self._warning(event, **fields)

    def error(self, event: Event, **fields: Any) -> None:
        """Something an operator should look at now. `error=` takes the exception itself."""
        self._error(event, **fields)


def open_log(
    stream: BinaryIO, fields: SignalFields, *, level: str, on_drop: Callable[[], None]
) -> EventLog:
    """An event log on an open stream; also makes it what a stray `structlog.get_logger()` uses."""
    structlog.configure(
        processors=[AllowList(fields, on_drop), _render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Sink(stream, on_drop),
        cache_logger_on_first_use=False,
    )
    return EventLog(structlog.get_logger().bind())


class _LibraryHandler(logging.Handler):
    """Takes a library's record and writes that it happened, not what it said."""

    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"library": record.name.partition(".")[0]}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = record.exc_info[1]
        if record.levelno >= logging.ERROR:
            self._log.error(Event.LIBRARY, **fields)
        elif record.levelno >= logging.WARNING:
            self._log.warning(Event.LIBRARY, **fields)
        else:
            self._log.debug(Event.LIBRARY, **fields)


def route_libraries(log: EventLog, *, level: str) -> None:
    """Send every stdlib logger and every uncaught exception of the process through the gate.

    For `cuvar serve`, before the server starts; start uvicorn with `log_config=None` and
    `access_log=False`, since its own configuration would write texts and request lines.
    """
    # A failing handler would print the record, arguments included, to standard error.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers = [_LibraryHandler(log)]
    root.setLevel(_LEVELS[level])
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    access = logging.getLogger("uvicorn.access")
    access.disabled = True

    def on_crash(
        _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
    ) -> None:
        log.error(Event.CRASH, error=error)

    def on_thread_crash(arguments: Any) -> None:
        if arguments.exc_value is not None:
            log.error(Event.CRASH, error=arguments.exc_value)

    sys.excepthook = on_crash
    threading.excepthook = on_thread_crash
    sys.unraisablehook = on_thread_crash
