# SPDX-License-Identifier: EUPL-1.2
"""Traces: one span per step of a question, scrubbed before anything can export it.

FastAPI's native telemetry is switched off (`NATIVE_TELEMETRY_OFF`): its spans carry `url.path`
and the whole `url.query`, its logs carry exception texts, and it hands request bodies to
processors. Ours are explicit, named from `Phase`, and their attributes come from the table in
signals.py. `ScrubbingProcessor` holds this even against a wrong call: it hands a copy built
from what is allowed to the exporter, without events, links, trace state or status text.
Incoming `traceparent` headers are not read: 128 bits from a client could spell a document number.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from fastapi.telemetry import TelemetryConfig
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Status, StatusCode, Tracer

from gateway.errors import GatewayError
from gateway.settings import TelemetrySettings
from gateway.signals import Phase, SignalFields
from gateway.spans import FileSpanExporter, OtlpSpanExporter

__all__ = ["NATIVE_TELEMETRY_OFF", "ScrubbingProcessor", "Tracing", "open_tracing"]

NATIVE_TELEMETRY_OFF: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""For `FastAPI(telemetry=…)`: every switch, since an omitted one keeps its default, which is on."""

_SCOPE = InstrumentationScope("cuvar")
_PHASES = frozenset(Phase)
_UNLISTED = "unlisted"
_NOTHING: AbstractContextManager["_Noting"]


class _Noting(Protocol):
    """What a step may add to its span."""

    def set_attribute(self, key: str, value: Any) -> None: ...


class _Untraced:
    """The span of a question that is not traced."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Nothing."""


_NOTHING = nullcontext(_Untraced())


class ScrubbingProcessor(SpanProcessor):
    """Hands the next processor a copy of each span that holds only what is allowed."""

    def __init__(
        self, following: SpanProcessor, fields: SignalFields, on_drop: Callable[[], None]
    ) -> None:
        self._following = following
        self._fields = fields
        self._on_drop = on_drop

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing: the next processor sees a span only once it is scrubbed."""

    def on_end(self, span: ReadableSpan) -> None:
        """Scrub and pass on."""
        self._following.on_end(self._scrubbed(span))

    def shutdown(self) -> None:
        """Pass on."""
        self._following.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Pass on."""
        return self._following.force_flush(timeout_millis)

    def _scrubbed(self, span: ReadableSpan) -> ReadableSpan:
        attributes: dict[str, Any] = {}
        for key, value in (span.attributes or {}).items():
            shown = self._fields.clean(key, value)
            if shown is None:
                self._on_drop()
            else:
                attributes[key] = shown
        if span.events or span.links or span.status.description:
            self._on_drop()
        return ReadableSpan(
            name=span.name if span.name in _PHASES else _UNLISTED,
            context=span.get_span_context(),
            parent=span.parent,
            resource=_resource(),
            attributes=attributes,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=_SCOPE,
        )


def _resource() -> Resource:
    return _RESOURCE


_RESOURCE = Resource({"service.name": "cuvar"})


class Tracing:
    """Opens spans; without an exporter each costs next to nothing."""

    def __init__(self, provider: TracerProvider | None) -> None:
        self._provider = provider
        self._tracer: Tracer | None = None if provider is None else provider.get_tracer(_SCOPE.name)

    def span(self, phase: Phase, **attributes: Any) -> AbstractContextManager[_Noting]:
        """One step. An exception passing through marks the span as failed, without its text."""
        if self._tracer is None:
            return _NOTHING
        return self._open(self._tracer, phase, attributes)

    @contextmanager
    def _open(self, tracer: Tracer, phase: Phase, attributes: dict[str, Any]) -> Iterator[_Noting]:
        with tracer.start_as_current_span(
            phase.value,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException:
                span.set_status(StatusCode.ERROR)
                raise

    def close(self) -> None:
        """Export what is waiting."""
        if self._provider is not None:
            self._provider.shutdown()


def open_tracing(
    settings: TelemetrySettings,
    fields: SignalFields,
    on_drop: Callable[[], None],
    exporters: Sequence[SpanExporter] = (),
) -> Tracing:
    """Tracing as the settings say; `exporters` are fed at once, for tests and the demo.

    The process-wide provider is not touched, so no library finds one to send its own spans to.
    """
    following: list[SpanProcessor] = [SimpleSpanProcessor(exporter) for exporter in exporters]
    match settings.traces:
        case "off":
            pass
        case "file" if settings.trace_file is not None:
            following.append(SimpleSpanProcessor(FileSpanExporter(settings.trace_file)))
        case "otlp" if settings.otlp_endpoint is not None:
            following.append(BatchSpanProcessor(OtlpSpanExporter(settings.otlp_endpoint)))
        case _:
            raise GatewayError("telemetry.traces names no target; see docs/settings.md")
    if not following:
        return Tracing(None)
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
        resource=_resource(),
        shutdown_on_exit=False,
    )
    for processor in following:
        provider.add_span_processor(ScrubbingProcessor(processor, fields, on_drop))
    return Tracing(provider)
