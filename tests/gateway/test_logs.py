# SPDX-License-Identifier: EUPL-1.2
"""Log lines say only what is listed, whoever writes them and however."""

import io
import json
import logging
import sys
import threading
import warnings

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.correlation import new_correlation
from gateway.logs import Event, open_log, route_libraries
from gateway.signals import SignalFields, Words

CANARY = "Hadžiosmanović"
NUMBER = "BA7730099"
FIELDS = SignalFields(Words(routes=frozenset({"/v1/find"}), owners=frozenset({"BA"})))


def fail():
    raise ValueError(CANARY)


class Written:
    def __init__(self, level="debug"):
        self.stream = io.BytesIO()
        self.dropped = 0
        self.log = open_log(self.stream, FIELDS, level=level, on_drop=self._drop)

    def _drop(self):
        self.dropped += 1

    @property
    def text(self):
        return self.stream.getvalue().decode()

    @property
    def lines(self):
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def written():
    yield Written()
    structlog.reset_defaults()


@pytest.fixture
def process_hooks():
    """Give back what `route_libraries` takes over in this process."""
    root = logging.getLogger()
    kept = (sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions,
            root.handlers, root.level)  # fmt: skip
    loggers = {
        name: (logger.handlers, logger.propagate, logger.disabled)
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    yield
    sys.excepthook, sys.unraisablehook, threading.excepthook = kept[:3]
    logging.raiseExceptions, root.handlers = kept[3:5]
    root.setLevel(kept[5])
    logging.captureWarnings(capture=False)
    for name, (handlers, propagate, disabled) in loggers.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate, logger.disabled = handlers, propagate, disabled
    logging.getLogger("uvicorn.access").disabled = False


def test_a_listed_event_is_one_json_line(written):
    correlation = new_correlation()
    written.log.info(Event.REQUEST, route="/v1/find", status=200, correlation=correlation)
    (line,) = written.lines
    assert line.pop("t").endswith("Z")
    assert line == {
        "level": "info",
        "event": "request",
        "route": "/v1/find",
        "status": 200,
        "correlation": correlation,
    }
    assert written.dropped == 0


def test_a_field_outside_the_list_is_dropped_and_counted(written):
    written.log.info(Event.REQUEST, surname=CANARY, route=CANARY, status=NUMBER, owner="BA")
    assert written.dropped == 3
    assert written.lines[0]["owner"] == "BA"
    assert CANARY not in written.text
    assert NUMBER not in written.text


def test_a_field_that_is_absent_is_not_a_fault(written):
    written.log.info(Event.REQUEST, route=None)
    assert written.dropped == 0
    assert "route" not in written.lines[0]


def test_an_event_outside_the_list_keeps_none_of_its_fields(written):
    structlog.get_logger().warning(f"looked for {CANARY}", owner="BA")
    assert [(line["event"], line["level"]) for line in written.lines] == [("unlisted", "warning")]
    assert "owner" not in written.lines[0]
    assert written.dropped == 1


def test_an_event_given_as_plain_text_is_not_listed(written):
    structlog.get_logger().info("request", owner="BA")
    assert written.lines[0]["event"] == "unlisted"


def test_an_exception_is_told_by_class_only(written):
    try:
        fail()
    except ValueError as caught:
        error = caught
        structlog.get_logger().exception(Event.UNEXPECTED)
    written.log.error(Event.UNEXPECTED, error=error)
    structlog.get_logger().error(Event.UNEXPECTED, exc_info=error, stack_info=True)
    written.log.error(Event.UNEXPECTED, error=str(error))
    assert [line.get("error") for line in written.lines] == [
        None,
        "builtins.ValueError",
        None,
        None,
    ]
    assert CANARY not in written.text


def test_a_log_that_cannot_be_written_is_counted_and_fails_nobody(written):
    written.stream.close()
    written.log.info(Event.REQUEST)
    assert written.dropped == 1


def test_a_level_below_the_settings_is_not_written():
    written = Written(level="warning")
    written.log.info(Event.REQUEST)
    written.log.debug(Event.REQUEST)
    written.log.warning(Event.REQUEST)
    written.log.error(Event.REQUEST)
    assert [line["level"] for line in written.lines] == ["warning", "error"]
    structlog.reset_defaults()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(min_size=1), st.text() | st.lists(st.text()) | st.binary()))
def test_no_made_up_field_reaches_a_line(written, fields):
    fields = {key: f"{CANARY}{value}" for key, value in fields.items() if key != "event"}
    written.log.info(Event.REQUEST, **fields)
    assert CANARY not in written.text


@pytest.mark.parametrize(
    "name", ["uvicorn.error", "uvicorn.access", "asyncio", "sqlalchemy.engine.Engine", CANARY]
)
def test_a_librarys_text_arguments_and_traceback_are_not_written(written, process_hooks, name):
    logger = logging.getLogger(name)
    stray = io.StringIO()
    logger.addHandler(logging.StreamHandler(stray))
    route_libraries(written.log, level="debug")
    logger.setLevel(logging.DEBUG)
    logger.info("SELECT %s", CANARY)
    logger.warning(f"GET /find/{CANARY}?n={NUMBER}")  # noqa: G004 - libraries do this
    try:
        fail()
    except ValueError:
        logger.exception("failed for %s", NUMBER)
    assert CANARY not in written.text
    assert NUMBER not in written.text
    assert stray.getvalue() == ""
    if name == "uvicorn.access":
        assert written.text == ""
    else:
        library = name.partition(".")[0]
        assert [line["library"] for line in written.lines] == [
            "other" if name == CANARY else library
        ] * 3
        assert [line["level"] for line in written.lines] == ["debug", "warning", "error"]
        assert written.lines[2]["error"] == "builtins.ValueError"


def test_a_warning_of_python_is_not_written_out(written, process_hooks):
    route_libraries(written.log, level="debug")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(f"odd value {CANARY}", UserWarning, stacklevel=1)
    assert CANARY not in written.text
    assert [line["library"] for line in written.lines] == ["py"]


def test_a_record_that_cannot_be_formatted_is_not_printed(written, process_hooks, capsys):
    route_libraries(written.log, level="debug")
    logger = logging.getLogger("asyncio")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.error(*["%d %d", CANARY])
    assert len(written.lines) == 1
    assert CANARY not in capsys.readouterr().err


def test_a_crash_of_the_process_or_a_thread_is_told_by_class(written, process_hooks, capsys):
    route_libraries(written.log, level="debug")
    sys.excepthook(ValueError, ValueError(CANARY), None)
    thread = threading.Thread(target=fail, name=CANARY)
    thread.start()
    thread.join()
    assert [line["event"] for line in written.lines] == ["crash", "crash"]
    assert CANARY not in written.text + capsys.readouterr().err
