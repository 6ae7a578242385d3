# SPDX-License-Identifier: EUPL-1.2
"""Spans leave without anything that was not listed, and FastAPI's own leave not at all."""

import http.server
import json
import threading

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, StatusCode

from gateway.correlation import new_correlation
from gateway.errors import GatewayError
from gateway.settings import TelemetrySettings
from gateway.signals import Phase, SignalFields, Words
from gateway.spans import OtlpSpanExporter, span_document
from gateway.tracing import NATIVE_TELEMETRY_OFF, ScrubbingProcessor, open_tracing

CANARY = "Hadziosmanovic"  # ASCII: JSON would write other letters as escapes
FIELDS = SignalFields(Words(owners=frozenset({"BA"}), datasets=frozenset({"persons"})))
ALL = TelemetrySettings(sample_ratio=1.0)


class Traced:
    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.dropped = 0
        self.tracing = open_tracing(ALL, FIELDS, self._drop, [self.exporter])

    def _drop(self):
        self.dropped += 1

    @property
    def spans(self):
        return self.exporter.get_finished_spans()


@pytest.fixture
def traced():
    traced = Traced()
    yield traced
    traced.tracing.close()


def test_steps_are_spans_within_one_trace(traced):
    correlation = new_correlation()
    with traced.tracing.span(Phase.REQUEST, correlation=correlation):
        with traced.tracing.span(Phase.DECIDE, owner="BA", dataset="persons"):
            pass
        with traced.tracing.span(Phase.FETCH, owner="BA") as span:
            span.set_attribute("count", 3)
    decide, fetch, request = traced.spans
    assert [span.name for span in traced.spans] == ["decide", "fetch", "request"]
    assert dict(request.attributes) == {"correlation": correlation}
    assert dict(decide.attributes) == {"owner": "BA", "dataset": "persons"}
    assert dict(fetch.attributes) == {"owner": "BA", "count": 3}
    assert {span.context.trace_id for span in traced.spans} == {request.context.trace_id}
    assert decide.parent.span_id == request.context.span_id
    assert traced.dropped == 0


def test_an_attribute_outside_the_list_is_dropped_and_counted(traced):
    with traced.tracing.span(Phase.FETCH, owner=CANARY, surname=CANARY, count=3) as span:
        span.set_attribute("url.path", CANARY)
    assert dict(traced.spans[0].attributes) == {"count": 3}
    assert traced.dropped == 3


def test_an_exception_marks_the_span_and_leaves_no_text(traced):
    with pytest.raises(ValueError, match=CANARY), traced.tracing.span(Phase.FETCH):
        raise ValueError(CANARY)
    (span,) = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.events == ()
    assert traced.dropped == 0
    assert CANARY not in span.to_json()


def test_events_links_status_texts_names_and_resources_are_scrubbed(traced):
    tracer = traced.tracing._tracer
    with tracer.start_as_current_span(f"find {CANARY}") as span:
        span.add_event(CANARY, {"name": CANARY})
        span.add_link(span.get_span_context(), {CANARY: CANARY})
        span.set_status(StatusCode.ERROR, CANARY)
        span.update_name(CANARY)
    (shown,) = traced.spans
    assert (shown.name, shown.events, shown.links) == ("unlisted", (), ())
    assert CANARY not in shown.to_json()
    assert CANARY not in span_document([shown]).decode()
    assert dict(shown.resource.attributes) == {"service.name": "cuvar"}


def test_the_scrubber_is_what_keeps_the_text_out():
    """The same span through an exporter without the scrubber does carry the canary."""
    bare, scrubbed = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(bare))
    provider.add_span_processor(
        ScrubbingProcessor(SimpleSpanProcessor(scrubbed), FIELDS, lambda: None)
    )
    context = provider.get_tracer("x").start_span("x").get_span_context()
    span = provider.get_tracer("x").start_span("x", links=[Link(context, {"n": CANARY})])
    span.set_attribute("db.statement", CANARY)
    span.end()
    assert CANARY in str(bare.get_finished_spans()[0].attributes)
    assert CANARY not in scrubbed.get_finished_spans()[0].to_json()
    assert scrubbed.get_finished_spans()[0].links == ()
    provider.shutdown()


def test_without_a_target_nothing_is_traced():
    tracing = open_tracing(TelemetrySettings(), FIELDS, lambda: None)
    with tracing.span(Phase.DECIDE, surname=CANARY) as span:
        span.set_attribute("x", CANARY)
        assert not trace.get_current_span().get_span_context().is_valid
    tracing.close()


def test_a_target_that_is_not_named_is_refused():
    settings = TelemetrySettings.model_construct(traces="otlp", otlp_endpoint=None)
    with pytest.raises(GatewayError):
        open_tracing(settings, FIELDS, lambda: None)


def test_the_process_has_no_provider_that_libraries_could_find():
    exporter = InMemorySpanExporter()
    tracing = open_tracing(ALL, FIELDS, lambda: None, [exporter])
    with trace.get_tracer("library").start_as_current_span(CANARY):
        pass
    assert exporter.get_finished_spans() == ()
    tracing.close()


def test_the_sample_ratio_holds_for_whole_questions(tmp_path):
    settings = TelemetrySettings(sample_ratio=0.0)
    exporter = InMemorySpanExporter()
    tracing = open_tracing(settings, FIELDS, lambda: None, [exporter])
    with tracing.span(Phase.REQUEST), tracing.span(Phase.DECIDE):
        pass
    assert exporter.get_finished_spans() == ()
    tracing.close()


def test_spans_are_added_to_a_file_as_json_lines(tmp_path):
    file = tmp_path / "spans.jsonl"
    settings = TelemetrySettings.model_construct(traces="file", trace_file=file, sample_ratio=1.0)
    tracing = open_tracing(settings, FIELDS, lambda: None)
    with tracing.span(Phase.REQUEST, count=1), tracing.span(Phase.DECIDE, owner="BA", x=CANARY):
        pass
    tracing.close()
    inner, outer = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    span = inner["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert span["name"] == "decide"
    assert span["attributes"] == [{"key": "owner", "value": {"stringValue": "BA"}}]
    parent = outer["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert span["parentSpanId"] == parent["spanId"]
    assert parent["attributes"] == [{"key": "count", "value": {"intValue": "1"}}]
    assert CANARY not in file.read_text("utf-8")


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, self.headers["content-type"], json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def collector():
    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        server.received, server.status = [], 200
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_spans_reach_a_collector_over_otlp(collector):
    endpoint = f"http://127.0.0.1:{collector.server_address[1]}"
    settings = TelemetrySettings.model_construct(
        traces="otlp", otlp_endpoint=endpoint, sample_ratio=1.0
    )
    tracing = open_tracing(settings, FIELDS, lambda: None)
    with tracing.span(Phase.RECORD, owner="BA"):
        pass
    tracing.close()
    ((path, kind, document),) = collector.received
    assert (path, kind) == ("/v1/traces", "application/json")
    assert document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "record"


def test_a_collector_that_is_away_or_refuses_loses_spans_and_nothing_else(collector):
    collector.status = 503
    port = collector.server_address[1]
    assert OtlpSpanExporter(f"http://127.0.0.1:{port}").export([]).name == "FAILURE"
    assert OtlpSpanExporter("http://127.0.0.1:1").export([]).name == "FAILURE"


@pytest.mark.parametrize("off", [True, False])
async def test_fastapis_own_spans_carry_the_path_and_are_switched_off(off):
    """The trap is real: with a provider in hand, FastAPI exports the path and query."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    switches = NATIVE_TELEMETRY_OFF if off else {}
    app = FastAPI(telemetry={**switches, "tracer_provider": provider})

    @app.get("/find/{name}")
    async def find(name: str) -> dict[str, str]:
        return {}

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://gateway") as client:
        await client.get("/find/canary?document=canary")
    exported = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert ("canary" in exported) is not off
    assert (exported == "") is off
    provider.shutdown()


def test_every_switch_of_fastapis_telemetry_is_named():
    from fastapi.telemetry import TelemetryConfig

    switches = {
        name for name in TelemetryConfig.__annotations__ if not name.endswith(("provider", "clude"))
    }
    assert set(NATIVE_TELEMETRY_OFF) == switches
    assert not any(NATIVE_TELEMETRY_OFF.values())
